// Every node still answers, and says how far it is.

import { nodeStatus } from "../lib/rpc.mjs";

export const name = "Asking every node how far it is";
export const timeoutMs = 60_000;

export async function run({ nodes, signal, shared }) {
  shared.nodeRows = await Promise.all(
    nodes.map(async (node) => {
      const { best, finalised, peers } = await nodeStatus(node, signal);
      return [node.name, best, finalised, peers];
    }),
  );
}
