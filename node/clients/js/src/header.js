import { asHex } from "./bytes.js";
import { ask, DstpError } from "./wasm.js";

/**
 * A header of the hub: SCALE bytes (as `chainHead_v1_header` gives them), the object that `chain_getHeader` gives, or a
 * Header of polkadot.js.
 *
 * @typedef {string | Uint8Array | object} HubHeader
 */

/** @typedef {{ hash: string, number: number, parentHash: string, globalRoot: string | null }} HeaderFacts */

/**
 * Hash and global root of a header. The hash is computed here, from the header's bytes.
 *
 * @param {HubHeader} header
 * @returns {HeaderFacts} `globalRoot` is `null` where the header carries none, as in block 0
 */
export function readHeader(header) {
  const scale = typeof header === "string" || header instanceof Uint8Array || typeof header?.toHex === "function";
  return ask("read_header", scale ? { scale: asHex(header) } : { json: header });
}

/**
 * The global root that a header carries.
 *
 * @param {HubHeader} header
 * @param {string | Uint8Array} [trustedHash] hash of a block that the caller trusts, for instance a finalised one
 * @returns {string}
 * @throws {DstpError} if the header is not the one with `trustedHash`, or carries no global root
 */
export function globalRootFromHeader(header, trustedHash) {
  const { hash, number, globalRoot } = readHeader(header);
  if (trustedHash !== undefined && hash !== asHex(trustedHash).toLowerCase()) {
    throw new DstpError(`the header has the hash ${hash}, not ${asHex(trustedHash)}`);
  }
  if (!globalRoot) throw new DstpError(`the header of block ${number} carries no global root`);
  return globalRoot;
}
