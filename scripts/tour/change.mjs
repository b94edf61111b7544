// Changes one city at the node that serves /geo, and reads the new value from the follower with a new proof.

import { atSomeBlock } from "../lib/chain.mjs";
import { loadClient } from "../lib/packages.mjs";
import { GEO, isFinal, statusOf, VALID_BLOCKS } from "./geo.mjs";

export const name = "Changing one city and reading the new value from the follower with a new proof";
export const timeoutMs = 180_000;

const PATH = ["DE", "BE"];
const CITY = "Berlin";
const VALUE = "52.52000659,13.40495300";

export async function run({ signal, shared }) {
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
  const started = Date.now();
  const receipt = await submit(vapp, signed.hex);
  if (receipt.status !== "applied") throw new Error(`the call ${receipt.status}: ${receipt.reason}`);
  await atSomeBlock({ api: vapp, signal, finalised: true }, () => isFinal(vapp));
  await atSomeBlock({ api: follower, signal }, async () => {
    const { localSeq } = await statusOf(follower, subtree);
    return localSeq >= receipt.seq ? true : undefined;
  });

  const after = await readRemote(follower, query, validator);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const [old, now] = [before, after].map(({ proven }) => provenField(proven, CITY).text);
  if (now !== VALUE) throw new Error(`${CITY} is ${now}, not ${VALUE}`);
  if (before.block.globalRoot === after.block.globalRoot) throw new Error("the global root did not change");
  shared.summary.push(["seconds from a call to its finalised proof", seconds]);
  await Promise.all([vapp, follower, validator].map((api) => api.disconnect()));
  return `${CITY} was ${old} in block ${before.block.number} and is ${now} in block ${after.block.number}, ` +
    `${seconds} s after the call`;
}
