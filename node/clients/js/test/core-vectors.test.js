// The vectors that pin the formats of dstp-primitives, through the Wasm module.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fromHex } from "../src/bytes.js";
import { checkProof, formatPath, pathToId } from "../src/index.js";
import { ask } from "../src/wasm.js";

const FOLDER = new URL("../../../../primitives/core/vectors/", import.meta.url);
const vectors = async (name) => JSON.parse(await readFile(new URL(`${name}.json`, FOLDER), "utf8"));

test("ids and paths", async () => {
  const { children, root } = await vectors("ids");
  assert.equal(pathToId("/"), root);
  for (const { key, path, child_of_root: child, grandchild } of children) {
    const bytes = fromHex(key);
    assert.equal(pathToId([bytes]), child);
    assert.equal(pathToId(path), grandchild);
    assert.equal(pathToId([bytes], child), grandchild);
    assert.equal(formatPath([bytes, bytes]), path);
  }
});

test("signed calls and their ids", async () => {
  const { calls } = await vectors("calls");
  const tag = Buffer.from("dstp/call/v1").toString("hex");
  const signature = `0x${"09".repeat(64)}`;
  for (const { id, signed_with_sr25519_09: call, signing_bytes: signingBytes } of calls) {
    assert.ok(signingBytes.startsWith(`0x${tag}`));
    const payload = `0x${signingBytes.slice(2 + tag.length)}`;
    assert.deepEqual(ask("signed_call", { payload, kind: "sr25519", signature }), { call, id });
  }
});

test("proofs hold under the global root and under no other", async () => {
  const { global_root: root, proofs } = await vectors("proofs");
  assert.ok(proofs.length > 0);
  for (const { path, proof } of proofs) {
    assert.equal(checkProof(proof, { root, path }).path, path);
    assert.throws(() => checkProof(proof, { root: `0x${"00".repeat(32)}` }), { name: "DstpError" });
  }
});
