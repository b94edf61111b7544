// A fourth node joins the network and fetches the whole of /geo from the others.

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../lib/chain.mjs";
import { loadClient } from "../lib/packages.mjs";
import { nodeStatus } from "../lib/rpc.mjs";
import { GEO, statusOf } from "./geo.mjs";

export const name = "Starting a follower that fetches /geo from nothing";
export const timeoutMs = 300_000;

const POLL_MS = 200;

/** Most memory that a follower with the whole data set may take. */
const MOST_MEMORY_MB = 1000;

export async function run({ network, signal, shared }, progress) {
  const { pathToId } = await loadClient();
  const { places, validator } = shared;
  const geo = pathToId(GEO);
  const started = Date.now();
  const node = await network.start("follower");
  while (!(await nodeStatus(node, signal).catch(() => undefined))) await sleep(POLL_MS, undefined, { signal });
  const follower = (shared.follower = await connect(node));

  // A place is an object or a field; the copy counts both, and a few entries more.
  progress.start(shared.placeCount, "places");
  let status;
  for (;;) {
    status = await statusOf(follower, geo);
    const { objects = 0, entries = 0 } = status?.sync ?? {};
    progress.set(Math.min(objects + entries, shared.placeCount));
    if (status?.stopped) throw new Error(`the follower stopped: ${status.stopped}`);
    if (status?.synced && status.localSeq > 0 && status.localSeq === status.hubSeq) break;
    await sleep(POLL_MS, undefined, { signal });
  }
  const head = (await validator.rpc.subtree.head(geo)).toJSON();
  if (status.localRoot !== head.stateRoot) {
    throw new Error(`the follower has the root ${status.localRoot}, the hub accepted ${head.stateRoot}`);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const megabytes = (status.sync.bytes / 1e6).toFixed(1);
  shared.summary.push(["seconds for the follower to start and fetch /geo", seconds], ["MB fetched, every range proven", megabytes]);
  const memory = await peakMemory(node.pid);
  if (memory > MOST_MEMORY_MB) throw new Error(`the follower took ${memory} MB of memory, more than ${MOST_MEMORY_MB} MB`);
  if (memory) shared.summary.push(["MB of memory of the follower, at most", memory]);
  return `${megabytes} MB in ranges proven against the finalised head ${status.localSeq}, ${seconds} s with the node's start`;
}

/** The most memory that a process had, in MB; `undefined` where the system does not tell. */
async function peakMemory(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes && Math.round((kilobytes * 1024) / 1e6);
}
