// What can be said of the scripts without a build and without a node.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";
import { nodeStatus } from "../lib/rpc.mjs";
import { Checkout } from "./checkout.mjs";

const ROOT = new URL("../../", import.meta.url);
const read = (path) => readFile(new URL(path, ROOT), "utf8");
const readJson = async (path) => JSON.parse(await read(path));

// --- benchmarks

const MARKERS = "<!-- bench: written by scripts/bench.sh --readme -->\n<!-- /bench -->\n";

/** A checkout in which the benchmarks are measured at once: one row, named after the arguments. */
async function benchCheckout(t) {
  const checkout = await Checkout.create(t);
  await checkout.program("bin/cargo", "exit 0");
  await checkout.program("bin/git", '[[ $1 != rev-parse ]] || echo abc1234');
  await checkout.program(
    "target/debug/dstp-bench",
    `args="$*"
    while [[ $1 != --out ]]; do shift; done
    echo "[{\\"name\\":\\"\${args##*--out}\\",\\"ours\\":1,\\"peer\\":null,\\"ratio\\":null,\\"target\\":null,\\"unit\\":\\"s\\"}]" >"$2"`,
  );
  await checkout.write("README.md", MARKERS);
  return checkout;
}

async function bench(checkout, ...args) {
  const run = checkout.start("scripts/bench.sh", ...args);
  assert.equal(await run.ended, 0, run.output);
}

for (const args of [["--quick"], ["--only", "calls"], ["--only=calls"], ["--quick", "--only", "hub"]]) {
  test(`bench ${args.join(" ")} leaves the figures of a whole run alone`, async (t) => {
    const checkout = await benchCheckout(t);
    await bench(checkout);
    const whole = await readFile(checkout.path("target/bench.json"), "utf8");
    await bench(checkout, ...args);
    assert.equal(await readFile(checkout.path("target/bench.json"), "utf8"), whole);
    const part = await readFile(checkout.path("target/bench-part.json"), "utf8");
    assert.ok(part.includes(args.join(" ")), part);
  });
}

test("the table of the benchmarks says where its figures come from", async (t) => {
  const checkout = await benchCheckout(t);
  await bench(checkout);
  await bench(checkout, "--readme");
  const readme = await readFile(checkout.path("README.md"), "utf8");
  assert.match(readme, /Measured at commit abc1234 on \d+ processors? \(.+\)\.\n\n\| What \|/);
});

test("the table of the benchmarks is not made from a part of them", async (t) => {
  const checkout = await benchCheckout(t);
  await bench(checkout, "--quick");
  const run = checkout.start("scripts/bench.sh", "--readme");
  assert.equal(await run.ended, 1);
  assert.match(run.output, /make bench/);
});

// --- zombienet

/** A checkout in which zombienet says that it is up and goes on until it is ended. */
async function zombienetCheckout(t) {
  const checkout = await Checkout.create(t);
  await checkout.program("target/debug/dstp-node", "exit 0");
  await checkout.program("zombienet/node_modules/.bin/zombienet", "echo the stand-in is up; exec sleep 60");
  await checkout.write("zombienet/local.toml", "");
  await checkout.write("zombienet/local.zndsl", "");
  return checkout;
}

for (const [verb, signal, status, kept] of [
  ["spawn", "SIGINT", 0, 0],
  ["spawn", "SIGTERM", 143, 1],
  ["test", "SIGINT", 130, 1],
]) {
  test(`zombienet.sh ${verb} ends with ${status} at ${signal}, its folder is ${kept ? "kept" : "removed"}`, async (t) => {
    const checkout = await zombienetCheckout(t);
    const run = checkout.start("scripts/zombienet.sh", verb, "local");
    await run.said("the stand-in is up");
    run.signal(signal);
    assert.equal(await run.ended, status, run.output);
    assert.equal((await readdir(checkout.path("temporary"))).length, kept, run.output);
    assert.equal(run.output.includes("logs are in"), kept === 1, run.output);
  });
}

// --- free disk space

for (const [free, warned] of [
  [1, true],
  [900, false],
]) {
  test(`with ${free} GB free before the first build there is ${warned ? "a" : "no"} warning`, async (t) => {
    const checkout = await Checkout.create(t);
    await checkout.program("bin/df", `printf ' Avail\\n%5sG\\n' ${free}`);
    const run = checkout.start("scripts/disk.sh");
    assert.equal(await run.ended, 0, run.output);
    assert.match(run.output, new RegExp(`${free} GB`));
    assert.equal(run.output.includes("warning"), warned, run.output);
    await checkout.write("target/debug/deps/libdstp.rlib", "");
    const later = checkout.start("scripts/disk.sh");
    assert.equal(await later.ended, 0, later.output);
    assert.equal(later.output, "", "nothing is said once something is built");
  });
}

// --- versions

test("setup asks for the Node.js that the packages ask for", async () => {
  const [, least] = /MIN_NODE=([\d.]+)/.exec(await read("scripts/setup.sh"));
  for (const folder of ["zombienet", "node/clients/js"]) {
    const { engines } = await readJson(`${folder}/package.json`);
    const { packages } = await readJson(`${folder}/package-lock.json`);
    assert.equal(engines.node, `>=${least}`, folder);
    assert.deepEqual(packages[""].engines, engines, `${folder}: run npm install --package-lock-only`);
  }
});

/** Name and exact version of each dependency that a manifest pins with `=`. */
const pins = (manifest) =>
  [...manifest.matchAll(/^([\w-]+) = (?:"=|\{ version = "=)([^"]+)"/gm)].map(([, name, version]) => ({ name, version }));

/** Versions of each package that a lock file names. */
function locked(lock) {
  const versions = new Map();
  for (const [, name, version] of lock.matchAll(/^name = "(.+)"\nversion = "(.+)"$/gm)) {
    versions.set(name, [...(versions.get(name) ?? []), version]);
  }
  return versions;
}

// Cargo itself would have to download the crates of these workspaces to tell.
for (const folder of ["benches/weights", "benches/peers/nomt"]) {
  test(`${folder} locks the versions that it and the main workspace pin`, async () => {
    const versions = locked(await read(`${folder}/Cargo.lock`));
    const own = pins(await read(`${folder}/Cargo.toml`));
    for (const { name } of own) assert.ok(versions.has(name), `${name} is missing; run cargo update --workspace there`);
    for (const { name, version } of [...own, ...pins(await read("Cargo.toml"))]) {
      const found = versions.get(name) ?? [version];
      assert.ok(found.includes(version), `${name} is locked at ${found}, but pinned at ${version}`);
    }
  });
}

// --- nodes

test("a node that takes a question and never answers is named", async (t) => {
  const server = createServer(() => {});
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const node = { name: "bob", ws: `ws://127.0.0.1:${server.address().port}` };
  const never = new AbortController().signal;
  await assert.rejects(nodeStatus(node, never, 50), /the node bob does not answer: nothing came within 0.05 s/);
});

test("a node that is gone is named", async () => {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  const never = new AbortController().signal;
  await assert.rejects(nodeStatus({ name: "bob", ws: `ws://127.0.0.1:${port}` }, never), /the node bob does not answer: .*ECONNREFUSED/);
});
