// The Wasm module alone: what it needs of its host, and what it answers to Rust's vectors.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { callPayload, checkProof, createCall, DstpError, formatPath, parsePath, pathToId, provenField } from "../src/index.js";
import { toHex } from "../src/bytes.js";
import { ask } from "../src/wasm.js";

const vectors = async (name) => JSON.parse(await readFile(new URL(`vectors/${name}.json`, import.meta.url), "utf8"));
const proofs = await vectors("proofs");
const calls = await vectors("calls");
const named = (name) => proofs.find((vector) => vector.name === name);
const check = ({ proof, root, object }) => checkProof(proof, { root, object });

test("the module imports nothing", async () => {
  const bytes = await readFile(new URL("../dist/dstp.wasm", import.meta.url));
  assert.deepEqual(WebAssembly.Module.imports(new WebAssembly.Module(bytes)), []);
});

test("every proof says what it says in Rust", () => {
  assert.ok(proofs.length > 0);
  for (const vector of proofs) {
    const { heads, absences, ...answer } = check(vector);
    assert.deepEqual(answer, vector.answer, vector.name);
    assert.ok(Array.isArray(heads) && absences, vector.name);
  }
});

test("a path through a remote subtree names its head", () => {
  const proven = check(named("fields through a remote subtree"));
  assert.equal(proven.hops.length, 3);
  const [{ object, location }, ...others] = proven.heads;
  assert.deepEqual(others, []);
  assert.equal(object, pathToId("/geo"));
  assert.deepEqual(location, { kind: "remote", mode: "1", epoch: 3, era: 0, seq: 12, status: "pending", pendingUntil: 900 });
  assert.deepEqual(provenField(proven, "Berlin"), { hex: toHex(new TextEncoder().encode("52.52,13.405")), text: "52.52,13.405" });
  assert.equal(provenField(proven, "Berlin/Mitte").text, "Straße");
  assert.deepEqual(provenField(proven, "binary"), { hex: "0xff00fe", text: null });
  assert.throws(() => provenField(proven, "Potsdam"), RangeError);
});

test("absences are proven", () => {
  const field = check(named("an absent field"));
  assert.deepEqual(field.absences.fields.map((key) => key.text), ["Atlantis"]);
  assert.equal(provenField(field, "Atlantis"), null);
  const object = check(named("an absent object"));
  assert.equal(object.object, null);
  assert.equal(object.absences.object, "/geo/DE/ZZ");
  const root = check(named("the root object"));
  assert.deepEqual(root.absences.children.map((key) => key.text), ["nowhere"]);
});

test("numbers that JavaScript would round are text", () => {
  const proven = check(named("an empty namespace"));
  assert.equal(proven.heads[0].location.epoch, "18446744073709551615");
});

test("pages say whether they are complete", () => {
  const first = check(named("a first page")).object.page;
  assert.equal(first.entries.length, 8);
  assert.equal(first.complete, false);
  assert.equal(first.next.text, first.entries.at(-1).key.text);
  const last = check(named("a last page")).object.page;
  assert.equal(last.cursor.text, "place 11");
  assert.deepEqual([last.entries.length, last.complete, last.next], [8, true, null]);
  const children = check(named("all children")).object.page;
  assert.deepEqual(children.entries.map((child) => child.key.text), ["BB", "BE", "BW", "BY", "HB"]);
  assert.equal(children.entries[1].object, pathToId("/geo/DE/BE"));
  assert.deepEqual(check(named("an empty page")).object.page.entries, []);
});

test("a changed proof is refused, whichever byte changed", () => {
  const { proof, root, object } = named("an absent field");
  const bytes = Buffer.from(proof.slice(2), "hex");
  const answer = check(named("an absent field"));
  for (let at = 0; at < bytes.length; at++) {
    const changed = Uint8Array.from(bytes);
    changed[at] ^= 1 << at % 8;
    try {
      // A change of the question may leave the nodes a proof of another answer, never of another state.
      assert.notDeepEqual(checkProof(changed, { root, object }), answer, `byte ${at}`);
    } catch (error) {
      assert.ok(error instanceof DstpError && error.message.length > 10, `byte ${at}: ${error}`);
      assert.doesNotMatch(error.message, /given up/, `byte ${at} made the module trap`);
    }
  }
});

