// The client against a real node: what the hub hosts, what a remote subtree holds, and what is refused; over polkadot.js.

import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import { u8aToHex } from "@polkadot/util";
import { cryptoWaitReady } from "@polkadot/util-crypto";
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  checkProof,
  createCall,
  definitions,
  pathToId,
  poaMode,
  provenField,
  readProven,
  readRemote,
  request,
  rootOf,
  signCall,
  submit,
} from "../src/index.js";
import { nodeProgram, startNode } from "../test-support/node.mjs";

const program = nodeProgram();
const skip = program === null && "there is no node: run make build, or set DSTP_NODE to the program";

const GEO = pathToId("/geo");
const ROOT = pathToId("/");
const PLAIN = { Plain: null };
const text = (hex) => Buffer.from(hex.slice(2), "hex").toString();
const hex = (data) => u8aToHex(new TextEncoder().encode(data));
/** What JSON a method answered with. */
const json = async (answer) => (await answer).toJSON();

await cryptoWaitReady();
const alice = new Keyring({ type: "sr25519" }).addFromUri("//Alice");
const bob = new Keyring({ type: "sr25519" }).addFromUri("//Bob");
const carol = new Keyring({ type: "ecdsa" }).addFromUri("//Carol");

/** Submits a transaction and resolves with the hash of the finalised block if it succeeded. */
function finalised(api, transaction, signer) {
  return new Promise((resolve, reject) => {
    transaction
      .signAndSend(signer, ({ status, dispatchError }) => {
        if (dispatchError?.isModule) {
          const { section, name } = api.registry.findMetaError(dispatchError.asModule);
          reject(new Error(`${section}.${name}`));
        } else if (dispatchError) reject(new Error(dispatchError.toString()));
        else if (status.isFinalized) resolve(status.asFinalized.toHex());
        else if (status.isInvalid || status.isDropped) reject(new Error(status.type));
      })
      .catch(reject);
  });
}

/** Resolves when `condition()` holds; asks at every finalised block. */
async function atSomeBlock(api, condition) {
  let end;
  const held = new Promise((resolve, reject) => {
    end = api.rpc.chain.subscribeFinalizedHeads(() => condition().then((holds) => holds && resolve(), reject));
    end.catch(reject);
  });
  try {
    await held;
  } finally {
    (await end)();
  }
}

