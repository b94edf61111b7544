// The places of the npm package country-state-city as calls into a subtree: every country an object under its ISO code, every
// state a child of it, every city a field of its state whose value is "latitude,longitude".

import { fromZombienet } from "./packages.mjs";

/** Most fields that one call sets. */
const CITIES_PER_CALL = 256;

const value = ({ latitude, longitude }) => `${latitude},${longitude}`;

/** Reads the package. Gives the countries in its order, and what is in them; keys are raw and may hold any character. */
export function readPlaces() {
  const { Country, State, City } = fromZombienet("country-state-city");
  const countries = new Map(Country.getAllCountries().map(({ isoCode }) => [isoCode, new Map()]));
  for (const { countryCode, isoCode } of State.getAllStates()) countries.get(countryCode).set(isoCode, new Map());
  for (const city of City.getAllCities()) {
    countries.get(city.countryCode).get(city.stateCode).set(city.name, value(city));
  }
  return countries;
}

/** How many countries, states and cities there are. */
export function countPlaces(countries) {
  const states = [...countries.values()].flatMap((country) => [...country.values()]);
  return { countries: countries.size, states: states.length, cities: states.reduce((sum, state) => sum + state.size, 0) };
}

/**
 * The calls that write all places, in an order in which every parent comes before what is in it. Each has the number of places
 * that it writes.
 */
export function* placeCalls(countries, createCall) {
  for (const [country, states] of countries) {
    yield { places: 1, call: createCall.create([], country, { objectType: "country" }) };
    for (const [state, cities] of states) {
      yield { places: 1, call: createCall.create([country], state, { objectType: "state" }) };
      const fields = [...cities];
      for (let from = 0; from < fields.length; from += CITIES_PER_CALL) {
        const part = fields.slice(from, from + CITIES_PER_CALL);
        yield { places: part.length, call: createCall.setFields([country, state], part) };
      }
    }
  }
}
