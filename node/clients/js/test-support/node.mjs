// Nodes for tests: the real program, on ports that are free, gone when the test is.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { request } from "../src/index.js";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/** A debug build initialises its first state in a few seconds; with both cores taken it may be ten times that. */
const START_MS = 120_000;
const POLL_MS = 100;
const KEPT_LINES = 60;
/** It keeps nothing, not even who it is in the network, and looks for no other node by itself. */
const FLAGS = [
  "--tmp",
  "--unsafe-force-node-key-generation",
  "--no-mdns",
  "--no-telemetry",
  "--no-prometheus",
  "--rpc-port=0",
  "--port=0",
];
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * The node's program: DSTP_NODE, or what cargo built.
 *
 * @returns {string | null} `null` if there is none and DSTP_NODE does not demand one
 */
export function nodeProgram() {
  const { DSTP_NODE, CARGO_TARGET_DIR = `${ROOT}target` } = process.env;
  const program = DSTP_NODE ?? `${CARGO_TARGET_DIR}/debug/dstp-node`;
  if (existsSync(program)) return program;
  if (DSTP_NODE) throw new Error(`DSTP_NODE names ${DSTP_NODE}, which does not exist. Build it with: make build`);
  return null;
}

/**
 * A running node.
 *
 * @typedef {object} Node
 * @property {string} ws the WebSocket address of its RPC server
 * @property {Promise<never>} death rejects when the node ends, with the end of its log
 * @property {() => string} log the last lines that it logged
 * @property {() => Promise<void>} stop ends it and removes its folder
 */

/**
 * Starts a node that forgets everything when it stops.
 *
 * @param {string} program from {@link nodeProgram}
 * @param {string[]} args which chain and which part in it, such as `--dev`, `--serve=/geo`
 * @returns {Promise<Node>} once its RPC server answers
 */
export async function startNode(program, args) {
  // Here is what --tmp makes, which a node that is killed leaves behind.
  const folder = mkdtempSync(join(tmpdir(), "dstp-node-"));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  const env = { ...process.env, TMPDIR: folder };
  for (const name of ["RUST_LOG", "RUST_BACKTRACE", "DSTP_SURI"]) delete env[name];
  const child = spawn(program, [...FLAGS, ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface({ input: child.stderr });
  const { death, log } = watch(child, lines, args);

  // No node outlives its test, however that ends.
  const kill = () => {
    child.kill("SIGKILL");
    remove();
  };
  const leave = () => process.exit(1);
  process.once("exit", kill);
  for (const signal of SIGNALS) process.once(signal, leave);
  const stop = async () => {
    // By force: it has nothing to keep.
    child.kill("SIGKILL");
    await death.catch(() => {});
    remove();
    process.off("exit", kill);
    for (const signal of SIGNALS) process.off(signal, leave);
  };
  try {
    return { ws: await Promise.race([address(lines, log), death]), death, log, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function watch(child, lines, args) {
  const kept = [];
  lines.on("line", (line) => {
    kept.push(line);
    if (kept.length > KEPT_LINES) kept.shift();
  });
  const log = () => `The end of the log of dstp-node ${args.join(" ")}:\n${kept.join("\n")}`;
  const death = new Promise((_, reject) => {
    child.once("error", reject);
    child.once("exit", (status, signal) => reject(new Error(`a node ended (${signal ?? `status ${status}`}). ${log()}`)));
  });
  // Whoever waits for it hears of it; nobody may be waiting at the moment it happens.
  death.catch(() => {});
  return { death, log };
}

function address(lines, log) {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`the node did not start within ${START_MS / 1000} s. ${log()}`));
    const timer = setTimeout(late, START_MS);
    timer.unref();
    lines.on("line", (line) => {
      const found = /Running JSON-RPC server: addr=([0-9.]+:[0-9]+)/.exec(line);
      if (!found) return;
      clearTimeout(timer);
      resolve(`ws://${found[1]}`);
    });
  });
}

/**
 * Where other nodes on this computer reach a node. Asks until there is an address: the RPC server may answer before the network
 * listens, and nothing tells when it does.
 *
 * @param {import("../src/rpc.js").Client} client of the node
 * @returns {Promise<string>} what `--bootnodes` takes
 */
export async function p2pAddress(client) {
  for (;;) {
    const addresses = await request(client, "system_localListenAddresses");
    const found = addresses.find((address) => address.startsWith("/ip4/127.0.0.1/tcp/"));
    if (found) return found;
    await sleep(POLL_MS);
  }
}
