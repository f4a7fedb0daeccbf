// What can be checked of the server's word on where the contracts stand, by the reader's own node.
import { keccak } from "../kernel/keccak.js";
import { toHex } from "../kernel/bytes.js";

const MINTER = toHex(keccak(new TextEncoder().encode("MINTER_ROLE")));

/** What each contract must answer: [contract, function, whose address it is]. */
const NAMED = [
  ["CheckpointLedger", "beasts", "Beasts"],
  ["CheckpointLedger", "seasons", "SeasonRegistry"],
  ["CheckpointLedger", "court", "DisputeCourt"],
  ["CheckpointLedger", "arena", "Arena"],
  ["Arena", "states", "StateArchive"],
  ["Arena", "referee", "MatchReferee"],
  ["DisputeCourt", "vault", "DisputeVault"],
  ["Beasts", "energy", "Energy"],
  ["EnergySale", "seasons", "SeasonRegistry"],
];

/** Whom the ledger, whose address alone is to be believed, does not lead to: [sentence, …], empty if all is right. */
export async function contradictions(chain) {
  const { contracts } = chain;
  const asked = NAMED.map(async ([from, name, whose]) => {
    const said = await chain.read(from, name);
    const [expected, found] = [contracts.of(whose).address, said.toLowerCase()];
    return found === expected ? null : `${from} says that ${whose} is at ${found}, this server says ${expected}.`;
  });
  const sale = contracts.of("EnergySale").address;
  asked.push(
    chain
      .read("Energy", "hasRole", MINTER, sale)
      .then((may) => (may ? null : `Energy does not let the sale at ${sale} make any ENERGY.`)),
  );
  return (await Promise.all(asked)).filter((one) => one !== null);
}

/** Whether the wallet's chain is the deployment's: "right", "other" id, or another chain of the same id, a "twin". */
export async function compareChain(wallet, { chainId, genesis }) {
  if (Number(await wallet.request("eth_chainId")) !== chainId) return "other";
  const first = await wallet.request("eth_getBlockByNumber", ["0x0", false]);
  // A node that has forgotten its first block is judged by the contracts that it has.
  return !first || first.hash === genesis ? "right" : "twin";
}
