// Security modes as `subtreeSecurity.register` takes them.

import { asHex, fromHex, toHex } from "./bytes.js";
import { DstpError } from "./wasm.js";

/** Number of PoA among a runtime's modes. */
const POA = 1;
const MAX_AUTHORITIES = 16;

/**
 * PoA: a head is accepted if enough authorities signed it.
 *
 * @param {(string | Uint8Array)[]} authorities 1 to 16 accounts of 32 bytes. Of an ecdsa key: blake2-256 of its public key
 * @param {object} [options]
 * @param {number} [options.threshold] signatures needed; all of them if not given
 * @param {number} [options.minIntervalBlocks] hub blocks from one head to the next at least; 0: several in one block
 * @param {number | null} [options.maxSilenceBlocks] after more hub blocks than this without a head the owner may name other
 *   authorities; `null`: never
 * @returns {{ id: number, params: string }} number of the mode among the native ones, and its parameters in SCALE
 */
export function poaMode(authorities, { threshold = authorities.length, minIntervalBlocks = 0, maxSilenceBlocks = null } = {}) {
  const keys = authorities.map((account) => fromHex(asHex(account)));
  if (keys.length === 0 || keys.length > MAX_AUTHORITIES) throw new DstpError(`a set has 1 to ${MAX_AUTHORITIES} authorities`);
  if (keys.some((key) => key.length !== 32)) throw new DstpError("an authority is an account of 32 bytes");
  if (!(Number.isInteger(threshold) && threshold >= 1 && threshold <= keys.length)) {
    throw new DstpError(`the threshold is 1 to ${keys.length}, the number of authorities`);
  }
  const silence = maxSilenceBlocks === null ? [0] : [1, ...u32(maxSilenceBlocks)];
  // The compact length of a short list is its length times four.
  const bytes = [keys.length << 2, ...keys.flatMap((key) => [...key]), threshold, ...u32(minIntervalBlocks), ...silence];
  return { id: POA, params: toHex(Uint8Array.from(bytes)) };
}

function u32(number) {
  if (!(Number.isInteger(number) && number >= 0 && number <= 0xffff_ffff)) {
    throw new DstpError(`${number} is no number of blocks`);
  }
  return [0, 8, 16, 24].map((shift) => (number >>> shift) & 0xff);
}
