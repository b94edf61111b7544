// The definitions in polkadot.js's own hands, and the methods over both libraries, against a node that is played.

import { RpcCore } from "@polkadot/rpc-core";
import { TypeRegistry } from "@polkadot/types";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { firstValueFrom, take, toArray } from "rxjs";
import { createClient } from "polkadot-api";
import {
  definitions,
  FINALIZED_HEADS,
  finalizedRoot,
  readProven,
  readRemote,
  request,
  submit,
  subscribe,
} from "../src/index.js";

const proofs = JSON.parse(await readFile(new URL("vectors/proofs.json", import.meta.url), "utf8"));
const vector = (name) => proofs.find((vector) => vector.name === name);
const registry = new TypeRegistry();
const HASH = `0x${"ab".repeat(32)}`;

/** A node that answers from a table of methods and notes what it was asked. */
function playedNode(answers) {
  const asked = [];
  const answer = (method, params) => {
    asked.push([method, params]);
    if (!(method in answers)) throw new Error(`method not found: ${method}`);
    const found = answers[method];
    return typeof found === "function" ? found(...params) : found;
  };
  return { asked, answer };
}

/** What polkadot.js calls a provider. */
function polkadotProvider(answers) {
  const { asked, answer } = playedNode(answers);
  return {
    asked,
    hasSubscriptions: true,
    isConnected: true,
    send: async (method, params) => answer(method, params),
    async subscribe(type, method, params, callback) {
      const updates = answer(method, params);
      asked.push([type]);
      queueMicrotask(() => updates.forEach((update) => callback(null, update)));
      return 7;
    },
    async unsubscribe(type, method, id) {
      asked.push([method, [id]]);
      return true;
    },
  };
}

/** PAPI over JSON-RPC messages. */
function papi(answers) {
  const { asked, answer } = playedNode(answers);
  const client = createClient((onMessage) => ({
    send({ id, method, params = [] }) {
      queueMicrotask(() => {
        // PAPI follows the chain by itself; this node lets it wait.
        if (!(method in answers)) return;
        const result = answer(method, params);
        if (!/subscribe[A-Z]|Watch$/.test(method) || /unsub/.test(method)) return onMessage({ jsonrpc: "2.0", id, result });
        onMessage({ jsonrpc: "2.0", id, result: "s1" });
        for (const update of result) {
          onMessage({ jsonrpc: "2.0", method: "any", params: { subscription: "s1", result: update } });
        }
      });
    },
    disconnect() {},
  }));
  return { client, asked };
}

const core = (provider) => new RpcCore("test", registry, { provider, userRpc: definitions.rpc });

test("polkadot.js makes methods of the definitions and passes questions and answers on", async () => {
  const provider = polkadotProvider({
    dstp_globalRoot: { blockHash: HASH, blockNumber: 3, globalRoot: HASH },
    dstp_object: null,
    dstp_fields: { entries: [{ key: "0x01", value: "0x02" }], next: null },
    dstp_proof: { proof: "0x00" },
    dstp_resolve: { object: HASH },
    subtree_submit: { status: "applied" },
    subtree_nextNonce: 4,
  });
  const { dstp, subtree } = core(provider);
  assert.equal((await firstValueFrom(dstp.globalRoot())).toJSON().blockNumber, 3);
  assert.ok((await firstValueFrom(dstp.object(HASH))).isNone);
  const page = { prefix: "0x42", limit: 5 };
  assert.deepEqual((await firstValueFrom(dstp.fields(HASH, page, HASH))).toJSON().entries, [{ key: "0x01", value: "0x02" }]);
  await firstValueFrom(dstp.proof({ object: "/geo", fields: ["0x01"], fieldPage: { limit: 1 } }));
  await firstValueFrom(dstp.resolve("/geo/a%2Fb"));
  await firstValueFrom(subtree.submit("0x0102"));
  const account = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
  assert.equal((await firstValueFrom(subtree.nextNonce(HASH, account))).toNumber(), 4);
  assert.deepEqual(provider.asked, [
    ["dstp_globalRoot", []],
    ["dstp_object", [HASH]],
    ["dstp_fields", [HASH, page, HASH]],
    ["dstp_proof", [{ object: "/geo", fields: ["0x01"], fieldPage: { limit: 1 } }]],
    ["dstp_resolve", ["/geo/a%2Fb"]],
    ["subtree_submit", ["0x0102"]],
    ["subtree_nextNonce", [HASH, account]],
  ]);
});