describe("a real node over polkadot.js", { skip, timeout: 300_000 }, () => {
  let node;
  let api;

  before(async () => {
    node = await startNode(program, ["--dev", "--seal=interval=500", "--serve=/geo"]);
    api = await ApiPromise.create({ provider: new WsProvider(node.ws), noInitWarn: true, throwOnConnect: true, ...definitions });
  });

  after(async () => {
    await api?.disconnect();
    await node?.stop();
  });

  test("has the methods of the definitions, and no others of these namespaces", async () => {
    const { methods } = await request(api, "rpc_methods");
    const sections = Object.entries(definitions.rpc);
    const names = ([name, { pubsub }]) => (pubsub ? pubsub.slice(1) : [name]);
    const defined = sections.flatMap(([section, all]) => Object.entries(all).flatMap(names).map((name) => `${section}_${name}`));
    assert.deepEqual(methods.filter((name) => /^(dstp|subtree)_/.test(name)).sort(), defined.sort());
  });

  describe("the hub", () => {
    let at;
    let root;
    const park = pathToId("/park");

    before(async () => {
      const { objectTree, utility } = api.tx;
      const calls = [
        objectTree.create(ROOT, "park", PLAIN, 0, 1),
        objectTree.create(park, "oak", { Named: "tree" }, 0, 2),
        objectTree.setFields(park, [["a/b", "1"], ["name", "Tiergarten"], ["trees", "400"]], 1),
      ];
      at = await finalised(api, utility.batchAll(calls), alice);
      root = await rootOf(api, at);
    });

    test("tells the root that stands in the header", async () => {
      const answer = await json(api.rpc.dstp.globalRoot(at));
      assert.equal(answer.globalRoot, root);
      assert.equal(answer.blockHash, at);
    });

    test("resolves paths", async () => {
      const there = { object: park, presence: "hosted", subtree: null, location: { kind: "withParent" } };
      assert.deepEqual(await json(api.rpc.dstp.resolve("/park", at)), there);
      assert.equal((await json(api.rpc.dstp.resolve("/park/elm"))).presence, "absent");
      await assert.rejects(api.rpc.dstp.resolve("park"), /path/);
    });

    test("describes an object", async () => {
      const object = await json(api.rpc.dstp.object(park, at));
      assert.deepEqual(
        [object.owner, object.fields, object.children, object.parent, text(object.key), object.objectType],
        [alice.address, 3, 1, ROOT, "park", null],
      );
      const oak = await json(api.rpc.dstp.object(pathToId("/park/oak")));
      assert.equal(text(oak.objectType), "tree");
      assert.equal(await json(api.rpc.dstp.object(pathToId("/park/elm"))), null);
    });

    test("gives pages of fields and children", async () => {
      const fields = (page) => json(api.rpc.dstp.fields(park, page, at));
      const first = await fields({ limit: 2 });
      assert.deepEqual(first.entries.map(({ key, value }) => [text(key), text(value)]), [["a/b", "1"], ["name", "Tiergarten"]]);
      const second = await fields({ cursor: first.next });
      assert.deepEqual([second.entries.map(({ value }) => text(value)), second.next], [["400"], null]);
      assert.deepEqual((await fields({ prefix: hex("na") })).entries.map(({ key }) => text(key)), ["name"]);
      await assert.rejects(fields({ limit: 0 }), /limit|1 to/);
      await assert.rejects(fields({ page: 1 }), /unknown field/);
      const { entries } = await json(api.rpc.dstp.children(park, null, at));
      assert.deepEqual(entries.map(({ key, object }) => [text(key), object]), [["oak", pathToId("/park/oak")]]);
    });

    test("proves fields, absences and complete pages", async () => {
      const query = { path: "/park", fields: ["elms", "name"], children: ["elm", "oak"], page: { kind: "fields", limit: 10 } };
      const proven = await readProven(api, query, { root, at });
      assert.equal(provenField(proven, "name").text, "Tiergarten");
      assert.equal(provenField(proven, "elms"), null);
      assert.deepEqual(proven.absences.children.map((key) => key.text), ["elm"]);
      assert.deepEqual(proven.object.page.entries.map(({ key }) => key.text), ["a/b", "name", "trees"]);
      assert.ok(proven.object.page.complete);
      const nothing = await readProven(api, { path: "/park/elm/leaf", fields: ["x"] }, { root, at });
      assert.deepEqual([nothing.object, nothing.absentPath], [null, "/park/elm"]);
    });

    test("its proofs cannot be changed, nor held against another root", async () => {
      const query = { object: "/park", fields: [hex("name")] };
      const { proof, globalRoot, nodes } = await json(api.rpc.dstp.proof(query, at));
      assert.equal(globalRoot, root);
      assert.equal(provenField(checkProof(proof, { root, path: "/park" }), "name").text, "Tiergarten");
      const changed = proof.replace(hex("Tiergarten").slice(2), hex("Tiergarden").slice(2));
      assert.notEqual(changed, proof);
      assert.throws(() => checkProof(changed, { root }), { name: "DstpError" });
      assert.throws(() => checkProof(proof, { root: `0x${"11".repeat(32)}` }), { name: "DstpError" });
      assert.throws(() => checkProof(proof, { root, path: "/parc" }), /about \/park/);
      assert.ok(nodes.length > 1);
      // The node says the same of both.
      const verdict = await json(api.rpc.dstp.verifyProof(proof, root));
      assert.equal(verdict.object.fields[0].value.text, "Tiergarten");
      await assert.rejects(api.rpc.dstp.verifyProof(changed, root), /node|proof/);
    });

    test("knows blocks, and says so of those it does not", async () => {
      // Asked past polkadot.js, which refuses such a block by itself.
      await assert.rejects(request(api, "dstp_globalRoot", [`0x${"ab".repeat(32)}`]), /block 0xabab/);
    });
  });

  describe("a remote subtree", () => {
    let epoch;
    let hubNumber;

    const nextNonce = (signer) => json(api.rpc.subtree.nextNonce(GEO, signer.addressRaw));
    const call = (signer, changes) =>
      signCall(signer, { genesis: api.genesisHash, subtree: GEO, epoch, validUntil: hubNumber + 1000, ...changes });
    const send = async (signer, operation) => {
      const { hex, id } = await call(signer, { nonce: await nextNonce(signer), call: operation });
      const receipt = await submit(api, hex);
      assert.equal(receipt.callId, id);
      return receipt;
    };
    const status = () => json(api.rpc.subtree.status(GEO));
    const committed = () => atSomeBlock(api, async () => {
      const { hubSeq, localSeq, openCalls } = await status();
      if (openCalls > 0 || hubSeq < localSeq) return false;
      const head = await json(api.rpc.subtree.head(GEO, (await api.rpc.chain.getFinalizedHead()).toHex()));
      return head.location.seq >= localSeq;
    });

    before(async () => {
      assert.ok((await api.rpc.author.insertKey("dsub", "//Alice", u8aToHex(alice.publicKey))).isEmpty);
      const { id, params } = poaMode([alice.publicKey]);
      const { register } = api.tx.subtreeSecurity;
      await finalised(api, register(ROOT, "geo", { Native: id }, params, PLAIN, 0), alice);
      await finalised(api, api.tx.balances.transferKeepAlive(carol.address, 10n ** 12n), alice);
      const head = await json(api.rpc.subtree.head(GEO));
      assert.deepEqual([head.location.kind, head.location.mode, head.location.seq, head.batchLen], ["remote", "1", 0, 0]);
      epoch = head.location.epoch;
      hubNumber = (await api.rpc.chain.getHeader()).number.toNumber();
      // The node opens the subtree at the block that its worker saw.
      await atSomeBlock(api, () => status().then(() => true, () => false));
    });

    test("resolves from the hub", async () => {
      assert.equal((await json(api.rpc.dstp.resolve("/geo"))).presence, "remote");
      const inside = await json(api.rpc.dstp.resolve("/geo/DE"));
      assert.deepEqual([inside.presence, inside.subtree], ["insideRemote", GEO]);
    });

    test("takes calls of sr25519 and ecdsa keys and its head reaches the hub", async () => {
      assert.equal((await send(alice, createCall.create("/", "DE"))).status, "applied");
      const set = await send(alice, createCall.setFields("/DE", { "Frankfurt/Oder": "52.34,14.55", Berlin: "52.52,13.40" }));
      assert.deepEqual([set.status, set.reason], ["applied", null]);
      // A stranger's call is executed and changes nothing but the nonce.
      const foreign = await send(carol, createCall.setFields("/DE", { Bonn: "0,0" }));
      assert.deepEqual([foreign.status, foreign.postRoot === set.postRoot], ["failed", false]);
      assert.match(foreign.reason, /own/);
      await send(alice, createCall.create("/", "AT"));
      await send(alice, createCall.transfer("/AT", carol.addressRaw));
      assert.equal((await send(carol, createCall.setFields("/AT", { Wien: "48.21,16.37" }))).status, "applied");
      await committed();
      const { role, synced, epoch: known, hubSeq, localSeq, openCalls, pendingCalls, stopped } = await status();
      assert.deepEqual([role, synced, known, openCalls, pendingCalls, stopped], ["serve", true, epoch, 0, 0, null]);
      assert.equal(hubSeq, localSeq);
      const head = await json(api.rpc.subtree.head(GEO));
      assert.deepEqual([head.location.status, head.stateRoot], ["final", (await status()).localRoot]);
    });

    test("is read from the local copy", async () => {
      const object = await json(api.rpc.subtree.object(pathToId("/geo/DE")));
      assert.deepEqual([object.owner, object.fields, object.parent], [alice.address, 2, GEO]);
      const { entries } = await json(api.rpc.subtree.fields(pathToId("/geo/DE"), { prefix: hex("F") }));
      assert.deepEqual(entries.map(({ key, value }) => [text(key), text(value)]), [["Frankfurt/Oder", "52.34,14.55"]]);
      const children = await json(api.rpc.subtree.children(GEO));
      assert.deepEqual(children.entries.map(({ key }) => text(key)), ["AT", "DE"]);
      await assert.rejects(api.rpc.subtree.object(pathToId("/geo/DE"), 9999), /head 9999 is not kept/);
      await assert.rejects(api.rpc.subtree.status(pathToId("/other")), /holds no copy/);
    });

    test("is proven from the root in a finalised header down to a field", async () => {
      const { proven, block } = await readRemote(api, { path: "/geo/DE", fields: ["Atlantis", "Frankfurt/Oder"] });
      assert.equal(provenField(proven, "Frankfurt/Oder").text, "52.34,14.55");
      assert.equal(provenField(proven, "Atlantis"), null);
      assert.deepEqual(proven.heads.map(({ object, location }) => [object, location.status]), [[GEO, "final"]]);
      assert.equal(await rootOf(api, block.hash), block.globalRoot);

      const { page } = (await readRemote(api, { path: "/geo/AT", page: { kind: "fields" } })).proven.object;
      assert.deepEqual(page.entries.map(({ key, value }) => [key.text, value.text]), [["Wien", "48.21,16.37"]]);
      assert.ok(page.complete);

      const answer = await json(api.rpc.subtree.proof({ object: "/geo/DE", fields: [hex("Berlin")] }));
      const root = await rootOf(api, answer.block.blockHash);
      assert.deepEqual([answer.root, answer.from, answer.subtree], [root, ROOT, GEO]);
      const changed = answer.proof.replace(hex("52.52").slice(2), hex("52.53").slice(2));
      assert.notEqual(changed, answer.proof);
      assert.throws(() => checkProof(changed, { root }), { name: "DstpError" });
      assert.throws(() => checkProof(answer.proof, { root: `0x${"11".repeat(32)}` }), { name: "DstpError" });
    });

    test("is proven from a head alone", async () => {
      const { localSeq, localRoot } = await status();
      const answer = await json(api.rpc.subtree.proof({ object: "/geo/DE", fields: [hex("Berlin")] }, localSeq));
      assert.deepEqual([answer.block, answer.from, answer.seq], [null, GEO, localSeq]);
      assert.equal(answer.root, localRoot);
      const proven = checkProof(answer.proof, { root: localRoot, object: GEO, path: "/DE" });
      assert.equal(provenField(proven, "Berlin").text, "52.52,13.40");
    });

    test("refuses calls that do not fit, and says why", async () => {
      const operation = createCall.setFields("/DE", { Bonn: "50.73,7.10" });
      const nonce = await nextNonce(alice);
      const refused = async (signer, changes, reason) => {
        const { hex } = await call(signer, { call: operation, nonce, ...changes });
        await assert.rejects(submit(api, hex), reason);
      };
      await refused(alice, { nonce: nonce + 1 }, new RegExp(`next nonce in this subtree is ${nonce}`));
      await refused(alice, { epoch: epoch + 1 }, /another registration/);
      await refused(alice, { genesis: pathToId("/x") }, /another genesis/);
      await refused(alice, { validUntil: 0 }, /has passed/);
      await refused(alice, { validUntil: hubNumber + 100_000 }, /at most 14400/);
      await refused(alice, { subtree: pathToId("/other") }, /holds no copy/);
      // Bob signs what names Alice.
      const forger = { type: "sr25519", addressRaw: alice.addressRaw, sign: (bytes) => bob.sign(bytes) };
      await refused(forger, {}, /signature does not fit/);
      const poor = new Keyring({ type: "sr25519" }).addFromUri("//Nobody");
      await refused(poor, { nonce: 0 }, /does not exist on the hub/);
      await assert.rejects(submit(api, "0x0102"), /not a SCALE-encoded signed call/);

      const good = await call(alice, { call: operation, nonce });
      assert.equal((await submit(api, good.hex)).status, "applied");
      await assert.rejects(submit(api, good.hex), new RegExp(`next nonce in this subtree is ${nonce + 1}`));
    });

    test("shows a changed value under a new root only", async () => {
      await send(alice, createCall.setFields("/DE", { Berlin: "new" }));
      await committed();
      const { proven } = await readRemote(api, { path: "/geo/DE", fields: ["Berlin"] });
      assert.equal(provenField(proven, "Berlin").text, "new");
    });

    test("tells subscribers of heads, of changes, and of the way of a call", async () => {
      const [heads, changes, updates] = [[], [], []];
      const note = (list) => (update) => list.push(update.toJSON());
      const stopHeads = await api.rpc.subtree.subscribeHeads(GEO, note(heads));
      const stopChanges = await api.rpc.subtree.subscribeChanges(pathToId("/geo/DE"), hex("B"), note(changes));
      const { hex: signed, id } = await call(alice, {
        nonce: await nextNonce(alice),
        call: createCall.setFields("/DE", { Berlin: "52.52", Zossen: "52.21" }),
      });
      await new Promise((resolve, reject) => {
        const onUpdate = (update) => {
          note(updates)(update);
          const { event, reason } = updates.at(-1);
          if (event === "finalised") resolve();
          if (event === "ended") reject(new Error(reason));
        };
        api.rpc.subtree.submitAndWatch(signed, onUpdate).catch(reject);
      });
      const [executed, batched, committed] = updates;
      assert.deepEqual([executed.event, executed.callId, executed.status], ["executed", id, "applied"]);
      assert.deepEqual([batched.event, batched.seq, batched.index], ["batched", executed.seq, executed.index]);
      assert.equal(committed.event, "committed");
      const { blockHash, seq } = updates.at(-1);
      const head = await json(api.rpc.subtree.head(GEO, blockHash));
      assert.deepEqual([head.location.seq, head.hash], [seq, batched.head]);

      assert.ok(heads.some((head) => head.seq === seq && head.hash === batched.head));
      assert.equal(changes[0].event, "everything");
      const { objects } = changes.find((change) => change.seq === seq && change.event === "changed");
      assert.deepEqual(objects.map(({ object, path, exists }) => [object, path, exists]), [[pathToId("/geo/DE"), "/DE", true]]);
      assert.deepEqual(objects[0].fields.map(({ key, value }) => [text(key), text(value)]), [["Berlin", "52.52"]]);
      stopHeads();
      stopChanges();
      await assert.rejects(request(api, "subtree_subscribeChanges", [pathToId("/nowhere")]), /has an object/);
    });

    test("refuses an extrinsic that registers it again", async () => {
      const { id, params } = poaMode([bob.publicKey]);
      const again = api.tx.subtreeSecurity.register(ROOT, "geo", { Native: id }, params, PLAIN, 0);
      await assert.rejects(finalised(api, again, bob), /Exists|Taken|Object/);
    });
  });
});
