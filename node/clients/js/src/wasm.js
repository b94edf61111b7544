// The Wasm module that holds everything this client knows of DSTP's formats, compiled from the crate dstp-primitives.

const FILE = new URL("../dist/dstp.wasm", import.meta.url);

/** Longest request in bytes. The largest proof takes about 4.3 million hex digits. */
const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/** A request was refused: the proof does not hold, or the input is not what the function takes. The message says why. */
export class DstpError extends Error {
  name = "DstpError";
}

async function readModule() {
  if (globalThis.process?.versions?.node) {
    const { readFile } = await import("node:fs/promises");
    return readFile(FILE);
  }
  const response = await fetch(FILE);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return response.arrayBuffer();
}

async function compile() {
  const bytes = await readModule().catch((cause) => {
    throw new Error(`${FILE} cannot be read (${cause.message}). Build it with scripts/wasm.sh`, { cause });
  });
  return WebAssembly.compile(bytes);
}

const compiled = await compile();
let instance = await WebAssembly.instantiate(compiled, {});

/**
 * Calls a function of the Wasm module.
 *
 * @param {"check_proof" | "path" | "call_payload" | "signed_call" | "read_header"} name
 * @param {object} request JSON; bigints go in as decimal text
 * @returns {any} the reply
 * @throws {DstpError} if the module refuses the request
 */
export function ask(name, request) {
  const text = JSON.stringify(request, (_, value) => (typeof value === "bigint" ? value.toString() : value));
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > MAX_REQUEST_BYTES) throw new DstpError(`a request has at most ${MAX_REQUEST_BYTES} bytes`);
  const reply = JSON.parse(exchange(name, bytes));
  if ("error" in reply) throw new DstpError(reply.error);
  return reply.ok;
}

function exchange(name, request) {
  try {
    const { alloc, free, memory, [name]: call } = instance.exports;
    const address = alloc(request.length);
    new Uint8Array(memory.buffer, address, request.length).set(request);
    const reply = BigInt.asUintN(64, call(address, request.length));
    free(address, request.length);
    const [start, length] = [Number(reply >> 32n), Number(reply & 0xffff_ffffn)];
    const text = new TextDecoder().decode(new Uint8Array(memory.buffer, start, length));
    free(start, length);
    return text;
  } catch (cause) {
    // A trapped instance may be half-way through a change of its memory.
    instance = new WebAssembly.Instance(compiled, {});
    throw new DstpError(`the request was given up: ${cause.message}`, { cause });
  }
}
