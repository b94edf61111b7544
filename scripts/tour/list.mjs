// Lists a state's cities with proofs that none is missing.

import { loadClient } from "../lib/packages.mjs";

export const name = "Listing the cities of a state with a proof that none is missing";
export const timeoutMs = 120_000;

const COUNTRY = "DE";
const STATE = "BY";
const PAGE = 500;

export async function run({ shared }) {
  const { readRemote } = await loadClient();
  const { places, follower, validator } = shared;
  const path = ["geo", COUNTRY, STATE];
  const found = [];
  let cursor;
  let pages = 0;
  for (;;) {
    const { proven } = await readRemote(follower, { path, page: { kind: "fields", cursor, limit: PAGE } }, validator);
    const { entries, next, complete } = proven.object.page;
    found.push(...entries);
    pages++;
    if (complete) break;
    cursor = next.text;
  }
  const expected = places.get(COUNTRY).get(STATE);
  const same = found.length === expected.size && found.every(({ key, value }) => expected.get(key.text) === value.text);
  if (!same) throw new Error(`the proven list of /geo/${COUNTRY}/${STATE} is not the state's ${expected.size} cities`);
  shared.summary.push([`cities of /geo/${COUNTRY}/${STATE}, none missing`, found.length]);
  return `/geo/${COUNTRY}/${STATE} has ${found.length} cities, proven in ${pages} pages`;
}
