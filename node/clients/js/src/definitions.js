// What polkadot.js has to know of a DSTP node: `ApiPromise.create({ provider, ...definitions })`.
//
// Questions and answers are JSON objects. They are declared as `Json`, so that a field that a later node adds reaches the caller.
// Hashes, ids and bytes are `0x` and hex digits.

const id = { name: "id", type: "H256" };
const at = { name: "at", type: "BlockHash", isHistoric: true, isOptional: true };
const seq = { name: "seq", type: "u64", isOptional: true };
const page = { name: "page", type: "Option<Json>", isOptional: true };
const query = { name: "query", type: "Json" };
const path = { name: "path", type: "Text" };
const call = { name: "call", type: "Bytes" };
const account = { name: "account", type: "AccountId" };

const method = (description, params, type = "Json") => ({ description, params, type });

const dstp = {
  globalRoot: method("Hash and number of a block, and the global root in its header", [at]),
  resolve: method("The id of the object that a path stands for, and whether it exists and where", [path, at]),
  object: method("An object: its facts, key, parent, StateRoot and location", [id, at], "Option<Json>"),
  fields: method("A page of fields in key order; the page is { prefix, cursor, limit }", [id, page, at]),
  children: method("A page of children in key order; the page is { prefix, cursor, limit }", [id, page, at]),
  proof: method("A proof of { object, fields, children, fieldPage, childPage }, also of absence", [query, at]),
  verifyProof: method("What a proof says under a root, or why it does not hold", [
    { name: "proof", type: "Bytes" },
    { name: "root", type: "H256" },
    { name: "object", type: "Option<H256>", isOptional: true },
  ]),
};

const subtree = {
  head: method("The head that the hub accepted, its mode and status", [id, at], "Option<Json>"),
  submit: method("Hands in a signed call; gives its receipt", [call]),
  nextNonce: method("The nonce of an account's next call", [id, account], "u64"),
  object: method("An object of a remote subtree, from the local copy", [id, seq], "Option<Json>"),
  fields: method("A page of fields in key order, from the local copy", [id, page, seq]),
  children: method("A page of children in key order, from the local copy", [id, page, seq]),
  proof: method("A proof from the finalised global root through the subtree's head, or from head `seq` alone", [query, seq]),
  status: method("Role of the node, local head, hub head, waiting calls, and why it stopped if it did", [id]),
};

/**
 * Options for polkadot.js's `ApiPromise`. The runtime needs no types of its own: they are all in its metadata.
 */
export const definitions = Object.freeze({ rpc: { dstp, subtree }, types: {} });
