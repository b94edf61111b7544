// Whole networks on this computer: zombienet's tests, and the tour of `make run` as a user starts it.
//
// Side by side, because a network mostly waits for blocks. DSTP_LONG=1 adds the tour with all places.
// Builds nothing new: `make test` has built everything before.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Running } from "./checkout.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LIMIT = { timeout: 600_000 };

/** A program of the repository that has a folder of temporary files of its own, which stays if its test fails. */
class Run extends Running {
  #folder;

  static async start(t, command, args, env = {}) {
    const folder = await mkdtemp(join(tmpdir(), "dstp-networks-"));
    const options = { cwd: ROOT, env: { ...process.env, ...env, TMPDIR: folder }, stdio: ["ignore", "pipe", "pipe"] };
    const run = new Run(spawn(command, args, options));
    run.#folder = folder;
    t.after(async () => (await run.processes()).forEach(({ pid }) => signalIfThere(pid)));
    return run;
  }

  /** Its processes and all that they started: pid, program, words of the command. They know the folder from their environment. */
  async processes() {
    const found = [];
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      try {
        const environment = await readFile(`/proc/${pid}/environ`, "utf8");
        if (!environment.split("\0").includes(`TMPDIR=${this.#folder}`)) continue;
        const words = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
        found.push({ pid: Number(pid), program: basename(await readlink(`/proc/${pid}/exe`)), words });
      } catch {
        // It has just ended, or belongs to another user.
      }
    }
    return found;
  }

  /** Waits for the end, which must be with `status` and without a process left. */
  async endsWith(status) {
    assert.equal(await this.ended, status, this.output);
    assert.deepEqual(await this.processes(), [], `processes are left:\n${this.output}`);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function signalIfThere(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

const tour = (t, env) => Run.start(t, "scripts/env.sh", ["node", "scripts/run.mjs"], { ONCE: "1", ...env });
const zombienetTests = (await readdir(join(ROOT, "zombienet"))).filter((name) => name.endsWith(".zndsl"));

describe("networks", { concurrency: true }, () => {
  test("the tour shows everything and leaves no process", LIMIT, async (t) => {
    const run = await tour(t, { SHORT: "1" });
    await run.endsWith(0);
    assert.match(run.output, /polkadot\.js +https:/);
    console.log(run.output);
  });

  // A start is the one part that keeps all processors busy.
  describe("one after the other", { concurrency: false }, () => {
    for (const file of zombienetTests) {
      const name = basename(file, ".zndsl");
      test(`zombienet's test ${name} passes`, LIMIT, async (t) => {
        const run = await Run.start(t, "scripts/zombienet.sh", ["test", name]);
        await run.endsWith(0);
      });
    }

    test("a node that is killed ends the tour with the end of its log", LIMIT, async (t) => {
      const run = await tour(t, { SHORT: "1" });
      await run.said("==> Registering");
      const isBob = ({ program, words }) => program === "dstp-node" && words.includes("bob");
      const bob = (await run.processes()).find(isBob);
      assert.ok(bob, `the node bob does not run:\n${run.output}`);
      process.kill(bob.pid, "SIGKILL");
      await run.endsWith(1);
      const [, log] = /the node bob ended\. The end of its log:\n\n([^]*)/.exec(run.output) ?? assert.fail(run.output);
      assert.match(log, /Imported #\d+|Idle/, "the lines are those of a node");
      assert.match(run.output, /The files of the network are kept in/);
    });
  });
});

test("the tour with all places", { ...LIMIT, skip: !process.env.DSTP_LONG && "only with DSTP_LONG" }, async (t) => {
  const run = await tour(t);
  await run.endsWith(0);
  console.log(run.output);
});
