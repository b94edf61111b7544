import { asHex } from "./bytes.js";
import { formatPath } from "./path.js";
import { ask, DstpError } from "./wasm.js";

/** @typedef {import("./path.js").Text} Text */

/**
 * Where the state of an object is: with its parent's, or on other nodes, as the holder of its parent knows them.
 *
 * @typedef {{ kind: "withParent" } | {
 *   kind: "remote", mode: string, epoch: number | string, era: number, seq: number | string,
 *   status: "initial" | "pending" | "challenged" | "final" | "closed", pendingUntil: number | null,
 * }} Location
 */

/** @typedef {{ stateRoot: string, location: Location }} ChildEntry */

/**
 * @typedef {{
 *   owner: { kind: "system" | "shared" | "frozen" } | { kind: "account", account: string },
 *   objectType: Text | null, hashedKeys: boolean,
 *   fields: number | string, children: number | string, revision: number | string,
 * }} Meta
 */

/** @typedef {{ key: Text, value: Text | null }} Field `value` is `null` if it is proven that there is no such field. */
/** @typedef {{ key: Text, object: string, entry: ChildEntry | null }} Child Likewise `entry`. */

/**
 * A page of entries in the object's order. It is proven that none between `cursor` and the last entry was left out;
 * `complete` says that none follows either.
 *
 * @typedef {{
 *   kind: "fields" | "children", entries: Field[] | Child[], prefix: Text, cursor: Text | null, limit: number,
 *   next: Text | null, complete: boolean,
 * }} Page
 */

/**
 * What a checked proof says. Numbers that JavaScript cannot hold exactly are decimal text.
 *
 * @typedef {{
 *   path: string,
 *   hops: (ChildEntry & { object: string })[],
 *   object: { object: string, meta: Meta, fields: Field[], children: Child[], page: Page | null } | null,
 *   absentPath: string | null,
 *   heads: (ChildEntry & { object: string })[],
 *   absences: { object: string | null, fields: Text[], children: Text[] },
 * }} Proven
 *
 * - `hops`: the steps that the path could go.
 * - `heads`: those of them that lead into a remote subtree. Their `location.status` tells how sure the hub is of what is below.
 * - `object`: `null` if it does not exist; then `absentPath` is the first part of the path where nothing is.
 * - `absences`: everything that was asked for and is proven not to exist.
 */

/**
 * Checks a proof against a root that the caller trusts, for instance from {@link finalizedRoot}.
 *
 * The proof carries its own question: give `path`, so that the answer to another one is refused, and compare the page of the
 * result with what you asked for. {@link readProven} does both.
 *
 * @param {string | Uint8Array} proof SCALE bytes, as the `proof` of `dstp_proof` and `subtree_proof`
 * @param {object} trusted
 * @param {string | Uint8Array} trusted.root a StateRoot
 * @param {string | Uint8Array} [trusted.object] the object whose StateRoot it is; the global root's if not given
 * @param {import("./path.js").Path} [trusted.path] the path that the proof has to be about
 * @returns {Proven}
 * @throws {DstpError} if the proof does not hold; the message says why
 */
export function checkProof(proof, { root, object, path }) {
  const proven = ask("check_proof", { proof: asHex(proof), root: asHex(root), object: object && asHex(object) });
  if (path !== undefined && formatPath(path) !== proven.path) {
    throw new DstpError(`the proof is about ${proven.path}, not ${formatPath(path)}`);
  }
  const heads = proven.hops.filter((hop) => hop.location.kind === "remote");
  return { ...proven, heads, absences: absences(proven) };
}

function absences({ object, absentPath }) {
  const missing = (list, what) => (list ?? []).filter((entry) => entry[what] === null).map((entry) => entry.key);
  return {
    object: absentPath,
    fields: missing(object?.fields, "value"),
    children: missing(object?.children, "entry"),
  };
}

/**
 * The proven value of one field.
 *
 * @param {Proven} proven
 * @param {string} key as text
 * @returns {Text | null} `null`: it is proven that there is no such field
 * @throws {RangeError} if the proof says nothing about this field
 */
export function provenField(proven, key) {
  if (!proven.object && proven.absentPath) return null;
  const inPage = proven.object.page?.kind === "fields" ? proven.object.page.entries : [];
  const field = [...proven.object.fields, ...inPage].find((field) => field.key.text === key);
  if (!field) throw new RangeError(`the proof says nothing about the field ${key}`);
  return field.value;
}