test("every method of the node has its definition", () => {
  const sections = Object.entries(definitions.rpc);
  const names = sections.flatMap(([section, all]) => Object.keys(all).map((name) => `${section}_${name}`));
  assert.deepEqual(names.filter((name) => name.startsWith("dstp_")).length, 7);
  assert.deepEqual(names.filter((name) => name.startsWith("subtree_")).length, 12);
});

test("polkadot.js subscribes to a subtree and hands in a call that it watches", async () => {
  const provider = polkadotProvider({
    subtree_subscribeHeads: [{ event: "head", seq: 4 }],
    subtree_subscribeChanges: [{ event: "everything", seq: 4 }, { event: "changed", seq: 5, objects: [] }],
    subtree_submitAndWatch: [{ event: "executed", status: "applied" }],
  });
  const { subtree } = core(provider);
  const updates = async (observable, count) =>
    (await firstValueFrom(observable.pipe(take(count), toArray()))).map((update) => update.toJSON());
  assert.deepEqual(await updates(subtree.subscribeHeads(HASH), 1), [{ event: "head", seq: 4 }]);
  const changes = await updates(subtree.subscribeChanges(HASH, "0x42"), 2);
  assert.deepEqual(changes.map(({ event }) => event), ["everything", "changed"]);
  await updates(subtree.subscribeChanges(HASH), 1);
  assert.deepEqual(await updates(subtree.submitAndWatch("0x0102"), 1), [{ event: "executed", status: "applied" }]);
  const asked = provider.asked.filter(([method]) => /^subtree_(subscribe|submit)/.test(method));
  assert.deepEqual(asked, [
    ["subtree_subscribeHeads", [HASH]],
    ["subtree_subscribeChanges", [HASH, "0x42"]],
    ["subtree_subscribeChanges", [HASH]],
    ["subtree_submitAndWatch", ["0x0102"]],
  ]);
  // polkadot.js unsubscribes a while after the last listener left, by these names.
  const ends = Object.values(definitions.rpc.subtree).flatMap(({ pubsub }) => pubsub?.slice(2) ?? []);
  assert.deepEqual(ends, ["unsubscribeHeads", "unsubscribeChanges", "unwatchCall"]);
});

/** Both libraries, over the same played node. */
const clients = (answers) => {
  const provider = polkadotProvider(answers);
  return [{ client: provider, asked: provider.asked }, { client: { _rpcCore: { provider } }, asked: provider.asked }, papi(answers)];
};

test("a proven read checks what the node answers", async () => {
  const { proof, root } = vector("an absent field");
  for (const { client, asked } of clients({ dstp_proof: { proof } })) {
    const query = { path: "/geo/DE/BE", fields: ["Atlantis", "Berlin"] };
    const proven = await readProven(client, query, { root, at: HASH });
    assert.equal(proven.object.fields[1].value.text, "52.52,13.405");
    const question = { object: "/geo/DE/BE", fields: ["0x41746c616e746973", "0x4265726c696e"], children: [] };
    assert.deepEqual(asked.findLast(([method]) => method === "dstp_proof")[1], [question, HASH]);
    for (const other of [
      { path: "/geo/DE/BY", fields: query.fields },
      { path: query.path, fields: ["Berlin"] },
      { path: query.path, fields: query.fields, children: ["x"] },
      { path: query.path, fields: query.fields, page: { kind: "fields" } },
    ]) {
      await assert.rejects(readProven(client, other, { root }), /not \/geo\/DE\/BY|another question/);
    }
    await assert.rejects(readProven(client, query, { root: HASH }), { name: "DstpError" });
    client.destroy?.();
  }
});

