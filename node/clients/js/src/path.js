import { asHex, dataHex } from "./bytes.js";
import { ask } from "./wasm.js";

/**
 * A path of child keys: text such as `/geo/DE/BE` with percent-encoded keys, or a list of raw keys.
 *
 * @typedef {string | (string | Uint8Array)[]} Path
 */

/**
 * Bytes of an application; `text` is `null` if they are not UTF-8.
 *
 * @typedef {{ hex: string, text: string | null }} Text
 */

/** @param {Path} path */
export const pathJson = (path) => (Array.isArray(path) ? path.map(dataHex) : path);

/**
 * The id of the object at the end of a path, by derivation: it says nothing about existence.
 *
 * @param {Path} path
 * @param {string | Uint8Array} [from] id of the object where the path starts; the global root if not given
 * @returns {string} 32 bytes of hex
 */
export function pathToId(path, from) {
  return ask("path", { path: pathJson(path), from: from && asHex(from) }).id;
}

/**
 * The keys of a path.
 *
 * @param {Path} path
 * @returns {Text[]} outermost first
 */
export function parsePath(path) {
  return ask("path", { path: pathJson(path) }).keys;
}

/**
 * A path as text, in the one form that equal paths share.
 *
 * @param {Path} path
 * @returns {string}
 */
export function formatPath(path) {
  return ask("path", { path: pathJson(path) }).path;
}
