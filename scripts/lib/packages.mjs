// npm packages live beside their lock files, in zombienet/ and in the client's folder; Node.js would look for them beside the
// scripts.

import { createRequire } from "node:module";

const from = (folder) => createRequire(new URL(`../../${folder}/package.json`, import.meta.url));

/** Loads a CommonJS package that zombienet/package.json names. Throws if `make setup` has not installed it. */
export const fromZombienet = from("zombienet");

/** Loads a package that the package.json of node/clients/js names. */
export const fromClient = from("node/clients/js");

/**
 * Loads the client itself. Not before its Wasm module is built, which `make run` does first.
 *
 * @returns {Promise<typeof import("../../node/clients/js/src/index.js")>}
 */
export const loadClient = () => import("../../node/clients/js/src/index.js");
