// What the tour does with @polkadot/api.

import { fromClient, loadClient } from "./packages.mjs";

const { ApiPromise, Keyring, WsProvider } = fromClient("@polkadot/api");
const { cryptoWaitReady } = fromClient("@polkadot/util-crypto");

/** Connects to a node; disconnect it when done. */
export async function connect({ ws }) {
  const { definitions } = await loadClient();
  // Without connecting again by itself: a node that is gone stays gone, and the run says so.
  const provider = new WsProvider(ws, false);
  await provider.connect();
  return ApiPromise.create({ provider, throwOnConnect: true, noInitWarn: true, ...definitions });
}

/** The sr25519 pair of a development account such as //Dave. Its secret is public. */
export async function developmentKey(secret) {
  await cryptoWaitReady();
  return new Keyring({ type: "sr25519" }).addFromUri(secret);
}

/** Submits a transaction; resolves with the finalised block's hash if it succeeded. */
export function finalised(api, transaction, signer) {
  return new Promise((resolve, reject) => {
    const done = ({ status, dispatchError }) => {
      if (dispatchError?.isModule) {
        const { section, name, docs } = api.registry.findMetaError(dispatchError.asModule);
        reject(new Error(`${section}.${name}: ${docs.join(" ")}`));
      } else if (dispatchError) reject(new Error(`the transaction failed: ${dispatchError}`));
      else if (status.isFinalized) resolve(status.asFinalized.toHex());
      else if (status.isInvalid || status.isDropped || status.isUsurped) {
        reject(new Error(`the transaction pool gave the transaction up: ${status.type}`));
      }
    };
    transaction.signAndSend(signer, done).catch(reject);
  });
}

/**
 * Asks `condition` now and at every new block of a node until it gives something other than `undefined`, and gives that.
 * Rejects if it rejects, and when `signal` aborts.
 *
 * @param {{ api: object, signal: AbortSignal, finalised?: boolean }} where `finalised`: at finalised blocks only
 * @param {(header: object) => Promise<any>} condition gets the block's header
 */
export async function atSomeBlock({ api, signal, finalised: only = false }, condition) {
  const { chain } = api.rpc;
  let abort;
  let asking = false;
  let subscribed;
  try {
    return await new Promise((resolve, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener("abort", abort);
      const ask = async (header) => {
        // Blocks that come meanwhile are not asked about: a later one will tell.
        if (asking) return;
        asking = true;
        const found = await condition(header);
        asking = false;
        if (found !== undefined) resolve(found);
      };
      const each = (header) => void ask(header).catch(reject);
      subscribed = only ? chain.subscribeFinalizedHeads(each) : chain.subscribeNewHeads(each);
      subscribed.catch(reject);
    });
  } finally {
    signal.removeEventListener("abort", abort);
    // Where the subscription failed, that error is on its way already.
    await subscribed?.then((unsubscribe) => unsubscribe()).catch(() => {});
  }
}

/**
 * Does `work`, which lasts until a block that comes soon is final, and shows meanwhile how many blocks that takes.
 *
 * @param {{ api: object, progress: object, ahead: number }} where `ahead`: so many blocks after the newest one is that block
 * @param {() => Promise<any>} work
 */
export async function showBlocks({ api: { rpc }, progress, ahead }, work) {
  const numberOf = async (header) => (await header).number.toNumber();
  const final = await numberOf(rpc.chain.getHeader(await rpc.chain.getFinalizedHead()));
  const blocks = (await numberOf(rpc.chain.getHeader())) + ahead - final;
  progress.start(blocks, "blocks");
  const end = await rpc.chain.subscribeFinalizedHeads(({ number }) => progress.set(Math.min(number.toNumber() - final, blocks)));
  try {
    return await work();
  } finally {
    end();
  }
}

/** Resolves at the next block after the current one. */
export async function nextBlock(where) {
  let first;
  await atSomeBlock(where, async ({ number }) => {
    first ??= number.toNumber();
    return number.toNumber() > first ? true : undefined;
  });
}
