// What the steps about /geo share.

import { loadClient } from "../lib/packages.mjs";

/** Where the places stand in the global tree. */
export const GEO = "/geo";

/** The countries that steps ask about, and the states in them: the rest can be left out. */
export const ASKED_STATES = { AU: ["SA"], BR: ["RJ"], DE: ["BE", "BY"], FR: ["IDF"], JP: ["13"] };

/** Development accounts: Charlie's key signs heads and pays for commits, Dave owns /geo and signs the calls. */
export const AUTHORITY = "//Charlie";
export const OWNER = "//Dave";

/** Calls are valid for this many blocks: an hour, which no tour takes. */
export const VALID_BLOCKS = 1200;

/** The node of this name. */
export function node(nodes, name) {
  const found = nodes.find((node) => node.name === name);
  if (!found) throw new Error(`the network has no node ${name}`);
  return found;
}

/** The number of the hub's finalised head of /geo if it holds every call that the node has taken; else `undefined`. */
export async function isFinal(api) {
  const { pathToId } = await loadClient();
  const id = pathToId(GEO);
  const { localSeq, openCalls } = (await api.rpc.subtree.status(id)).toJSON();
  if (openCalls > 0) return undefined;
  const at = await api.rpc.chain.getFinalizedHead();
  const { location } = (await api.rpc.subtree.head(id, at)).toJSON();
  return location.seq === localSeq ? location.seq : undefined;
}

/** Status of a subtree, or `undefined` until the node has seen it on the hub. Past polkadot.js, which prints every refusal. */
export async function statusOf(api, subtree) {
  const { request } = await loadClient();
  return request(api, "subtree_status", [subtree]).catch((error) => {
    if (/not registered/.test(error.message)) return undefined;
    throw error;
  });
}
