// Runs zombienet's orchestrator in a process group of its own and watches the nodes it starts.
//
// Started by network.mjs with an IPC channel, in a new session: every node is in this process's group, so the
// parent can end all of them with one signal. If the parent dies without a word, the channel closes and this
// process ends the group itself.
//
// Sends  { kind: "spawned", name }  { kind: "up", nodes }  { kind: "died", name }  { kind: "failed", reason }
// Takes  { kind: "stop" }

import { isAlive, signalGroup, until } from "./processes.mjs";
import { fromZombienet } from "./packages.mjs";

const { start } = fromZombienet("@zombienet/orchestrator");
const { readNetworkConfig } = fromZombienet("@zombienet/utils");

const WATCH_MS = 250;
// Long enough for a node to flush its database after SIGTERM.
const STOP_MS = 10_000;

const [file, dir] = process.argv.slice(2);
let network;
let stopping = false;
const seen = new Set();

const processes = () =>
  Object.entries(network?.client.processMap ?? {}).flatMap(([name, { pid }]) => (pid ? [{ name, pid }] : []));

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

process.on("message", (message) => message.kind === "stop" && stop());
process.on("disconnect", () => signalGroup(process.pid, "SIGKILL"));
process.on("unhandledRejection", (reason) => process.send({ kind: "failed", reason: String(reason) }));

setInterval(watch, WATCH_MS);

const config = readNetworkConfig(file);
config.settings.provider = "native";
await start("", config, {
  dir,
  force: true,
  // The orchestrator writes a node's address into the chain spec of the next one.
  spawnConcurrency: 1,
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
