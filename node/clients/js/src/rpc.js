// The node's methods, the same way over polkadot.js and PAPI.

import { asHex, dataHex } from "./bytes.js";
import { globalRootFromHeader, readHeader } from "./header.js";
import { pathJson } from "./path.js";
import { checkProof } from "./proof.js";
import { DstpError } from "./wasm.js";

/**
 * A client of PAPI (`createClient`), an `ApiPromise` or a provider of polkadot.js.
 *
 * @typedef {object} Client
 */

/**
 * Calls a method of the node.
 *
 * @param {Client} client
 * @param {string} method such as `dstp_globalRoot`
 * @param {any[]} [params]
 * @returns {Promise<any>} the result as JSON
 */
export function request(client, method, params = []) {
  if (typeof client._request === "function") return client._request(method, params);
  return provider(client).send(method, params);
}

/**
 * Subscribes to a method of the node.
 *
 * @param {Client} client
 * @param {{ subscribe: string, unsubscribe: string, notification: string }} names of the methods, such as
 *   {@link FINALIZED_HEADS}, `SUBTREE_HEADS`, `SUBTREE_CHANGES` and `CALL_UPDATES`
 * @param {any[]} params
 * @param {(error: Error | null, update?: any) => void} onUpdate
 * @returns {Promise<() => Promise<void>>} ends the subscription
 */
export async function subscribe(client, { subscribe: method, unsubscribe, notification }, params, onUpdate) {
  if (typeof client._subscribe === "function") {
    const observer = { next: (update) => onUpdate(null, update), error: (error) => onUpdate(error) };
    const subscription = client._subscribe(method, unsubscribe, params).subscribe(observer);
    return async () => subscription.unsubscribe();
  }
  const transport = provider(client);
  const id = await transport.subscribe(notification, method, params, onUpdate);
  return async () => void (await transport.unsubscribe(notification, unsubscribe, id));
}

/** Headers of the blocks that a node calls finalised, as they become so. */
export const FINALIZED_HEADS = Object.freeze({
  subscribe: "chain_subscribeFinalizedHeads",
  unsubscribe: "chain_unsubscribeFinalizedHeads",
  notification: "chain_finalizedHead",
});

function provider(client) {
  const found = client._rpcCore?.provider ?? client;
  if (typeof found.send !== "function") throw new TypeError("expected a client of PAPI or of polkadot.js");
  return found;
}

/**
 * The last block that a node calls finalised, and the global root in its header. The hash is computed from the header here;
 * that the block is finalised is the node's word.
 *
 * @param {Client} client of a node that you trust, such as your own or a validator's
 * @returns {Promise<{ hash: string, number: number, globalRoot: string }>}
 */
export async function finalizedRoot(client) {
  const hash = await request(client, "chain_getFinalizedHead");
  const header = await headerOf(client, hash);
  return { hash, number: readHeader(header).number, globalRoot: globalRootFromHeader(header, hash) };
}

/**
 * The global root of one block, from its header.
 *
 * @param {Client} client
 * @param {string} hash
 * @returns {Promise<string>}
 */
export async function rootOf(client, hash) {
  return globalRootFromHeader(await headerOf(client, hash), hash);
}

async function headerOf(client, hash) {
  const header = await request(client, "chain_getHeader", [hash]);
  if (!header) throw new DstpError(`the node does not know the block ${hash}`);
  return header;
}

/**
 * What to read of one object.
 *
 * @typedef {{
 *   path: import("./path.js").Path, fields?: import("./call.js").Data[], children?: import("./call.js").Data[],
 *   page?: { kind: "fields" | "children", prefix?: import("./call.js").Data, cursor?: import("./call.js").Data, limit?: number },
 * }} Query
 */

/**
 * Asks any node for a proof and checks that it answers exactly this question under a root that the caller trusts.
 *
 * @param {Client} client
 * @param {Query} query
 * @param {object} trusted
 * @param {string} trusted.root a global root, for instance from {@link finalizedRoot}
 * @param {string} [trusted.at] hash of the block in which the node has to read; its best one if not given
 * @returns {Promise<import("./proof.js").Proven>}
 */
