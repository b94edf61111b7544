// Every node has peers and sees finalised blocks.

import { setTimeout as sleep } from "node:timers/promises";
import { nodeStatus } from "../lib/rpc.mjs";

export const name = "Waiting for the first finalised block on every node";
export const timeoutMs = 120_000;

const POLL_MS = 500;

export async function run({ nodes, signal }, progress) {
  const waiting = new Map(nodes.map((node) => [node.name, node]));
  progress.start(nodes.length, "nodes");
  let lowest = Infinity;
  while (waiting.size > 0) {
    for (const node of [...waiting.values()]) {
      const { finalised, peers } = await nodeStatus(node, signal);
      if (finalised === 0 || peers === 0) continue;
      waiting.delete(node.name);
      lowest = Math.min(lowest, finalised);
      progress.set(nodes.length - waiting.size);
    }
    if (waiting.size > 0) await sleep(POLL_MS, undefined, { signal });
  }
  return `block ${lowest} is final on all ${nodes.length} nodes`;
}
