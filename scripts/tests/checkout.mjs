// A checkout of its own for a test: copies of the scripts, with stand-ins for the programs that they call.

import { spawn } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SCRIPTS = fileURLToPath(new URL("..", import.meta.url));

export class Checkout {
  /** Its folder; `temporary` in it is what scripts take for the system's folder of temporary files. */
  root;

  /** Makes one that is removed when the test `t` is over. */
  static async create(t) {
    const checkout = new Checkout();
    checkout.root = await mkdtemp(join(tmpdir(), "dstp-scripts-"));
    t.after(() => rm(checkout.root, { recursive: true, force: true }));
    await cp(SCRIPTS, checkout.path("scripts"), { recursive: true });
    await mkdir(checkout.path("temporary"));
    return checkout;
  }

  path(...parts) {
    return join(this.root, ...parts);
  }

  async write(path, text) {
    await mkdir(dirname(this.path(path)), { recursive: true });
    await writeFile(this.path(path), text);
  }

  /** A program that runs these lines of bash. */
  async program(path, lines) {
    await this.write(path, `#!/usr/bin/env bash\n${lines}\n`);
    await chmod(this.path(path), 0o755);
  }

  /** Starts a script. Programs in the checkout's folder `bin` come before those of the system. */
  start(script, ...args) {
    const env = {
      ...process.env,
      PATH: `${this.path("bin")}:${process.env.PATH}`,
      CARGO_TARGET_DIR: this.path("target"),
      TMPDIR: this.path("temporary"),
    };
    return new Running(spawn(this.path(script), args, { env, stdio: ["ignore", "pipe", "pipe"] }));
  }
}

/** A program under way. */
export class Running {
  /** What it has written so far, to both outputs. */
  output = "";
  /** Resolves with its exit status, or with the signal that ended it. */
  ended;
  #process;
  #waiting = [];

  constructor(process) {
    this.#process = process;
    for (const stream of [process.stdout, process.stderr]) stream.setEncoding("utf8").on("data", (text) => this.#hear(text));
    this.ended = new Promise((resolve, reject) => {
      process.on("error", reject);
      process.on("close", (code, signal) => resolve(code ?? signal));
    });
  }

  /** Resolves once it has written `text`; rejects if it ends without. */
  async said(text) {
    const heard = new Promise((resolve) => this.#waiting.push({ text, resolve }));
    this.#hear("");
    const end = await Promise.race([heard, this.ended.then((status) => ({ status }))]);
    if (end) throw new Error(`it ended with ${end.status} and did not say "${text}":\n${this.output}`);
  }

  signal(name) {
    this.#process.kill(name);
  }

  #hear(text) {
    this.output += text;
    for (const { text, resolve } of this.#waiting) if (this.output.includes(text)) resolve();
  }
}