export async function readProven(client, query, { root, at }) {
  const question = toJson(query);
  const { proof } = await request(client, "dstp_proof", at === undefined ? [question] : [question, at]);
  return checkAnswer(proof, query.path, question, root);
}

/**
 * Reads inside a remote subtree, from any node that holds it, with a proof from the global root of a finalised block down.
 * The block's header comes from a node that the caller trusts; this waits until that node has finalised the block too.
 *
 * @param {Client} client of the node that reads
 * @param {Query} query its path starts at the root of the whole tree
 * @param {Client} [trusted] of a node of your own, or a validator's; the same node if not given
 * @returns {Promise<{ proven: import("./proof.js").Proven, block: { hash: string, number: number, globalRoot: string } }>}
 */
export async function readRemote(client, query, trusted = client) {
  const question = toJson(query);
  const { proof, block } = await request(client, "subtree_proof", [question]);
  const { blockHash: hash, blockNumber: number } = block;
  await finalized(trusted, number);
  const canonical = await request(trusted, "chain_getBlockHash", [number]);
  if (canonical !== hash) throw new DstpError(`the proof is about block ${hash}, which is not the finalised block ${number}`);
  const globalRoot = await rootOf(trusted, hash);
  return { proven: checkAnswer(proof, query.path, question, globalRoot), block: { hash, number, globalRoot } };
}

/** Resolves when a node has finalised a block of at least this number. */
async function finalized(client, number) {
  const reached = (header) => Number(header.number) >= number;
  let stop;
  try {
    await new Promise((resolve, reject) => {
      stop = subscribe(client, FINALIZED_HEADS, [], (error, header) => {
        if (error) reject(error);
        else if (reached(header)) resolve();
      });
      stop.catch(reject);
    });
  } finally {
    await (await stop)();
  }
}

function checkAnswer(proof, path, question, root) {
  const proven = checkProof(proof, { root, path });
  if (proven.object && !answers(proven.object, question)) {
    throw new DstpError("the proof holds, but answers another question");
  }
  return proven;
}

function toJson({ path, fields = [], children = [], page }) {
  const question = { object: pathJson(path), fields: fields.map(dataHex), children: children.map(dataHex) };
  if (!page) return question;
  const { kind, prefix = "", cursor, limit = 100 } = page;
  if (kind !== "fields" && kind !== "children") throw new TypeError("a page is of kind fields or children");
  const name = kind === "fields" ? "fieldPage" : "childPage";
  return { ...question, [name]: { prefix: dataHex(prefix), cursor: cursor === undefined ? null : dataHex(cursor), limit } };
}

function answers({ fields, children, page }, question) {
  const keys = (entries) => entries.map((entry) => entry.key.hex).join();
  const asked = question.fieldPage ?? question.childPage;
  const kind = question.fieldPage ? "fields" : "children";
  const samePage = asked
    ? page?.kind === kind &&
      page.prefix.hex === asked.prefix &&
      (page.cursor?.hex ?? null) === asked.cursor &&
      page.limit === asked.limit
    : page === null;
  return keys(fields) === question.fields.join() && keys(children) === question.children.join() && samePage;
}

/**
 * Hands a signed call to the node that serves the subtree, and resolves when it is on that node's disk. Calls of one account that
 * are under way at the same time are executed in the order of their nonces; one whose predecessor does not come is refused after
 * half a second. To follow a call further, `subscribe(client, CALL_UPDATES, [signed], onUpdate)`.
 *
 * @param {Client} client
 * @param {string | Uint8Array} signed `hex` of `signCall`
 * @returns {Promise<any>} the receipt: status, seq, index and post-root
 */
export const submit = (client, signed) => request(client, "subtree_submit", [asHex(signed)]);
