// The same flow over PAPI: register a subtree, write into it, and read with a proof from a finalised header down.

import { Keyring } from "@polkadot/api";
import { u8aToHex } from "@polkadot/util";
import { cryptoWaitReady } from "@polkadot/util-crypto";
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Binary, createClient, Enum } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";
import { WebSocket } from "ws";
import {
  CALL_UPDATES,
  checkProof,
  createCall,
  FINALIZED_HEADS,
  finalizedRoot,
  pathToId,
  poaMode,
  provenField,
  readProven,
  readRemote,
  request,
  signCall,
  submit,
  subscribe,
  SUBTREE_CHANGES,
  SUBTREE_HEADS,
} from "../src/index.js";
import { nodeProgram, startNode } from "../test-support/dev-node.mjs";

const program = nodeProgram();
const skip = program === null && "there is no node: run make build, or set DSTP_NODE to the program";

const GEO = pathToId("/geo");

await cryptoWaitReady();
const alice = new Keyring({ type: "sr25519" }).addFromUri("//Alice");
const signer = getPolkadotSigner(alice.publicKey, "Sr25519", (bytes) => alice.sign(bytes));

describe("a real node over PAPI", { skip, timeout: 300_000 }, () => {
  let node;
  let client;
  let epoch;

  before(async () => {
    node = await startNode(program, ["--seal=interval=500", "--serve=/geo"]);
    client = createClient(getWsProvider(node.ws, { websocketClass: WebSocket }));
  });

  after(async () => {
    client?.destroy();
    await node?.stop();
  });

  /** Resolves when `condition()` holds; asks at every finalised block. */
  async function atSomeBlock(condition) {
    let end;
    await new Promise((resolve, reject) => {
      end = subscribe(client, FINALIZED_HEADS, [], (error) => {
        if (error) return reject(error);
        condition().then((holds) => holds && resolve(), reject);
      });
    });
    await (await end)();
  }

  test("registers a subtree with the types of the metadata", async () => {
    await request(client, "author_insertKey", ["dsub", "//Alice", u8aToHex(alice.publicKey)]);
    const { tx, query } = client.getUnsafeApi();
    const { id, params } = poaMode([alice.publicKey]);
    const register = tx.SubtreeSecurity.register({
      parent: pathToId("/"),
      key: Binary.fromText("geo"),
      mode: Enum("Native", id),
      params: Binary.fromHex(params),
      object_type: Enum("Plain"),
      flags: 0,
    });
    const { ok, dispatchError } = await register.signAndSubmit(signer);
    assert.ok(ok, JSON.stringify(dispatchError));
    const stored = await query.SubtreeSecurity.Subtrees.getValue(GEO);
    assert.deepEqual([stored.owner, stored.status.type], [alice.address, "Initial"]);
    epoch = stored.head.epoch;
    await atSomeBlock(() => request(client, "subtree_status", [GEO]).then(() => true, () => false));
  });

  test("takes calls and proves them from a finalised header down", async () => {
    const genesis = await request(client, "chain_getBlockHash", [0]);
    const { number } = await client.getFinalizedBlock();
    const calls = [
      createCall.create("/", "DE"),
      createCall.setFields("/DE", { "Frankfurt/Oder": "52.34,14.55", Berlin: "52.52,13.40" }),
    ];
    let nonce = await request(client, "subtree_nextNonce", [GEO, alice.address]);
    for (const call of calls) {
      const context = { genesis, subtree: GEO, epoch, nonce: nonce++, validUntil: number + 1000, call };
      const receipt = await submit(client, (await signCall({ signer, type: "sr25519" }, context)).hex);
      assert.equal(receipt.status, "applied");
    }
    await atSomeBlock(async () => {
      const head = await request(client, "subtree_head", [GEO, await request(client, "chain_getFinalizedHead")]);
      const { localSeq, openCalls } = await request(client, "subtree_status", [GEO]);
      return openCalls === 0 && head.location.seq === localSeq;
    });
    const query = { path: "/geo/DE", fields: ["Atlantis", "Frankfurt/Oder"], page: { kind: "fields" } };
    const { proven, block } = await readRemote(client, query);
    assert.equal(provenField(proven, "Frankfurt/Oder").text, "52.34,14.55");
    assert.equal(provenField(proven, "Atlantis"), null);
    assert.deepEqual(proven.object.page.entries.map(({ key }) => key.text), ["Berlin", "Frankfurt/Oder"]);
    assert.ok(proven.object.page.complete);
    assert.deepEqual([proven.heads[0].object, proven.heads[0].location.status], [GEO, "final"]);
    assert.ok(block.number > number);
  });

  test("tells of a change, and the new value is proven under a new root", async () => {
    const query = { path: "/geo/DE", fields: ["Berlin"] };
    const before = await readRemote(client, query);
    assert.equal(provenField(before.proven, "Berlin").text, "52.52,13.40");

    const changes = [];
    const stopChanges = await subscribe(client, SUBTREE_CHANGES, [pathToId("/geo/DE"), "0x"], (error, update) => {
      changes.push(error ?? update);
    });
    const call = createCall.setFields("/DE", { Berlin: "52.53,13.41" });
    const { number } = await client.getFinalizedBlock();
    const signed = await signCall({ signer, type: "sr25519" }, {
      genesis: await request(client, "chain_getBlockHash", [0]),
      subtree: GEO,
      epoch,
      nonce: await request(client, "subtree_nextNonce", [GEO, alice.address]),
      validUntil: number + 1000,
      call,
    });
    const events = [];
    let stopCall;
    await new Promise((resolve, reject) => {
      stopCall = subscribe(client, CALL_UPDATES, [signed.hex], (error, update) => {
        if (error) return reject(error);
        events.push(update.event);
        if (update.event === "finalised") resolve();
        if (update.event === "ended") reject(new Error(update.reason));
      });
      stopCall.catch(reject);
    });
    await (await stopCall)();
    assert.deepEqual(events.filter((event) => event !== "reverted"), ["executed", "batched", "committed", "finalised"]);
    await stopChanges();
    assert.equal(changes[0].event, "everything");
    const { objects } = changes.find(({ event }) => event === "changed");
    const utf8 = (hex) => Buffer.from(hex.slice(2), "hex").toString();
    assert.deepEqual(objects[0].fields.map(({ key, value }) => [utf8(key), utf8(value)]), [["Berlin", "52.53,13.41"]]);

    const after = await readRemote(client, query);
    assert.equal(provenField(after.proven, "Berlin").text, "52.53,13.41");
    assert.notEqual(after.block.globalRoot, before.block.globalRoot);
    // Nothing of the new state holds under the old root.
    const { proof } = await request(client, "subtree_proof", [{ object: "/geo/DE", fields: [] }]);
    assert.throws(() => checkProof(proof, { root: before.block.globalRoot }), { name: "DstpError" });
  });

  test("follows heads of the copy", async () => {
    let stopHeads;
    const head = await new Promise((resolve, reject) => {
      stopHeads = subscribe(client, SUBTREE_HEADS, [GEO], (error, update) => (error ? reject(error) : resolve(update)));
      stopHeads.catch(reject);
    });
    await (await stopHeads)();
    const { localSeq, localRoot } = await request(client, "subtree_status", [GEO]);
    assert.deepEqual([head.event, head.seq, head.stateRoot], ["head", localSeq, localRoot]);
  });

  test("proves what the hub hosts", async () => {
    const { hash, globalRoot } = await finalizedRoot(client);
    const proven = await readProven(client, { path: "/", children: ["geo", "moon"] }, { root: globalRoot, at: hash });
    assert.deepEqual(proven.absences.children.map((key) => key.text), ["moon"]);
  });

  test("passes refusals on", async () => {
    await assert.rejects(submit(client, "0x00"), /not a SCALE-encoded signed call/);
    await assert.rejects(request(client, "subtree_status", [pathToId("/moon")]), /holds no copy/);
  });
});
