// Plain JSON-RPC over HTTP, for what the tour asks of a node before it needs a client library.

let nextId = 1;

/** A node that is well answers in milliseconds; one that hangs must not hold up the run. */
const ANSWER_MS = 20_000;

/**
 * Calls `method` of the node whose WebSocket address is `ws` (the same port answers HTTP).
 * Rejects if the node cannot be reached or answers with an error.
 */
export async function rpc(ws, method, params = [], signal = undefined) {
  const answer = await post(ws, message(method, params), signal);
  if (answer.error) throw new Error(`${method}: ${answer.error.message} (code ${answer.error.code})`);
  return answer.result;
}

/**
 * Calls `method` once for each of `list` in one request; the node works through them in their order.
 * Gives `{ result }` or `{ error: { code, message } }` for each, in that order.
 */
export async function rpcBatch(ws, method, list, signal = undefined) {
  const messages = list.map((params) => message(method, params));
  const answers = await post(ws, messages, signal);
  if (!Array.isArray(answers)) throw new Error(`${method}: ${answers.error.message} (code ${answers.error.code})`);
  const byId = new Map(answers.map((answer) => [answer.id, answer]));
  return messages.map(({ id }) => byId.get(id));
}

const message = (method, params) => ({ jsonrpc: "2.0", id: nextId++, method, params });

async function post(ws, body, signal) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(ws.replace(/^ws/, "http"), { method: "POST", headers, body: JSON.stringify(body), signal });
  return response.json();
}

/**
 * Best block, last finalised block and number of peers of a node. Rejects with its name if it has not answered within `limitMs`,
 * and when `signal` aborts.
 */
export async function nodeStatus({ name, ws }, signal, limitMs = ANSWER_MS) {
  const limit = AbortSignal.timeout(limitMs);
  const either = AbortSignal.any([signal, limit]);
  try {
    const [best, finalisedHash, health] = await Promise.all([
      rpc(ws, "chain_getHeader", [], either),
      rpc(ws, "chain_getFinalizedHead", [], either),
      rpc(ws, "system_health", [], either),
    ]);
    const finalised = await rpc(ws, "chain_getHeader", [finalisedHash], either);
    return { best: Number(best.number), finalised: Number(finalised.number), peers: health.peers };
  } catch (error) {
    const reason = limit.aborted ? `nothing came within ${limitMs / 1000} s` : (error.cause ?? error).message;
    throw new Error(`the node ${name} does not answer: ${reason}`, { cause: error });
  }
}
