import { asHex, dataHex, fromHex } from "./bytes.js";
import { pathJson } from "./path.js";
import { ask, DstpError } from "./wasm.js";

/** @typedef {import("./path.js").Path} Path */
/** @typedef {string | Uint8Array} Data Text stands for its UTF-8 bytes. */
/** @typedef {{ [operation: string]: object }} Call What a builder of {@link createCall} gives. */

/**
 * Builders of the operations on a subtree. Paths start at the subtree's root, which is `/`.
 */
export const createCall = Object.freeze({
  /**
   * Creates an object that belongs to the signer.
   *
   * @param {Path} parent
   * @param {Data} key its key below the parent
   * @param {{ objectType?: Data, hashedKeys?: boolean }} [options] a label of its kind; whether strangers choose its keys
   * @returns {Call}
   */
  create(parent, key, { objectType, hashedKeys = false } = {}) {
    const type = objectType === undefined ? undefined : dataHex(objectType);
    return { create: { parent: pathJson(parent), key: dataHex(key), objectType: type, hashedKeys } };
  },

  /**
   * Sets 1 to 256 fields.
   *
   * @param {Path} object
   * @param {Iterable<[Data, Data]> | { [key: string]: Data }} fields
   * @returns {Call}
   */
  setFields(object, fields) {
    const pairs = Symbol.iterator in fields ? [...fields] : Object.entries(fields);
    return { setFields: { object: pathJson(object), fields: pairs.map((pair) => pair.map(dataHex)) } };
  },

  /**
   * Removes 1 to 256 fields.
   *
   * @param {Path} object
   * @param {Iterable<Data>} keys
   * @returns {Call}
   */
  removeFields(object, keys) {
    return { removeFields: { object: pathJson(object), keys: [...keys].map(dataHex) } };
  },

  /**
   * Hands an object over.
   *
   * @param {Path} object
   * @param {string | Uint8Array} to 32 bytes of the account
   * @returns {Call}
   */
  transfer: (object, to) => ({ transfer: { object: pathJson(object), to: asHex(to) } }),

  /** Lets everybody create children below an object. @param {Path} object @returns {Call} */
  share: (object) => ({ share: { object: pathJson(object) } }),

  /** Fixes an object for ever. @param {Path} object @returns {Call} */
  freeze: (object) => ({ freeze: { object: pathJson(object) } }),

  /** Removes an object that has no children. @param {Path} object @returns {Call} */
  remove: (object) => ({ remove: { object: pathJson(object) } }),

  /** Removes an object and what is below it, up to a limit per call; repeat it until done. @param {Path} object @returns {Call} */
  removeRecursive: (object) => ({ removeRecursive: { object: pathJson(object) } }),
});

/**
 * Where and when a call is valid.
 *
 * @typedef {{
 *   genesis: string | Uint8Array, subtree: string | Uint8Array, epoch: number | bigint | string,
 *   nonce: number | bigint | string, validUntil: number,
 * }} CallContext
 *
 * - `genesis`: hash of the hub's block 0.
 * - `subtree`: id of the subtree's root object.
 * - `epoch`: number of the subtree's registration, from `subtree_head`.
 * - `nonce`: number of the account's calls into this subtree before this one.
 * - `validUntil`: last hub block at which the call may be executed, at most 14,400 ahead.
 */

/**
 * What a caller signs.
 *
 * @param {CallContext & { signer: string | Uint8Array, call: Call }} payload `signer`: 32 bytes of the account
 * @returns {{ payload: string, signingBytes: string, id: string }} hex; `id` does not depend on the signature
 */
export function callPayload({ genesis, subtree, epoch, signer, nonce, validUntil, call }) {
  return ask("call_payload", {
    genesis: asHex(genesis),
    subtree: asHex(subtree),
    epoch: wholeNumber("epoch", epoch),
    signer: asHex(signer),
    nonce: wholeNumber("nonce", nonce),
    validUntil,
    call,
  });
}

/** Codecs of polkadot.js count as text; a number that JavaScript rounded would sign something else. */
function wholeNumber(name, value) {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new DstpError(`${name} ${value} is not exact; give it as a bigint or decimal text`);
  }
  return String(value);
}

/**
 * Whoever can sign bytes:
 *
 * - a pair of a polkadot.js keyring (sr25519, ed25519 or ecdsa);
 * - a signer of PAPI with the kind of its key: `{ signer, type }`;
 * - a polkadot.js extension: `{ signer: injected.signer, address, account, type }`, `account` being the 32 bytes of `address`.
 *
 * @typedef {object} Signer
 */

/**
 * Signs a call.
 *
 * @param {Signer} signer
 * @param {CallContext & { call: Call }} payload
 * @returns {Promise<{ hex: string, id: string, signingBytes: string }>} `hex` is what `subtree_submit` takes
 */
export async function signCall(signer, payload) {
  const { account, type, sign } = adapt(signer);
  const { payload: bytes, signingBytes, id } = callPayload({ ...payload, signer: account });
  const signature = untagged(type, asHex(await sign(signingBytes)));
  const { call } = ask("signed_call", { payload: bytes, kind: type, signature });
  return { hex: call, id, signingBytes };
}

const SIGNATURE_BYTES = { sr25519: 64, ed25519: 64, ecdsa: 65 };

function adapt(signer) {
  const type = signer.type ?? "sr25519";
  if (!(type in SIGNATURE_BYTES)) throw new DstpError(`keys of kind ${type} cannot sign calls: use sr25519, ed25519 or ecdsa`);
  // PAPI and extensions wrap the bytes in <Bytes>, which the node accepts too.
  const inner = signer.signer;
  if (typeof inner?.signBytes === "function") {
    return { account: signer.account ?? inner.publicKey, type, sign: (hex) => inner.signBytes(fromHex(hex)) };
  }
  if (typeof inner?.signRaw === "function") {
    const { account, address } = signer;
    if (!account || !address) throw new DstpError("a wallet's signer needs address and account (its 32 bytes)");
    return { account, type, sign: async (data) => (await inner.signRaw({ address, data, type: "bytes" })).signature };
  }
  if (typeof signer.sign === "function") {
    return { account: signer.addressRaw, type, sign: (hex) => signer.sign(fromHex(hex)) };
  }
  throw new DstpError("a signer is a polkadot.js pair, or { signer, type } with a signer of PAPI or of a wallet");
}

/** Some wallets put the kind of the key before the signature. */
function untagged(type, signature) {
  const digits = signature.length - 2;
  return digits === 2 * SIGNATURE_BYTES[type] + 2 ? `0x${signature.slice(4)}` : signature;
}