test("a proof holds under its own root, object and path only", () => {
  const { proof, root, object } = named("from a head");
  assert.throws(() => checkProof(proof, { root: `0x${"01".repeat(32)}`, object }), DstpError);
  assert.throws(() => checkProof(proof, { root: named("all children").root }), DstpError);
  assert.equal(checkProof(proof, { root, object, path: ["DE", "BE"] }).path, "/DE/BE");
  assert.throws(() => checkProof(proof, { root, object, path: "/DE" }), /is about \/DE\/BE, not \/DE/);
});

test("truncated, lengthened and foreign bytes are refused", () => {
  const { proof, root } = named("all children");
  for (const bad of [proof.slice(0, -2), `${proof}00`, "0x", "0x01", "01", "0xzz", proof.slice(0, -1)]) {
    assert.throws(() => checkProof(bad, { root }), DstpError);
  }
  assert.throws(() => checkProof(new Uint8Array(3 << 20), { root }), /does not fit into one proof/);
  assert.throws(() => checkProof(new Uint8Array(5 << 20), { root }), /at most 8388608 bytes/);
  assert.throws(() => checkProof(proof, { root: "0x00" }), /32 bytes/);
});

test("signing bytes and ids of calls are Rust's", () => {
  for (const { request, signingBytes, id } of calls) {
    assert.deepEqual(pick(callPayload(request), ["signingBytes", "id"]), { signingBytes, id });
  }
});

test("builders make the operations that Rust knows", () => {
  const [create, createBelow, set, remove, transfer, share, freeze, removeObject, removeAll] = calls
    .filter(({ kind }) => kind === "ed25519")
    .map(({ request, signingBytes }) => ({ request, signingBytes }));
  const expected = [
    [create, createCall.create("/", "DE", { objectType: "country", hashedKeys: true })],
    [createBelow, createCall.create(["DE"], "a/b")],
    [set, createCall.setFields("/DE", [["Berlin", Uint8Array.of(0, 255)], ["x", ""]])],
    [set, createCall.setFields("/DE", { Berlin: Uint8Array.of(0, 255), x: "" })],
    [remove, createCall.removeFields("/DE", ["Berlin"])],
    [transfer, createCall.transfer("/DE", new Uint8Array(32).fill(9))],
    [share, createCall.share("/DE")],
    [freeze, createCall.freeze("/DE")],
    [removeObject, createCall.remove("/DE")],
    [removeAll, createCall.removeRecursive("/DE")],
  ];
  for (const [{ request, signingBytes }, call] of expected) {
    assert.equal(callPayload({ ...request, epoch: 2n ** 64n - 1n, call }).signingBytes, signingBytes);
  }
  assert.deepEqual(Object.keys(createCall).length, 8);
});

test("calls that a node would refuse are not made", () => {
  const { request } = calls[0];
  const make = (changes) => () => callPayload({ ...request, ...changes });
  assert.throws(make({ call: createCall.setFields("/", {}) }), /1 to 256 fields/);
  assert.throws(make({ call: createCall.setFields("/", { key: new Uint8Array(16385) }) }), /16384 bytes/);
  assert.throws(make({ call: createCall.create("/", "k".repeat(65)) }), /longer than 64 bytes/);
  assert.throws(make({ call: createCall.share("DE") }), /starts with '\/'/);
  assert.throws(make({ nonce: 2 ** 60 }), /is not exact/);
  assert.throws(make({ epoch: -1 }), /decimal number/);
  assert.throws(make({ validUntil: 2 ** 32 }), /not understood/);
});

test("paths are read and written", () => {
  assert.equal(pathToId("/"), `0x${"00".repeat(32)}`);
  assert.equal(formatPath(["geo", "a/b", Uint8Array.of(255)]), "/geo/a%2Fb/%FF");
  assert.deepEqual(parsePath("/geo/a%2fb/%ff").map((key) => key.text), ["geo", "a/b", null]);
  assert.equal(pathToId("/DE", pathToId("/geo")), pathToId("/geo/DE"));
  for (const bad of ["geo", "/geo/", "/%", `/${"a/".repeat(33)}b`, ["x".repeat(65)]]) {
    assert.throws(() => pathToId(bad), DstpError);
  }
});

test("the module goes on after a request that it gave up", () => {
  assert.throws(() => ask("no_such_function", {}), DstpError);
  assert.equal(formatPath("/"), "/");
});

const pick = (object, names) => Object.fromEntries(names.map((name) => [name, object[name]]));
