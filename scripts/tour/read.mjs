// Reads places from the follower. Every answer carries a proof, which is checked here, in JavaScript, against the global root in
// a header that a validator has finalised.

import { loadClient } from "../lib/packages.mjs";
import { table } from "../lib/output.mjs";

export const name = "Reading cities from the follower with proofs from the global root of a finalised block";
export const timeoutMs = 120_000;

const QUESTIONS = [
  { path: ["DE", "BE"], cities: ["Berlin", "Kreuzberg"] },
  { path: ["FR", "IDF"], cities: ["Paris"] },
  { path: ["JP", "13"], cities: ["Tokyo"] },
  { path: ["BR", "RJ"], cities: ["Rio de Janeiro"] },
  // A name with a slash: keys are raw bytes.
  { path: ["AU", "SA"], cities: ["Orroroo/Carrieton"] },
  { path: ["DE", "BE"], cities: ["Atlantis"] },
];

export async function run({ shared }) {
  const { formatPath, provenField, readRemote } = await loadClient();
  const { places, follower, validator } = shared;
  const rows = [];
  for (const { path: [country, state], cities } of QUESTIONS) {
    const path = ["geo", country, state];
    const { proven, block } = await readRemote(follower, { path, fields: cities }, validator);
    for (const city of cities) {
      const expected = places.get(country).get(state).get(city) ?? null;
      const found = provenField(proven, city)?.text ?? null;
      if (found !== expected) throw new Error(`${formatPath(path)}: ${city} is ${found}, not ${expected}`);
      rows.push([formatPath([...path, city]), found ?? "does not exist", block.number]);
    }
  }
  table(["city", "proven", "block"], rows);
  shared.summary.push(["cities read with a proof", rows.length]);
  return `${rows.length} answers proven, one of them an absence`;
}
