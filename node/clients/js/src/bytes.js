// Bytes as the functions of this client take them: text means its UTF-8 bytes, a Uint8Array itself. Hashes, ids, accounts and
// proofs are "0x" and hex digits, or a Uint8Array.

const utf8 = new TextEncoder();

/**
 * @param {Uint8Array} bytes
 * @returns {string} `0x` and hex digits
 */
export function toHex(bytes) {
  let hex = "0x";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/**
 * @param {string} hex `0x` and an even number of hex digits
 * @returns {Uint8Array}
 */
export function fromHex(hex) {
  if (!/^0x([0-9a-f]{2})*$/i.test(hex)) throw new TypeError(`not hex with 0x in front: ${String(hex).slice(0, 80)}`);
  return Uint8Array.from({ length: hex.length / 2 - 1 }, (_, at) => parseInt(hex.slice(2 + 2 * at, 4 + 2 * at), 16));
}

/**
 * Hex of a hash, id, account, proof or signature.
 *
 * @param {string | Uint8Array} input
 * @returns {string}
 */
export function asHex(input) {
  if (input instanceof Uint8Array) return toHex(input);
  if (typeof input === "string") return input;
  // Such as polkadot.js's Hash and AccountId.
  if (typeof input?.toHex === "function") return input.toHex();
  throw new TypeError("expected hex text or a Uint8Array");
}

/**
 * Hex of an application's bytes: a key, a value, a label.
 *
 * @param {string | Uint8Array} input text stands for its UTF-8 bytes, also if it looks like hex
 * @returns {string}
 */
export function dataHex(input) {
  if (input instanceof Uint8Array) return toHex(input);
  if (typeof input === "string") return toHex(utf8.encode(input));
  throw new TypeError("expected text or a Uint8Array");
}
