// Builds the node and the client with cargo and shows cargo's count as a progress bar with an ETA.

import { spawn } from "node:child_process";
import { signalGroup } from "./processes.mjs";

// The progress line that cargo draws: "Building [===>   ] 12/810: names".
const COUNT = /Building \[.*\] (\d+)\/(\d+)/;
const KEPT_LINES = 200;

/**
 * Builds the workspace. Resolves when the node is up to date; rejects with cargo's last lines if the build
 * fails. Aborting `signal` ends cargo and the compilers it started.
 */
export const buildNode = (progress, signal) => build("cargo", ["build", "--workspace", "--locked"], progress, signal);

/** Builds the Wasm module of the JavaScript client, in the same way. */
export const buildClient = (progress, signal) => build("scripts/wasm.sh", [], progress, signal);

function build(command, args, progress, signal) {
  return new Promise((resolve, reject) => {
    const cargo = spawn(command, args, {
      // Its own group: an abort reaches the compilers too.
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        CARGO_TERM_PROGRESS_WHEN: "always",
        CARGO_TERM_PROGRESS_WIDTH: "80",
        CARGO_TERM_COLOR: "never",
      },
    });
    const abort = () => signalGroup(cargo.pid, "SIGTERM");
    signal.addEventListener("abort", abort);

    const lines = [];
    let total = 0;
    let rest = "";
    cargo.stderr.setEncoding("utf8").on("data", (chunk) => {
      const parts = (rest + chunk).split(/[\r\n]/);
      rest = parts.pop();
      for (const line of parts) {
        const count = COUNT.exec(line);
        if (count) {
          const [done, all] = [Number(count[1]), Number(count[2])];
          if (all !== total) progress.start((total = all), "units", done);
          progress.set(done);
        } else if (line.trim() !== "") {
          lines.push(line);
          if (lines.length > KEPT_LINES) lines.shift();
          if (line.includes("Blocking waiting")) progress.note("waiting for another cargo that uses the same target folder");
        }
      }
    });
    cargo.on("error", reject);
    cargo.on("close", (code) => {
      signal.removeEventListener("abort", abort);
      if (code === 0) resolve();
      else reject(new Error(`the build failed:\n${lines.join("\n")}`));
    });
  });
}
