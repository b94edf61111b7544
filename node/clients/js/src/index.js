// Everything that the client gives; see README.md.

export { createCall, callPayload, signCall } from "./call.js";
export { CALL_UPDATES, definitions, SUBTREE_CHANGES, SUBTREE_HEADS } from "./definitions.js";
export { globalRootFromHeader, readHeader } from "./header.js";
export { poaMode } from "./mode.js";
export { formatPath, parsePath, pathToId } from "./path.js";
export { checkProof, provenField } from "./proof.js";
export { FINALIZED_HEADS, finalizedRoot, readProven, readRemote, request, rootOf, submit, subscribe } from "./rpc.js";
export { DstpError } from "./wasm.js";
