// Calls signed with the keys of both libraries. Rust accepts what stands in vectors/signed.json (node/clients/wasm/tests);
// `UPDATE_VECTORS=1 node --test test/signed.test.js` makes it anew after a change of format.

import { Keyring } from "@polkadot/api";
import { u8aToHex } from "@polkadot/util";
import { cryptoWaitReady, signatureVerify } from "@polkadot/util-crypto";
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { getPolkadotSigner } from "polkadot-api/signer";
import { createCall, pathToId, signCall } from "../src/index.js";

const FILE = new URL("vectors/signed.json", import.meta.url);
const TYPES = ["sr25519", "ed25519", "ecdsa"];

await cryptoWaitReady();
const pair = (type) => new Keyring({ type }).addFromUri("//Alice");

const payload = {
  genesis: new Uint8Array(32).fill(1),
  subtree: pathToId("/geo"),
  epoch: 2n ** 63n,
  nonce: 4,
  validUntil: 100,
  call: createCall.setFields("/DE/BE", { Berlin: "52.5,13.4" }),
};

const PAPI_KINDS = { sr25519: "Sr25519", ed25519: "Ed25519", ecdsa: "Ecdsa" };

/** PAPI signs raw bytes in the <Bytes> wrapping. */
function papiSigner(type) {
  const { addressRaw, publicKey, sign } = pair(type);
  return { signer: getPolkadotSigner(publicKey, PAPI_KINDS[type], (data) => sign(data)), type, account: addressRaw };
}

test("pairs of every kind sign the signing bytes", async () => {
  for (const type of TYPES) {
    const signed = await signCall(pair(type), payload);
    const raw = signed.hex.slice(-2 * (type === "ecdsa" ? 65 : 64));
    assert.ok(signatureVerify(signed.signingBytes, `0x${raw}`, pair(type).address).isValid, type);
  }
});

test("a signer of PAPI and an extension sign the same call", async () => {
  const { id } = await signCall(pair("sr25519"), payload);
  assert.equal((await signCall(papiSigner("sr25519"), payload)).id, id);
  const { address, addressRaw, sign } = pair("sr25519");
  const extension = {
    async signRaw({ address: asked, data, type }) {
      assert.deepEqual([asked, type], [address, "bytes"]);
      return { id: 1, signature: u8aToHex(sign(data, { withType: true })) };
    },
  };
  const signed = await signCall({ signer: extension, address, account: addressRaw, type: "sr25519" }, payload);
  assert.equal(signed.id, id);
  const raw = signed.hex.slice(-128);
  assert.ok(signatureVerify(signed.signingBytes, `0x${raw}`, address).isValid);
});

test("signers that cannot sign calls are refused", async () => {
  await assert.rejects(signCall({ ...pair("sr25519"), type: "ethereum" }, payload), /keys of kind ethereum/);
  await assert.rejects(signCall({ type: "sr25519" }, payload), /a signer is a polkadot.js pair/);
  await assert.rejects(signCall({ signer: { signRaw() {} } }, payload), /needs address and account/);
  const short = { ...pair("sr25519"), type: "sr25519", addressRaw: pair("sr25519").addressRaw, sign: () => new Uint8Array(63) };
  await assert.rejects(signCall(short, payload), /64 bytes, not 63/);
});

test("the calls that Rust checks are of these signers", async () => {
  if (process.env.UPDATE_VECTORS) {
    const signed = [];
    for (const type of TYPES) {
      signed.push({ type, signer: "polkadot.js", call: (await signCall(pair(type), payload)).hex });
      signed.push({ type, signer: "PAPI", call: (await signCall(papiSigner(type), payload)).hex });
    }
    await writeFile(FILE, JSON.stringify(signed, null, 2) + "\n");
  }
  for (const { type, call } of JSON.parse(await readFile(FILE, "utf8"))) {
    const now = (await signCall(pair(type), payload)).hex;
    const signature = 2 * (type === "ecdsa" ? 66 : 65);
    assert.equal(call.slice(0, -signature), now.slice(0, -signature), "only the signature differs");
  }
});
