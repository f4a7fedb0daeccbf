// One transaction from the wallet's question to its end. Nothing is sent twice: whoever does not know what became of a
// transaction looks for it on the chain, and as long as that does not tell, sends nothing.
import { callHash } from "./attempts.js";
import { pause } from "./chain.js";
import { WalletError } from "./provider.js";
import { Refusal } from "./refusal.js";
import { compareChain } from "./trust.js";

const POLL = 1500;

/** Blocks on top of a transaction's until it is looked at no more. */
const DEEP = 3;

/** How many of an account's next transactions may be the one that is looked for. */
const MOST_NONCES = 8;

/** How often in a row a node may not know what was sent: another of its machines may be behind, or the wallet's may. */
const MOST_UNSEEN = 10;

/**
 * Send a transaction and follow it.
 * @param told hears of each state: {state, hash?, block?, error?, fee?}; `state` is "signing", "rejected", "refused" (it was
 *   not sent), "busy" (another one is under way), "pending", "mined", "failed", "replaced" (by another transaction) or
 *   "unknown" (whether it was sent; with a hash, whether it still waits)
 * @returns the last state; throws if the wallet was not asked for it at all
 */
export async function send(chain, attempts, { tx, title, signal, told }) {
  const [nonce, { number }] = await Promise.all([chain.nonceAt(tx.from), chain.head()]);
  const call = callHash(tx);
  const attempt = { id: `${nonce}:${number}:${call}`, from: tx.from, call, nonce, block: number, title, hash: null };
  if (!(await attempts.claim(attempt))) return end({ state: "busy" }, told);
  try {
    await beSure(chain, signal);
  } catch (error) {
    attempts.forget(attempt); // the wallet has not been asked for it yet
    throw error;
  }
  told({ state: "signing" });
  try {
    attempt.hash = await chain.send(tx);
  } catch (error) {
    if (!(error instanceof WalletError)) throw error;
    if (error.notSent) {
      attempts.forget(attempt);
      const why = error.data ? chain.contracts.explain(error.data) : error;
      return end({ state: error.rejected ? "rejected" : "refused", error: why }, told);
    }
    told({ state: "unknown", error });
    return follow(chain, attempts, { attempt, tx, signal, told });
  }
  attempts.update(attempt);
  return follow(chain, attempts, { attempt, tx, signal, told });
}

/** Throws where the wallet has gone to another chain since the reader saw the plan, or the reader elsewhere. */
async function beSure(chain, signal) {
  if ((await compareChain(chain.wallet, chain.contracts)) !== "right")
    throw new Refusal("The wallet has gone to another chain.", "Nothing was sent.");
  signal.throwIfAborted();
}

function end(state, told) {
  told(state);
  return state;
}

/**
 * Follow an attempt to its end; also one of an earlier visit, of which only what was kept is known.
 * @param tx the transaction, if it is known: it tells why one failed
 */
export async function follow(chain, attempts, { attempt, tx = null, signal, told }) {
  let last = null;
  for (;;) {
    const { hash, own } = attempt;
    const found = await standing(chain, attempt, last);
    attempt.hash = found.hash ?? hash;
    if (attempt.hash !== hash || attempt.own !== own) attempts.update(attempt);
    if (found.state === "failed" && tx && !last?.block) found.error = await reason(chain, tx, found.block);
    if (found.block || found.state === "replaced") attempts.forget(attempt); // whoever leaves now knows how it ended
    if (last === null || ["state", "hash", "block", "away"].some((key) => found[key] !== last[key])) told(found);
    last = found;
    if (found.state === "replaced" || (found.block && found.head >= found.block + DEEP)) return found;
    await pause(POLL, signal);
  }
}

/** Where an attempt stands; as before, if wallet or node do not tell just now. */
async function standing(chain, attempt, last) {
  try {
    const found = await look(chain, attempt, last);
    return found.block ? { ...found, head: (await chain.head()).number } : found;
  } catch (error) {
    if (!(error instanceof WalletError)) throw error;
    return { state: attempt.hash ? "pending" : "unknown", hash: attempt.hash, ...last, away: true };
  }
}

/** Where an attempt stands now. Its own nonce, once a node tells it, is kept in it. */
async function look(chain, attempt, last) {
  const { hash } = attempt;
  const receipt = hash && (await chain.wallet.request("eth_getTransactionReceipt", [hash]));
  if (receipt) return ofReceipt(receipt);
  const mined = await chain.nonceAt(attempt.from);
  const known = hash ? await chain.wallet.request("eth_getTransactionByHash", [hash]) : null;
  if (known) attempt.own = Number(known.nonce);
  const first = attempt.own ?? attempt.nonce;
  const found = mined > first ? await searched(chain, attempt, first, mined).catch(forgotten) : null;
  if (found) return found;
  if (known) return { state: "pending", hash };
  if (hash) {
    const unseen = (last?.unseen ?? 0) + 1;
    return { state: unseen > MOST_UNSEEN ? "unknown" : "pending", hash, unseen };
  }
  const waits = mined <= first && (await chain.nonceAt(attempt.from, "pending")) > first;
  return { state: waits ? "pending" : "unknown" };
}

/** A node may have forgotten how an account stood in old blocks. */
function forgotten(error) {
  if (!(error instanceof WalletError)) throw error;
  return null;
}

/**
 * The transaction that took an attempt's place in the account's order: itself with another fee, or another one; null if
 * the chain does not tell. Without its own nonce it may still come behind the others: others waited before it was sent.
 */
async function searched(chain, attempt, first, mined) {
  const { hash, own } = attempt;
  const most = own === undefined ? MOST_NONCES : 1;
  for (let nonce = first; nonce < Math.min(mined, first + most); nonce++) {
    const found = await withNonce(chain, attempt.from, nonce, attempt.block);
    if (!found) return null;
    if (callHash({ ...found, data: found.input }) === attempt.call) {
      const receipt = await chain.wallet.request("eth_getTransactionReceipt", [found.hash]);
      if (receipt) return { ...ofReceipt(receipt), fee: hash !== null && hash !== found.hash };
      return { state: "pending", hash: found.hash };
    }
    if (own !== undefined) return { state: "replaced", hash, by: found.hash };
  }
  return null;
}

const ofReceipt = ({ status, transactionHash, blockNumber, logs }) => ({
  state: Number(status) === 1 ? "mined" : "failed",
  hash: transactionHash,
  block: Number(blockNumber),
  logs,
});

/** The mined transaction of an account with a nonce, by halving the blocks that it can be in. */
async function withNonce(chain, account, nonce, from) {
  let [low, high] = [from, (await chain.head()).number];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await chain.nonceAt(account, middle)) > nonce) high = middle;
    else low = middle + 1;
  }
  const all = await chain.transactionsIn(low);
  return all.find((one) => one.from.toLowerCase() === account && Number(one.nonce) === nonce) ?? null;
}

/** Why a mined transaction failed, as far as a call in its block's state tells. */
async function reason(chain, { from, to, data, value }, block) {
  const tx = { from, to, data, value: `0x${BigInt(value).toString(16)}` };
  try {
    await chain.wallet.request("eth_call", [tx, `0x${block.toString(16)}`]);
  } catch (error) {
    if (error instanceof WalletError) return error.data ? chain.contracts.explain(error.data) : error;
    throw error;
  }
  return null;
}
