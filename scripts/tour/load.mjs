// Submits every place of the data set as signed calls to the node that serves /geo.

import { nextBlock } from "../lib/chain.mjs";
import { loadClient } from "../lib/packages.mjs";
import { countPlaces, placeCalls, readPlaces } from "../lib/places.mjs";
import { rpcBatch } from "../lib/rpc.mjs";
import { ASKED_STATES, GEO, node, VALID_BLOCKS } from "./geo.mjs";

export const name = "Loading every country, state and city into /geo";
export const timeoutMs = 900_000;

/**
 * Calls per request. The node executes those of one request in their order, which the nonces need; the next request is signed
 * while this one is under way.
 */
const CALLS_PER_REQUEST = 64;

/** Code of a call that is taken later; here, when the hub has accepted a head. */
const LATER = 9106;

export async function run({ nodes, signal, shared }, progress) {
  const { createCall } = await loadClient();
  shared.places = choosePlaces(shared.short);
  if (shared.short) progress.note("only the states that the tour asks about, because SHORT is set");
  const { countries, states, cities } = countPlaces(shared.places);
  const sign = await signer(shared);
  const calls = [...placeCalls(shared.places, createCall)];

  progress.start(countries + states + cities, "places");
  const { ws } = node(nodes, "vapp");
  const started = Date.now();
  let [done, waits] = [0, 0];
  let next = signAll(calls.slice(0, CALLS_PER_REQUEST), sign);
  for (let from = 0; from < calls.length; from += CALLS_PER_REQUEST) {
    const part = calls.slice(from, from + CALLS_PER_REQUEST);
    const sending = submitAll(ws, await next, { api: shared.vapp, signal });
    next = signAll(calls.slice(from + CALLS_PER_REQUEST, from + 2 * CALLS_PER_REQUEST), sign);
    waits += await sending;
    done += part.reduce((sum, { places }) => sum + places, 0);
    progress.set(done);
  }
  const seconds = (Date.now() - started) / 1000;
  shared.placeCount = done;
  shared.summary.push(["places in /geo", done], ["signed calls", calls.length], ["seconds to load", seconds.toFixed(1)]);
  return `${countries} countries, ${states} states and ${cities} cities in ${calls.length} signed calls, ` +
    `${Math.round(calls.length / seconds)} a second; ${waits} waits for the hub`;
}

function choosePlaces(short) {
  const places = readPlaces();
  if (!short) return places;
  const chosen = ([country, states]) => [country, new Map(states.map((state) => [state, places.get(country).get(state)]))];
  return new Map(Object.entries(ASKED_STATES).map(chosen));
}

/** Signs calls one after the other; nonces are counted here. */
async function signer({ validator, vapp, owner, epoch }) {
  const { pathToId, signCall } = await loadClient();
  const subtree = pathToId(GEO);
  const validUntil = (await validator.rpc.chain.getHeader()).number.toNumber() + VALID_BLOCKS;
  let nonce = (await vapp.rpc.subtree.nextNonce(subtree, owner.address)).toNumber();
  const genesis = validator.genesisHash;
  return (call) => signCall(owner, { genesis, subtree, epoch, nonce: nonce++, validUntil, call });
}

async function signAll(calls, sign) {
  const signed = [];
  for (const { call } of calls) signed.push((await sign(call)).hex);
  return signed;
}

/** Submits calls in their order until all are taken; where the node asks to wait, the rest goes out at the next block. */
async function submitAll(ws, calls, where) {
  let waits = 0;
  let rest = calls;
  while (rest.length > 0) {
    const answers = await rpcBatch(ws, "subtree_submit", rest.map((call) => [call]), where.signal);
    const refused = answers.findIndex(({ error }) => error);
    const taken = refused === -1 ? answers : answers.slice(0, refused);
    for (const { result } of taken) {
      if (result.status !== "applied") throw new Error(`call ${result.callId} ${result.status}: ${result.reason}`);
    }
    if (refused === -1) return waits;
    const { code, message } = answers[refused].error;
    if (code !== LATER) throw new Error(`subtree_submit: ${message} (code ${code})`);
    rest = rest.slice(refused);
    waits++;
    await nextBlock(where);
  }
  return waits;
}
