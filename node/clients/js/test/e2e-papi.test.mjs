// What the tour does, over PAPI and with fewer places: two validators, one of which serves /geo, and a follower that starts with
// nothing. What the follower answers is checked here, against the root in a header that the other validator has finalised.

import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import { u8aToHex } from "@polkadot/util";
import { cryptoWaitReady } from "@polkadot/util-crypto";
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Binary, createClient, Enum } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";
import { WebSocket } from "ws";
import { placeCalls } from "../../../../scripts/lib/places.mjs";
import {
  CALL_UPDATES,
  checkProof,
  createCall,
  definitions,
  FINALIZED_HEADS,
  finalizedRoot,
  pathToId,
  poaMode,
  provenField,
  readProven,
  readRemote,
  request,
  rootOf,
  signCall,
  submit,
  subscribe,
  SUBTREE_CHANGES,
  SUBTREE_HEADS,
} from "../src/index.js";
import { nodeProgram, p2pAddress, startNode } from "../test-support/node.mjs";
import { somePlaces } from "../test-support/places.mjs";

const program = nodeProgram();
const skip = program === null && "there is no node: run make build, or set DSTP_NODE to the program";

/** The longest step takes a few blocks of three seconds; with both cores taken it may be many more. */
const STEP_MS = 120_000;

const NEW_HEADS = {
  subscribe: "chain_subscribeNewHeads",
  unsubscribe: "chain_unsubscribeNewHeads",
  notification: "chain_newHead",
};
const GEO = pathToId("/geo");
const BERLIN = { path: "/geo/DE/BE", fields: ["Berlin"] };
const asHex = (text) => u8aToHex(Buffer.from(text));
const utf8 = (hex) => Buffer.from(hex.slice(2), "hex").toString();

await cryptoWaitReady();
const keyring = new Keyring({ type: "sr25519" });
// As in the tour, Charlie's key signs heads and pays for commits; Dave owns /geo and signs the calls.
const charlie = keyring.addFromUri("//Charlie");
const dave = keyring.addFromUri("//Dave");
const signer = getPolkadotSigner(dave.publicKey, "Sr25519", (bytes) => dave.sign(bytes));

/** Submits a transaction and resolves with what came of it when a block holds it, which need not be final. */
function inBestBlock(transaction) {
  return new Promise((resolve, reject) => {
    transaction.signSubmitAndWatch(signer).subscribe({ next: (event) => event.found && resolve(event), error: reject });
  });
}

/** The updates of a subscription, which ends when they are no longer asked for. */
function updates(client, names, params) {
  let end;
  let open = true;
  return new ReadableStream({
    start(controller) {
      const fail = (error) => open && controller.error(error);
      end = subscribe(client, names, params, (error, update) => {
        if (error) fail(error);
        else if (open) controller.enqueue(update);
      });
      end.catch(fail);
    },
    async cancel() {
      open = false;
      await (await end)();
    },
  });
}

