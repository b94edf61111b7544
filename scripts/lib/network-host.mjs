// Runs zombienet's orchestrator in a process group of its own and watches the nodes it starts.
//
// Started by network.mjs with an IPC channel, in a new session: every node is in this process's group, so the
// parent can end all of them with one signal. If the parent dies without a word, the channel closes and this
// process ends the group itself.
//
// Nodes of the file that are named after the folder are held back until they are asked for.
//
// Sends  { kind: "planned", count }  { kind: "spawned", name }  { kind: "up", nodes }  { kind: "started", node }
//        { kind: "died", name }  { kind: "failed", reason }
// Takes  { kind: "start", name }  { kind: "stop" }

import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { isAlive, signalGroup, until } from "./processes.mjs";
import { fromZombienet } from "./packages.mjs";

const { start } = fromZombienet("@zombienet/orchestrator");
const { getRandomPort, readNetworkConfig } = fromZombienet("@zombienet/utils");

const WATCH_MS = 250;
// Long enough for a node to flush its database after SIGTERM.
const STOP_MS = 10_000;

const [file, dir, ...heldBack] = process.argv.slice(2);
let network;
let stopping = false;
const seen = new Set();
/** Nodes that were held back and have been started: name, pid. */
const late = [];

const processes = () => [
  ...Object.entries(network?.client.processMap ?? {}).flatMap(([name, { pid }]) => (pid ? [{ name, pid }] : [])),
  ...late,
];

function watch() {
  for (const { name, pid } of processes()) {
    if (!seen.has(name)) {
      seen.add(name);
      process.send({ kind: "spawned", name });
    }
    if (!stopping && !isAlive(pid)) {
      stopping = true;
      process.send({ kind: "died", name });
    }
  }
}

async function stop() {
  stopping = true;
  for (const { pid } of processes()) if (isAlive(pid)) process.kill(pid, "SIGTERM");
  await until(() => !processes().some(({ pid }) => isAlive(pid)), STOP_MS);
  process.exit(0);
}

/** Starts a node that was held back. Zombienet cannot add a node to a running network; its chain spec names a boot node. */
async function startLate({ name, args = [], command }) {
  const [port, rpc, prometheus] = [await getRandomPort(), await getRandomPort(), await getRandomPort()];
  const data = join(dir, name, "data");
  mkdirSync(data, { recursive: true });
  const log = join(dir, `${name}.log`);
  const output = openSync(log, "a");
  const options = [
    ["--chain", join(dir, `${config.relaychain.chain}.json`), "--name", name, "--base-path", data],
    ["--listen-addr", `/ip4/127.0.0.1/tcp/${port}/ws`, "--rpc-port", rpc, "--prometheus-port", prometheus],
    ["--rpc-cors", "all", "--rpc-methods", "unsafe", "--no-mdns", "--no-telemetry"],
  ].flat();
  const { pid } = spawn(command ?? config.relaychain.default_command, [...options, ...args].map(String), {
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  if (!pid) throw new Error(`the node ${name} does not start`);
  late.push({ name, pid });
  const node = { name, ws: `ws://127.0.0.1:${rpc}`, prometheus: `http://127.0.0.1:${prometheus}/metrics`, log, pid };
  process.send({ kind: "started", node });
}

process.on("message", ({ kind, name }) => {
  if (kind === "stop") stop();
  if (kind === "start") startLate(later.get(name));
});
process.on("disconnect", () => signalGroup(process.pid, "SIGKILL"));
process.on("unhandledRejection", (reason) => process.send({ kind: "failed", reason: String(reason) }));

setInterval(watch, WATCH_MS);

const config = readNetworkConfig(file);
config.settings.provider = "native";
const later = new Map(heldBack.map((name) => [name, config.relaychain.nodes.find((node) => node.name === name)]));
config.relaychain.nodes = config.relaychain.nodes.filter(({ name }) => !later.has(name));
process.send({ kind: "planned", count: config.relaychain.nodes.length });
await start("", config, {
  dir,
  force: true,
  // All but the first, whose address the orchestrator writes into the chain spec of the others.
  spawnConcurrency: 4,
  logType: "text",
  setGlobalNetwork: (started) => {
    network = started;
  },
});
process.send({
  kind: "up",
  nodes: Object.values(network.nodesByName).map((node) => ({
    name: node.name,
    ws: node.wsUri,
    prometheus: node.prometheusUri,
    log: `${dir}/${node.name}.log`,
    pid: network.client.processMap[node.name].pid,
  })),
});
