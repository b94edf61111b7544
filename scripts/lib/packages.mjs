// npm packages live beside their lock file in zombienet/; Node.js would look for them beside the scripts.

import { createRequire } from "node:module";

/** Loads a CommonJS package that zombienet/package.json names. Throws if `make setup` has not installed it. */
export const fromZombienet = createRequire(new URL("../../zombienet/package.json", import.meta.url));