describe("a network over PAPI", { skip }, () => {
  const places = somePlaces();
  const nodes = [];
  const clients = [];
  /** Clients: of a validator that serves /geo, of one that holds no copy and is trusted, and of the follower. */
  let serving, trusted, follower;
  let bootnode;
  let epoch;
  let broken = false;
  let died;
  const death = new Promise((_, reject) => (died = reject));

  after(async () => {
    if (broken) for (const node of nodes) console.error(node.log());
    for (const client of clients) client.destroy();
    await Promise.all(nodes.map((node) => node.stop()));
  });

  /** A test that stands on those before it. It ends at once when a node does. */
  function step(name, run) {
    test(name, { timeout: STEP_MS }, async (context) => {
      if (broken) return context.skip("an earlier step failed");
      broken = true;
      await Promise.race([run(), death]);
      broken = context.signal.aborted;
    });
  }

  async function start(...args) {
    const node = await startNode(program, ["--chain=local", ...args]);
    nodes.push(node);
    node.death.catch(died);
    const client = createClient(getWsProvider(node.ws, { websocketClass: WebSocket }));
    clients.push(client);
    return client;
  }

  /** Resolves with what `found` gives unless that is `undefined`; asks at every block that becomes final, or at every new one. */
  async function atSomeBlock(client, found, blocks = FINALIZED_HEADS) {
    for await (const _ of updates(client, blocks, [])) {
      const value = await found();
      if (value !== undefined) return value;
    }
  }

  /** Status of the copy, or `undefined` until the node has heard of /geo. */
  const statusOf = (client) =>
    request(client, "subtree_status", [GEO]).catch((error) => {
      if (!/not registered/.test(error.message)) throw error;
    });

  /** Signs calls for /geo, the first one with the next nonce. */
  async function signAll(calls) {
    const genesis = await request(serving, "chain_getBlockHash", [0]);
    const { number } = await trusted.getFinalizedBlock();
    const nonce = await request(serving, "subtree_nextNonce", [GEO, dave.address]);
    const context = { genesis, subtree: GEO, epoch, validUntil: number + 1000 };
    const sign = (call, i) => signCall({ signer, type: "sr25519" }, { ...context, nonce: nonce + i, call });
    return Promise.all(calls.map(sign));
  }

  step("two validators start, and one of them has the key for heads", async () => {
    serving = await start("--alice", "--serve=/geo");
    bootnode = `--bootnodes=${await p2pAddress(serving)}`;
    trusted = await start("--bob", bootnode);
    await request(serving, "author_insertKey", ["dsub", "//Charlie", u8aToHex(charlie.publicKey)]);
  });

  step("a subtree is registered with the types of the metadata", async () => {
    const { tx, query } = trusted.getUnsafeApi();
    const { id, params } = poaMode([charlie.publicKey]);
    const register = tx.SubtreeSecurity.register({
      parent: pathToId("/"),
      key: Binary.fromText("geo"),
      mode: Enum("Native", id),
      params: Binary.fromHex(params),
      object_type: Enum("Plain"),
      flags: 0,
    });
    const { ok, dispatchError } = await inBestBlock(register);
    assert.ok(ok, JSON.stringify(dispatchError));
    const stored = await query.SubtreeSecurity.Subtrees.getValue(GEO, { at: "best" });
    assert.deepEqual([stored.owner, stored.status.type], [dave.address, "Initial"]);
    epoch = stored.head.epoch;
  });

  step("the node that serves it takes signed calls, and the hub finalises their last head", async () => {
    await atSomeBlock(serving, () => statusOf(serving), NEW_HEADS);
    const calls = [...placeCalls(places, createCall)].map(({ call }) => call);
    for (const { hex, id } of await signAll(calls)) {
      const { status, callId } = await submit(serving, hex);
      assert.deepEqual([status, callId], ["applied", id]);
    }
    await atSomeBlock(trusted, async () => {
      const { openCalls, localSeq, localRoot } = await statusOf(serving);
      const head = await request(trusted, "subtree_head", [GEO, await request(trusted, "chain_getFinalizedHead")]);
      if (openCalls > 0 || !head || head.location.seq < localSeq) return undefined;
      assert.equal(head.stateRoot, localRoot);
      return true;
    });
  });

  step("a follower copies everything from nothing", async () => {
    const { localSeq, localRoot } = await statusOf(serving);
    follower = await start("--name=follower", "--follow=/geo", bootnode);
    const copy = await atSomeBlock(follower, async () => {
      const status = await statusOf(follower);
      return status?.synced && status.localSeq >= localSeq ? status : undefined;
    });
    assert.deepEqual([copy.role, copy.localSeq, copy.localRoot], ["follow", localSeq, localRoot]);
    assert.equal(copy.sync.invalid, 0);
  });

  step("its answers are proven from the trusted header down, absence too", async () => {
    const reads = async (path, city) => {
      const { proven, block } = await readRemote(follower, { path, fields: ["Atlantis", city] }, trusted);
      const [, , country, state] = path.split("/");
      assert.equal(provenField(proven, city).text, places.get(country).get(state).get(city));
      assert.equal(provenField(proven, "Atlantis"), null);
      assert.deepEqual(proven.heads.map(({ object, location }) => [object, location.status]), [[GEO, "final"]]);
      assert.equal(block.globalRoot, await rootOf(trusted, block.hash));
    };
    await reads("/geo/DE/BE", "Berlin");
    await reads("/geo/AU/SA", "Orroroo/Carrieton");
  });

  step("it lists a state's cities with proofs that none is missing", async () => {
    const found = [];
    for (let cursor; ;) {
      const page = { kind: "fields", cursor, limit: 200 };
      const { proven } = await readRemote(follower, { path: "/geo/AU/SA", page }, trusted);
      const { entries, next, complete } = proven.object.page;
      found.push(...entries.map(({ key, value }) => [key.text, value.text]));
      if (complete) break;
      cursor = next.text;
    }
    const bytes = ([key]) => Buffer.from(key);
    const cities = [...places.get("AU").get("SA")].sort((one, other) => Buffer.compare(bytes(one), bytes(other)));
    assert.deepEqual(found, cities);
  });

  step("its subscription tells of a change, and the new value has a new proof", async () => {
    const before = await readRemote(follower, BERLIN, trusted);
    const old = await request(follower, "subtree_proof", [{ object: BERLIN.path, fields: [asHex("Berlin")] }]);
    const [signed] = await signAll([createCall.setFields("/DE/BE", { Berlin: "52.53,13.41", Zossen: "52.22,13.45" })]);

    // Only fields whose keys start with B, so not Zossen.
    const changes = updates(follower, SUBTREE_CHANGES, [pathToId(BERLIN.path), asHex("B")]).values();
    assert.equal((await changes.next()).value.event, "everything");
    // Those between come again where the hub drops a block.
    const events = new Set();
    for await (const { event, reason } of updates(serving, CALL_UPDATES, [signed.hex])) {
      events.add(event);
      if (event === "finalised") break;
      assert.notEqual(event, "ended", reason);
    }
    events.delete("reverted");
    assert.deepEqual([...events], ["executed", "batched", "committed", "finalised"]);
    const { event, objects } = (await changes.next()).value;
    await changes.return();
    const written = objects.map(({ path, fields }) => [path, fields.map(({ key, value }) => [utf8(key), utf8(value)])]);
    assert.deepEqual([event, written], ["changed", [["/DE/BE", [["Berlin", "52.53,13.41"]]]]]);

    const after = await readRemote(follower, BERLIN, trusted);
    assert.equal(provenField(before.proven, "Berlin").text, places.get("DE").get("BE").get("Berlin"));
    assert.equal(provenField(after.proven, "Berlin").text, "52.53,13.41");
    assert.notEqual(after.block.globalRoot, before.block.globalRoot);
    // The old proof does not hold under the new root.
    assert.throws(() => checkProof(old.proof, { root: after.block.globalRoot }), { name: "DstpError" });
  });

  step("it tells of its heads", async () => {
    const { localSeq, localRoot } = await statusOf(follower);
    const heads = updates(follower, SUBTREE_HEADS, [GEO]).values();
    const head = (await heads.next()).value;
    await heads.return();
    assert.deepEqual([head.event, head.seq, head.stateRoot, head.status], ["head", localSeq, localRoot, "finalised"]);
  });

  step("polkadot.js reads the same", async () => {
    // Of the second validator and of the follower, which started last.
    const apis = nodes.slice(1).map(({ ws }) => new ApiPromise({ provider: new WsProvider(ws), noInitWarn: true, ...definitions }));
    try {
      const [validator, copy] = await Promise.all(apis.map((api) => api.isReadyOrError));
      const { proven } = await readRemote(copy, BERLIN, validator);
      assert.equal(provenField(proven, "Berlin").text, "52.53,13.41");
    } finally {
      await Promise.all(apis.map((api) => api.disconnect()));
    }
  });

  step("what the hub hosts is proven too", async () => {
    const { hash, globalRoot } = await finalizedRoot(trusted);
    const proven = await readProven(serving, { path: "/", children: ["geo", "moon"] }, { root: globalRoot, at: hash });
    assert.deepEqual(proven.absences.children.map((key) => key.text), ["moon"]);
  });

  step("refusals are passed on", async () => {
    const [signed] = await signAll([createCall.create("/", "FR")]);
    await assert.rejects(submit(follower, signed.hex), /submit the call to a node that serves it/);
    await assert.rejects(submit(serving, "0x00"), /not a SCALE-encoded signed call/);
    await assert.rejects(request(trusted, "subtree_status", [GEO]), /holds no copy/);
  });
});
