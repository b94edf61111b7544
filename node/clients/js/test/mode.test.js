// Parameters of security modes, against their SCALE by polkadot.js.

import { TypeRegistry } from "@polkadot/types";
import assert from "node:assert/strict";
import { test } from "node:test";
import { poaMode } from "../src/index.js";

const registry = new TypeRegistry();
registry.register({
  AuthoritySet: { keys: "Vec<[u8; 32]>", threshold: "u8" },
  PoaParams: { authorities: "AuthoritySet", minIntervalBlocks: "u32", maxSilenceBlocks: "Option<u32>" },
});
const keys = Array.from({ length: 16 }, (_, at) => new Uint8Array(32).fill(at + 1));

test("parameters of PoA are SCALE", () => {
  for (const [authorities, options] of [
    [keys.slice(0, 1), {}],
    [keys, { threshold: 11, minIntervalBlocks: 300, maxSilenceBlocks: 0xffff_ffff }],
  ]) {
    const { id, params } = poaMode(authorities, options);
    const { threshold = 1, minIntervalBlocks = 0, maxSilenceBlocks = null } = options;
    const fields = { authorities: { keys: authorities, threshold }, minIntervalBlocks, maxSilenceBlocks };
    assert.deepEqual([id, params], [1, registry.createType("PoaParams", fields).toHex()]);
  }
});

test("sets that the hub would refuse are not made", () => {
  assert.throws(() => poaMode([]), /1 to 16/);
  assert.throws(() => poaMode([...keys, keys[0]]), /1 to 16/);
  assert.throws(() => poaMode([new Uint8Array(33)]), /32 bytes/);
  for (const threshold of [0, 3, 1.5]) assert.throws(() => poaMode(keys.slice(0, 2), { threshold }), /threshold/);
  assert.throws(() => poaMode(keys, { minIntervalBlocks: -1 }), /number of blocks/);
});