test("a page has to be the one that was asked for", async () => {
  const { proof, root } = vector("a last page");
  const client = polkadotProvider({ dstp_proof: { proof } });
  const page = { kind: "fields", prefix: "place ", cursor: "place 11", limit: 8 };
  const read = (changes) => readProven(client, { path: "/geo/DE/BE", page: { ...page, ...changes } }, { root });
  assert.ok((await read({})).object.page.complete);
  for (const changes of [{ kind: "children" }, { prefix: "p" }, { cursor: undefined }, { limit: 9 }]) {
    await assert.rejects(read(changes), /another question/);
  }
  await assert.rejects(read({ kind: "all" }), TypeError);
});

/** A header of block 9 with this global root: its hash, and the JSON that a node gives. */
function headerWith(root) {
  const logs = [{ Consensus: ["DSTP", `0x01${root.slice(2)}`] }];
  const header = registry.createType("Header", { number: 9, digest: { logs } });
  const json = { ...header.toJSON(), number: "0x9", digest: { logs: header.digest.logs.map((log) => log.toHex()) } };
  return { hash: header.hash.toHex(), json };
}

test("the finalised root comes from a header that has the finalised hash", async () => {
  const { hash, json } = headerWith(HASH);
  const answers = { chain_getFinalizedHead: hash, chain_getHeader: json };
  for (const { client } of clients(answers)) {
    assert.deepEqual(await finalizedRoot(client), { hash, number: 9, globalRoot: HASH });
    client.destroy?.();
  }
  for (const { client } of clients({ ...answers, chain_getFinalizedHead: HASH })) {
    await assert.rejects(finalizedRoot(client), /not 0xabab/);
    client.destroy?.();
  }
  for (const { client } of clients({ ...answers, chain_getHeader: null })) {
    await assert.rejects(finalizedRoot(client), /does not know the block/);
    client.destroy?.();
  }
});

test("a remote read is checked against a header that the trusted node finalised", async () => {
  const { proof, root } = vector("an absent field");
  const query = { path: "/geo/DE/BE", fields: ["Atlantis", "Berlin"] };
  const { hash, json } = headerWith(root);
  const answers = {
    subtree_proof: { proof, block: { blockHash: hash, blockNumber: 9, globalRoot: HASH } },
    chain_subscribeFinalizedHeads: [{ number: "0x8" }, { number: "0x9" }],
    chain_unsubscribeFinalizedHeads: true,
    chain_getBlockHash: hash,
    chain_getHeader: json,
  };
  for (const { client } of clients(answers)) {
    const { proven, block } = await readRemote(client, query);
    assert.equal(proven.object.fields[1].value.text, "52.52,13.405");
    assert.deepEqual(block, { hash, number: 9, globalRoot: root });
    const forked = polkadotProvider({ ...answers, chain_getBlockHash: HASH });
    await assert.rejects(readRemote(client, query, forked), /not the finalised block 9/);
    const lying = polkadotProvider({ ...answers, chain_getHeader: headerWith(HASH).json });
    await assert.rejects(readRemote(client, query, lying), /the header has the hash/);
    client.destroy?.();
  }
});

test("calls are submitted and subscriptions end over both libraries", async () => {
  for (const { client, asked } of clients({
    subtree_submit: { status: "applied" },
    chain_subscribeFinalizedHeads: [{ number: "0x1" }],
    chain_unsubscribeFinalizedHeads: true,
  })) {
    assert.deepEqual(await submit(client, Uint8Array.of(1)), { status: "applied" });
    const { promise, resolve } = Promise.withResolvers?.() ?? deferred();
    const stop = await subscribe(client, FINALIZED_HEADS, [], (error, update) => resolve(error ?? update));
    assert.deepEqual(await promise, { number: "0x1" });
    await stop();
    await new Promise((resume) => setImmediate(resume));
    assert.ok(asked.some(([method]) => method === "chain_unsubscribeFinalizedHeads"));
    client.destroy?.();
  }
  assert.throws(() => request({}, "dstp_globalRoot"), TypeError);
});

function deferred() {
  let resolve;
  const promise = new Promise((given) => (resolve = given));
  return { promise, resolve };
}
