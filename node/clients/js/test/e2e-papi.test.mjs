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
