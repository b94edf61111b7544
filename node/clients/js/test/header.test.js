// Headers: as polkadot.js encodes and hashes them.

import { TypeRegistry } from "@polkadot/types";
import assert from "node:assert/strict";
import { test } from "node:test";
import { DstpError, globalRootFromHeader, readHeader } from "../src/index.js";

const registry = new TypeRegistry();
const ROOT = `0x${"5a".repeat(32)}`;
const dstp = (payload) => ({ Consensus: ["DSTP", payload] });
const globalRoot = dstp(`0x01${ROOT.slice(2)}`);
const others = [{ PreRuntime: ["aura", "0x0102"] }, { Consensus: ["FRNK", "0x03"] }, { Seal: ["aura", `0x${"07".repeat(64)}`] }];

function header(number, logs) {
  const [parentHash, stateRoot, extrinsicsRoot] = ["11", "22", "33"].map((byte) => `0x${byte.repeat(32)}`);
  return registry.createType("Header", { parentHash, number, stateRoot, extrinsicsRoot, digest: { logs } });
}

/** As the node writes it: the number as hex without leading zeros, each log as its SCALE bytes. */
function nodeJson(block) {
  const logs = block.digest.logs.map((log) => log.toHex());
  return { ...block.toJSON(), number: `0x${block.number.toNumber().toString(16)}`, digest: { logs } };
}

test("hash, number and global root are those of polkadot.js, in every form of a header", () => {
  for (const number of [1, 63, 64, 16_384, 2 ** 30, 2 ** 32 - 1]) {
    const block = header(number, [others[0], globalRoot, others[1], others[2]]);
    const json = nodeJson(block);
    for (const form of [block, block.toHex(), block.toU8a(), json]) {
      const facts = readHeader(form);
      assert.equal(facts.hash, block.hash.toHex());
      assert.equal(facts.number, number);
      assert.equal(facts.parentHash, block.parentHash.toHex());
      assert.equal(globalRootFromHeader(form, block.hash), ROOT);
    }
  }
});

test("a header is tied to the hash that the caller trusts", () => {
  const trusted = header(5, [globalRoot]);
  const forged = header(5, [dstp(`0x01${"66".repeat(32)}`)]);
  assert.throws(() => globalRootFromHeader(forged, trusted.hash.toHex()), /has the hash 0x/);
  assert.equal(globalRootFromHeader(trusted.toHex(), trusted.hash.toHex().toUpperCase().replace("0X", "0x")), ROOT);
});

test("a header without exactly one well-formed global root gives none", () => {
  assert.equal(readHeader(header(0, others)).globalRoot, null);
  assert.throws(() => globalRootFromHeader(header(0, others)), /block 0 carries no global root/);
  assert.throws(() => readHeader(header(1, [globalRoot, globalRoot])), /more than one/);
  assert.throws(() => readHeader(header(1, [dstp("0x02")])), /version 1/);
});

test("what is no header is refused", () => {
  const good = header(1, [globalRoot]);
  for (const bad of ["0x", `${good.toHex()}00`, good.toHex().slice(0, -2), {}, { ...nodeJson(good), number: "1" }, "header"]) {
    assert.throws(() => readHeader(bad), DstpError);
  }
});
