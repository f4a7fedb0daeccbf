// Which wallet, account and chain the reader acts with.
import { Chain } from "./chain.js";
import { WalletError } from "./provider.js";
import { compareChain, contradictions } from "./trust.js";

/** The wallet that was chosen in this visit. */
let chosen = null;

export const chosenWallet = () => chosen;

/** Leave it: the page forgets it, the wallet keeps its own permissions. */
export function leave() {
  chosen = null;
}

/**
 * Where the reader stands with a wallet: {wallet, chain, account, where, doubts}. `where` is "right", "other" (another chain's
 * id) or "twin" (the id, but another chain); `doubts` is what the contracts contradict of the server's word.
 * @param ask whether the wallet may ask the reader to be let in
 * @param signal aborts when the reader leaves the wallet, or chooses another one
 */
export async function connect(wallet, contracts, ask, signal) {
  const accounts = await wallet.request(ask ? "eth_requestAccounts" : "eth_accounts");
  signal.throwIfAborted(); // it may answer when another one has been chosen
  chosen = wallet;
  const chain = new Chain(wallet, contracts);
  const where = await compareChain(wallet, contracts);
  const doubts = where === "right" ? await doubtsOf(chain) : [];
  return { wallet, chain, account: accounts[0]?.toLowerCase() ?? null, where, doubts };
}

async function doubtsOf(chain) {
  try {
    return await contradictions(chain);
  } catch (error) {
    if (error instanceof RangeError) return ["At an address that this server names your node has no such contract."];
    throw error;
  }
}

/** Ask the wallet for the deployment's chain; a sentence if it cannot. */
export async function switchChain(wallet, { chainId }) {
  try {
    await wallet.request("wallet_switchEthereumChain", [{ chainId: `0x${chainId.toString(16)}` }]);
    return null;
  } catch (error) {
    if (!(error instanceof WalletError)) throw error;
    if (error.rejected) return "The wallet stays on its chain, as you said.";
    if (error.unknownChain)
      return `The wallet does not know chain ${chainId}. Add it there, with the address of a node that you trust.`;
    return error.message;
  }
}
