// Registers /geo as a remote subtree with PoA, and gives the VApp node the key of its authority.

import { atSomeBlock, connect, developmentKey, finalised, showBlocks } from "../lib/chain.mjs";
import { loadClient } from "../lib/packages.mjs";
import { AUTHORITY, GEO, node, OWNER, statusOf } from "./geo.mjs";

export const name = "Registering the remote subtree /geo";
export const timeoutMs = 120_000;

const KEY = "geo";
const PLAIN = { Plain: null };
const RAW_KEYS = 0;

export async function run({ nodes, signal, shared }, progress) {
  const { pathToId, poaMode } = await loadClient();
  shared.vapp = await connect(node(nodes, "vapp"));
  shared.validator = await connect(node(nodes, "alice"));
  shared.owner = await developmentKey(OWNER);
  const authority = await developmentKey(AUTHORITY);
  const hexKey = `0x${Buffer.from(authority.publicKey).toString("hex")}`;
  await shared.vapp.rpc.author.insertKey("dsub", AUTHORITY, hexKey);

  const { id, params } = poaMode([authority.publicKey]);
  const { register } = shared.validator.tx.subtreeSecurity;
  const call = register(pathToId("/"), KEY, { Native: id }, params, PLAIN, RAW_KEYS);
  const where = { api: shared.validator, progress, ahead: 1 };
  await showBlocks(where, () => finalised(shared.validator, call, shared.owner));

  const geo = pathToId(GEO);
  const status = await atSomeBlock({ api: shared.vapp, signal }, () => statusOf(shared.vapp, geo));
  shared.epoch = status.epoch;
  return `registration ${status.epoch}, mode PoA with one authority; the node vapp serves it`;
}
