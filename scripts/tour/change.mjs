// Changes one city at the node that serves /geo. The follower's subscription tells of it, and the new value is read from the follower
// with a new proof.

import { showBlocks } from "../lib/chain.mjs";
import { loadClient } from "../lib/packages.mjs";
import { GEO, VALID_BLOCKS } from "./geo.mjs";

export const name = "Changing one city and reading the new value from the follower with a new proof";
export const timeoutMs = 180_000;

const PATH = ["DE", "BE"];
const CITY = "Berlin";
const VALUE = "52.52000659,13.40495300";

export async function run({ signal, shared }, progress) {
  const { createCall, pathToId, provenField, readRemote, signCall, submit } = await loadClient();
  const { vapp, follower, validator, owner, epoch } = shared;
  const query = { path: ["geo", ...PATH], fields: [CITY] };
  const before = await readRemote(follower, query, validator);

  const subtree = pathToId(GEO);
  const signed = await signCall(owner, {
    genesis: validator.genesisHash,
    subtree,
    epoch,
    nonce: (await vapp.rpc.subtree.nextNonce(subtree, owner.address)).toNumber(),
    validUntil: (await validator.rpc.chain.getHeader()).number.toNumber() + VALID_BLOCKS,
    call: createCall.setFields(PATH, { [CITY]: VALUE }),
  });
  const { change } = await watchField(follower, query, signal);
  const started = Date.now();
  const receipt = await submit(vapp, signed.hex);
  if (receipt.status !== "applied") throw new Error(`the call ${receipt.status}: ${receipt.reason}`);
  const seconds = () => ((Date.now() - started) / 1000).toFixed(1);
  // A follower takes what the hub has finalised, so the proof of the new value is final too.
  // One block until the node offers the head to the hub, one that takes it.
  const { seq, value } = await showBlocks({ api: validator, progress, ahead: 2 }, () => change);
  if (seq < receipt.seq || value !== VALUE) throw new Error(`head ${seq} changes ${CITY} to ${value}, not to ${VALUE}`);
  progress.note(`the follower's subscription says after ${seconds()} s: ${CITY} is ${value} in head ${seq}`);

  const after = await readRemote(follower, query, validator);
  const [old, now] = [before, after].map(({ proven }) => provenField(proven, CITY).text);
  if (now !== VALUE) throw new Error(`${CITY} is ${now}, not ${VALUE}`);
  if (before.block.globalRoot === after.block.globalRoot) throw new Error("the global root did not change");
  shared.summary.push(["seconds from a call to its finalised proof", seconds()]);
  await Promise.all([vapp, follower, validator].map((api) => api.disconnect()));
  return `${CITY} was ${old} in block ${before.block.number} and is ${now} in block ${after.block.number}, ` +
    `${seconds()} s after the call`;
}

/**
 * Subscribes to the one field of `query`. Resolves when the subscription stands, with a promise of the first change: the number of
 * the head and the new value.
 */
async function watchField(api, { path, fields: [field] }, signal) {
  const { pathToId, SUBTREE_CHANGES, subscribe } = await loadClient();
  const key = `0x${Buffer.from(field).toString("hex")}`;
  let settle;
  const change = new Promise((resolve, reject) => (settle = { resolve, reject }));
  change.catch(() => {});
  const end = await subscribe(api, SUBTREE_CHANGES, [pathToId(path), key], (error, update) => {
    if (error) return settle.reject(error);
    if (update.event === "ended") return settle.reject(new Error(`the subscription ended: ${update.reason}`));
    const written = update.objects?.flatMap(({ fields }) => fields).find((written) => written.key === key);
    if (written?.value) settle.resolve({ seq: update.seq, value: Buffer.from(written.value.slice(2), "hex").toString() });
  });
  signal.addEventListener("abort", () => settle.reject(signal.reason));
  return { change: change.finally(end) };
}
