// Plain JSON-RPC over HTTP, for what the tour asks of a node before it needs a client library.

let nextId = 1;

/**
 * Calls `method` of the node whose WebSocket address is `ws` (the same port answers HTTP).
 * Rejects if the node cannot be reached or answers with an error.
 */
export async function rpc(ws, method, params = [], signal = undefined) {
  const response = await fetch(ws.replace(/^ws/, "http"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: nextId++, method, params }),
    signal,
  });
  const answer = await response.json();
  if (answer.error) throw new Error(`${method}: ${answer.error.message} (code ${answer.error.code})`);
  return answer.result;
}

/** Best block, last finalised block and number of peers of a node. */
export async function nodeStatus(ws, signal) {
  const [best, finalisedHash, health] = await Promise.all([
    rpc(ws, "chain_getHeader", [], signal),
    rpc(ws, "chain_getFinalizedHead", [], signal),
    rpc(ws, "system_health", [], signal),
  ]);
  const finalised = await rpc(ws, "chain_getHeader", [finalisedHash], signal);
  return { best: Number(best.number), finalised: Number(finalised.number), peers: health.peers };
}
