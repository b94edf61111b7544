// Writes the places of the tour for dstp-bench: [[country, [[state, [[city, value]]]]]].
//   node scripts/bench-places.mjs FILE
// Ends with 1 where the npm package is not installed.

import { writeFileSync } from "node:fs";
import { readPlaces } from "./lib/places.mjs";

const [file] = process.argv.slice(2);
if (!file) {
  console.error("usage: node scripts/bench-places.mjs FILE");
  process.exit(2);
}
let countries;
try {
  countries = readPlaces();
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND") throw error;
  process.exit(1);
}
const list = [...countries].map(([country, states]) => [country, [...states].map(([state, cities]) => [state, [...cities]])]);
writeFileSync(file, JSON.stringify(list));
