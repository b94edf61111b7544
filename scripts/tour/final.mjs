// The last head of /geo is on the hub, in a finalised block.

import { atSomeBlock } from "../lib/chain.mjs";
import { loadClient } from "../lib/packages.mjs";
import { GEO, isFinal } from "./geo.mjs";

export const name = "Waiting until the hub has finalised the last head of /geo";
export const timeoutMs = 300_000;

export async function run({ signal, shared }, progress) {
  const { pathToId } = await loadClient();
  const { vapp } = shared;
  const { pendingCalls } = (await vapp.rpc.subtree.status(pathToId(GEO))).toJSON();
  progress.start(pendingCalls, "calls");
  const heads = await atSomeBlock({ api: vapp, signal, finalised: true }, async () => {
    const now = (await vapp.rpc.subtree.status(pathToId(GEO))).toJSON();
    if (now.stopped) throw new Error(`the node vapp stopped: ${now.stopped}`);
    progress.set(pendingCalls - now.pendingCalls);
    return isFinal(vapp);
  });
  shared.summary.push(["heads on the hub", heads]);
  return `${heads} heads are final on the hub`;
}
