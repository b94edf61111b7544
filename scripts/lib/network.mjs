// A local network under supervision: starts it, says when a node dies, and leaves no process behind.

import { fork } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { signalGroup, tail, until } from "./processes.mjs";

const HOST = fileURLToPath(new URL("./network-host.mjs", import.meta.url));
// More than the host gives its nodes to stop.
const STOP_MS = 12_000;
const KILL_MS = 5_000;

/** A network that zombienet started from one of its network files. */
export class Network {
  /** The nodes, once `up` resolved: name, ws, prometheus, log (a path), pid. */
  nodes = [];
  /** Resolves when all nodes run; rejects if one does not start. */
  up;
  /** Rejects with the tail of the log when a node, or zombienet itself, ends unasked. Never resolves. */
  death;

  #host;
  #dir;
  #exited = false;
  #stopping = false;

  /**
   * Starts the network file `file`; `dir` takes chain specs, databases and logs. `onPlan(count)`: so many nodes start now;
   * `onSpawn(name)` for each node. The nodes named in `later` wait for `start(name)`.
   */
  constructor(file, dir, { onPlan, onSpawn, later = [] } = {}) {
    this.#dir = dir;
    const log = openSync(join(dir, "zombienet.txt"), "a");
    this.#host = fork(HOST, [file, dir, ...later], { detached: true, stdio: ["ignore", log, log, "ipc"] });
    closeSync(log);
    this.death = new Promise((_, reject) => this.#watch(reject));
    // Whoever waits for it hears of it; nobody may be waiting at the moment it happens.
    this.death.catch(() => {});
    const up = new Promise((resolve) => {
      this.#host.on("message", (message) => {
        if (message.kind === "planned") onPlan?.(message.count);
        if (message.kind === "spawned") onSpawn?.(message.name);
        if (message.kind === "up") resolve((this.nodes = message.nodes));
      });
    });
    this.up = Promise.race([up, this.death]);
    this.up.catch(() => {});
    // The last resort, for an end of this process that runs no other code.
    process.on("exit", () => signalGroup(this.#host.pid, "SIGKILL"));
  }

  /** Starts a node that was to start later. Resolves with the node, which need not answer yet. */
  async start(name) {
    const started = new Promise((resolve) => {
      const hear = (message) => {
        if (message.kind !== "started" || message.node.name !== name) return;
        this.#host.off("message", hear);
        this.nodes.push(message.node);
        resolve(message.node);
      };
      this.#host.on("message", hear);
    });
    this.#host.send({ kind: "start", name });
    return Promise.race([started, this.death]);
  }

  /** Ends all nodes: politely first, then by force. Resolves when no process of the network is left. */
  async stop() {
    if (this.#stopping) return;
    this.#stopping = true;
    if (this.#host.connected) this.#host.send({ kind: "stop" }, () => {});
    await until(() => this.#exited, STOP_MS);
    this.kill();
    await until(() => this.#exited && !groupExists(this.#host.pid), KILL_MS);
  }

  /** Ends all nodes at once. */
  kill() {
    this.#stopping = true;
    signalGroup(this.#host.pid, "SIGKILL");
  }

  #watch(reject) {
    this.#host.on("message", async (message) => {
      if (message.kind === "died") {
        const log = join(this.#dir, `${message.name}.log`);
        reject(new Error(`the node ${message.name} ended. The end of its log:\n\n${await tail(log)}\n`));
      }
      if (message.kind === "failed") reject(await this.#startFailure(message.reason));
    });
    this.#host.on("exit", async (code, signal) => {
      this.#exited = true;
      if (!this.#stopping) reject(await this.#startFailure(`zombienet ended (${signal ?? `status ${code}`})`));
    });
    this.#host.on("error", reject);
  }

  async #startFailure(reason) {
    const log = await tail(join(this.#dir, "zombienet.txt"));
    return new Error(`the network did not start: ${reason}. The end of zombienet's output:\n\n${log}\n`);
  }
}

function groupExists(group) {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
