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
const after = { name: "after", type: "Option<Bytes>", isOptional: true };
const maxBytes = { name: "maxBytes", type: "Option<u32>", isOptional: true };
const prefix = { name: "prefix", type: "Option<Bytes>", isOptional: true };

const method = (description, params, type = "Json") => ({ description, params, type });
/** `pubsub`: the notification, and the methods that start and end the subscription, without their section. */
const subscription = (description, params, pubsub) => ({ ...method(description, params), pubsub });

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
  range: method(
    "Entries of one object's trie after a trie key, proven against its root: SCALE of compact nodes, from the local copy",
    [id, { name: "root", type: "H256" }, after, maxBytes],
    "Bytes",
  ),
  status: method("Role of the node, local head, hub head, waiting calls, and why it stopped if it did", [id]),
  subscribeHeads: subscription(
    "Heads of the local copy: the newest at once, then each, and the newest again when the hub accepted or finalised more",
    [id],
    ["localHead", "subscribeHeads", "unsubscribeHeads"],
  ),
  subscribeChanges: subscription(
    "What each head changes of an object and of all below it; with a prefix, of the object's own fields that start with it",
    [id, prefix],
    ["change", "subscribeChanges", "unsubscribeChanges"],
  ),
  submitAndWatch: subscription(
    "Hands in a signed call, and tells when it is executed, batched, committed and finalised",
    [call],
    ["callUpdate", "submitAndWatch", "unwatchCall"],
  ),
};

/**
 * Options for polkadot.js's `ApiPromise`. The runtime needs no types of its own: they are all in its metadata.
 */
export const definitions = Object.freeze({ rpc: { dstp, subtree }, types: {} });

/** Names of the methods of one subscription, as `subscribe` takes them. */
const names = ([notification, subscribe, unsubscribe]) =>
  Object.freeze({
    subscribe: `subtree_${subscribe}`,
    unsubscribe: `subtree_${unsubscribe}`,
    notification: `subtree_${notification}`,
  });

/** Heads of a node's copy of a subtree; the parameter is the id of the subtree. */
export const SUBTREE_HEADS = names(subtree.subscribeHeads.pubsub);

/** Changes of an object inside a subtree; the parameters are its id and, optionally, the hex prefix of its fields. */
export const SUBTREE_CHANGES = names(subtree.subscribeChanges.pubsub);

/** The way of a call that is handed in with the subscription; the parameter is the signed call in hex. */
export const CALL_UPDATES = names(subtree.submitAndWatch.pubsub);
