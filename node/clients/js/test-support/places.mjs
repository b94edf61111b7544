// A small part of what the tour loads into /geo.

import { readPlaces } from "../../../../scripts/lib/places.mjs";

/** Two states: one of them has more cities than one call sets, and one city's name holds a slash. */
const STATES = { DE: "BE", AU: "SA" };
const CITIES = { DE: "Berlin", AU: "Orroroo/Carrieton" };

/**
 * Countries with their states and these with their cities, as in scripts/lib/places.mjs. Without the npm package of the real ones,
 * which is installed in zombienet/, the same number of made-up towns beside one real city each.
 *
 * @returns {Map<string, Map<string, Map<string, string>>>}
 */
export function somePlaces() {
  const all = realPlaces();
  const cities = (country) => all?.get(country).get(STATES[country]) ?? towns(CITIES[country]);
  return new Map(Object.keys(STATES).map((country) => [country, new Map([[STATES[country], cities(country)]])]));
}

function realPlaces() {
  try {
    return readPlaces();
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

function towns(city) {
  const names = [city, ...Array.from({ length: 300 }, (_, i) => `Town ${i}`)];
  return new Map(names.map((name, i) => [name, `${i},${-i}`]));
}
