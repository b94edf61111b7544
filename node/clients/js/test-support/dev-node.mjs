// A development node for tests: the real program, on ports that are free, gone when the test is.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/** A debug build initialises its first state in a few seconds; with both cores taken it may be ten times that. */
const START_MS = 120_000;
const KEPT_LINES = 60;
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
 * Starts a development chain that forgets everything when it stops.
 *
 * @param {string} program from {@link nodeProgram}
 * @param {string[]} args flags beside those of a development chain, such as `--serve`, `/geo`
 * @returns {Promise<{ ws: string, stop: () => Promise<void> }>} its WebSocket address, once it answers there
 */
export async function startNode(program, args) {
  const flags = ["--dev", "--tmp", "--no-prometheus", "--rpc-port=0", "--port=0", ...args];
  // Here is what --tmp makes, which a node that is killed leaves behind.
  const folder = mkdtempSync(join(tmpdir(), "dstp-node-"));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  const env = { ...process.env, TMPDIR: folder };
  for (const name of ["RUST_LOG", "RUST_BACKTRACE", "DSTP_SURI"]) delete env[name];
  const child = spawn(program, flags, { env, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  // No node outlives its test, however that ends.
  const kill = () => {
    child.kill("SIGKILL");
    remove();
  };
  const leave = () => process.exit(1);
  process.once("exit", kill);
  for (const signal of SIGNALS) process.once(signal, leave);
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    remove();
    process.off("exit", kill);
    for (const signal of SIGNALS) process.off(signal, leave);
  };
  try {
    return { ws: await address(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function address(child) {
  return new Promise((resolve, reject) => {
    const lines = [];
    const fail = (reason) => reject(new Error(`${reason}. The end of its log:\n${lines.join("\n")}`));
    const timer = setTimeout(() => fail(`the node did not start within ${START_MS / 1000} s`), START_MS);
    child.once("error", reject);
    child.once("exit", (status) => fail(`the node ended with status ${status}`));
    createInterface({ input: child.stderr }).on("line", (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      const found = /Running JSON-RPC server: addr=([0-9.]+:[0-9]+)/.exec(line);
      if (!found) return;
      clearTimeout(timer);
      resolve(`ws://${found[1]}`);
    });
  });
}
