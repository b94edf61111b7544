// make run: builds the node, starts a local network, plays the tour and keeps the network up until Ctrl-C.
// The exit status is 0 only if every step succeeded.
//
//   ONCE=1    ends after the tour
//   SHORT=1   loads only the few states that the tour asks about: for trying it and for the tests

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildClient, buildNode } from "./lib/build.mjs";
import { Network } from "./lib/network.mjs";
import { runStep, Stopped, table } from "./lib/output.mjs";
import { steps } from "./tour/index.mjs";

const NETWORK_FILE = "zombienet/local.toml";
// Nodes of it that the tour starts itself.
const LATER = ["follower"];
// Several times the interval at which nodes are watched.
const DEATH_NOTICE_MS = 1500;
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

const stop = new AbortController();
let interruptedBy;
let network;

// Rejects when the user stops the run; every wait below races against it.
const interrupted = new Promise((_, reject) => {
  stop.signal.addEventListener("abort", () => reject(new Stopped()));
});
interrupted.catch(() => {});

for (const signal of Object.keys(SIGNALS)) {
  process.on(signal, () => {
    // A second signal: the user does not want to wait for a polite end.
    if (interruptedBy) network?.kill();
    interruptedBy ??= signal;
    stop.abort();
  });
}

async function startNetwork(dir) {
  await runStep("Starting the network", async (progress) => {
    let started = 0;
    network = new Network(NETWORK_FILE, dir, {
      later: LATER,
      onPlan: (count) => progress.start(count, "nodes"),
      onSpawn: (name) => {
        progress.note(`${name} started`);
        progress.set(++started);
      },
    });
    await Promise.race([network.up, interrupted]);
    return network.nodes.map(({ name }) => name).join(", ");
  });
}

/** A step fails before the network's watch sees that a node died: then the node's log says more than the step's error. */
async function orDeath(error) {
  await Promise.race([network.death, sleep(DEATH_NOTICE_MS)]);
  throw error;
}

/** Runs one step of the tour; its signal aborts when its time is over, a node dies or the user stops. */
async function playStep(step, shared) {
  const over = new AbortController();
  let timer;
  const late = new Promise((_, reject) => {
    const message = `the step took longer than ${step.timeoutMs / 1000} s`;
    timer = setTimeout(() => reject(new Error(message)), step.timeoutMs);
  });
  try {
    await runStep(step.name, async (progress) => {
      const work = step.run({ network, nodes: network.nodes, signal: over.signal, shared }, progress).catch(orDeath);
      return Promise.race([work, network.death, interrupted, late]);
    });
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

/** What the steps found worth repeating, and where the nodes are. */
function printSummary({ summary, nodeRows }) {
  table(["the tour", ""], summary);
  table(["node", "block", "finalised", "peers"], nodeRows);
  table(
    ["node", "RPC", "Prometheus", "log"],
    network.nodes.map(({ name, ws, prometheus, log }) => [name, ws, prometheus, log]),
  );
  const endpoint = encodeURIComponent(network.nodes[0].ws);
  console.log(`\npolkadot.js  https://polkadot.js.org/apps/?rpc=${endpoint}#/explorer`);
  console.log(`PAPI         https://dev.papi.how/explorer#networkId=custom&endpoint=${endpoint}`);
  console.log("(the browser may ask whether these pages may reach this computer: allow it)\n");
}

async function play(dir) {
  await runStep("Building the node", (progress) =>
    Promise.race([buildNode(progress, stop.signal), interrupted]),
  );
  await runStep("Building the JavaScript client", (progress) =>
    Promise.race([buildClient(progress, stop.signal), interrupted]),
  );
  await startNetwork(dir);
  const shared = { summary: [], short: Boolean(process.env.SHORT) };
  for (const step of steps) await playStep(step, shared);
  printSummary(shared);
}

async function main() {
  const dir = await mkdtemp(join(tmpdir(), "dstp-run-"));
  let toured = false;
  let failure;
  try {
    await play(dir);
    toured = true;
    if (!process.env.ONCE) {
      console.log("The network is up. Ctrl-C stops it.");
      await Promise.race([network.death, interrupted]);
    }
  } catch (error) {
    if (!interruptedBy) failure = error;
  }
  if (failure) console.error(`\n${failure.message}`);
  if (network) console.log("Stopping the network");
  await network?.stop();
  if (failure && network) console.error(`The files of the network are kept in ${dir}`);
  else await rm(dir, { recursive: true, force: true });
  // Ctrl-C after the tour is the ordinary end; before, the tour did not happen.
  process.exit(failure ? 1 : toured ? 0 : SIGNALS[interruptedBy]);
}

await main();
