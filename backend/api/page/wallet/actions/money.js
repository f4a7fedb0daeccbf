// Buying ENERGY, and taking out what is the reader's.
import { Refusal } from "../refusal.js";
import { parseAmount, short } from "../units.js";
import { coin, energy } from "../values.js";

const ONE = 10n ** 18n;

export const buy = {
  name: "buy",
  title: "Buy ENERGY",
  text: "The sale gives ENERGY for the chain's coin, at the price of the season in force, to everybody.",
  fields: [{ name: "amount", label: "ENERGY to buy", kind: "amount", example: "10" }],
  async plan(chain, account, { amount }) {
    const wanted = parseAmount(amount);
    if (!wanted) throw new Refusal("How much is to be bought?", "Write an amount such as 10 or 0.5.");
    const [price, held] = await Promise.all([chain.read("EnergySale", "price"), chain.coinOf(account)]);
    if (!price)
      throw new Refusal(
        "The sale is closed: this season sells no ENERGY.",
        "On a devnet: chainbeasts energy faucet AMOUNT",
      );
    const value = (wanted * price + ONE - 1n) / ONE;
    if (held < value)
      throw new Refusal(["This account has ", coin(held), "; ", coin(value), " and the gas are needed."]);
    return {
      facts: [
        ["One ENERGY costs", coin(price)],
        ["You pay", coin(value)],
        ["You get", [energy(wanted), " or more"]],
      ],
      step: {
        title: `Buy ${short(wanted)} ENERGY`,
        to: "EnergySale",
        call: "buy",
        args: [account, wanted],
        value,
        note: "Should the price have risen when it is mined, nothing is bought and nothing paid but the gas.",
        done: (logs) => {
          const { out, paid } = logs("EnergySale", "EnergyBought");
          return { text: ["Bought ", energy(out), " for ", coin(paid), "."] };
        },
      },
    };
  },
};

/** What an account can take out: label, in what, and where it is read and taken. */
const PURSES = {
  rewards: {
    label: "Rewards of matches",
    of: energy,
    read: (chain, account) => chain.read("Arena", "rewardsOf", account),
    step: (account) => ({ to: "Arena", call: "claimRewards", args: [account] }),
  },
  credit: {
    label: "Coin from disputes (vault)",
    of: coin,
    read: (chain, account) => chain.read("DisputeVault", "creditOf", account),
    step: (account) => ({ to: "DisputeVault", call: "withdrawCredit", args: [account] }),
  },
  ledger: {
    label: "ENERGY in the ledger's escrow",
    of: energy,
    read: (chain, account) => chain.read("CheckpointLedger", "escrowOf", account),
    step: (account, amount) => ({ to: "CheckpointLedger", call: "withdraw", args: [amount, account] }),
    note: "Training is paid out of this escrow: a trainer that runs deposits again.",
  },
  arena: {
    label: "ENERGY in the arena's escrow",
    of: energy,
    read: (chain, account) => chain.read("Arena", "escrowOf", account),
    step: (account, amount) => ({ to: "Arena", call: "withdraw", args: [amount, account] }),
    note: "The bonds of those who record matches are paid out of this escrow.",
  },
};

export const claim = {
  name: "claim",
  title: "Claim",
  text: "Rewards of matches, shares of convictions and what stands in your escrows: each is paid out to your account.",
  fields: [
    {
      name: "what",
      label: "What to take out",
      kind: "choice",
      options: Object.entries(PURSES).map(([value, { label }]) => [value, label]),
    },
  ],
  async plan(chain, account, { what }) {
    const names = Object.keys(PURSES);
    const sums = await Promise.all(names.map((name) => PURSES[name].read(chain, account)));
    const facts = names.map((name, i) => [PURSES[name].label, PURSES[name].of(sums[i])]);
    const purse = PURSES[what];
    if (!purse) throw new Refusal("There is nothing of that name to claim.");
    const amount = sums[names.indexOf(what)];
    if (!amount) return { facts, done: `${purse.label}: there is nothing to take out.` };
    return {
      facts,
      step: {
        title: `Take out ${short(amount)} ${purse.of === coin ? "coin" : "ENERGY"}`,
        ...purse.step(account, amount),
        note: purse.note,
        done: () => ({ text: ["Taken out: ", purse.of(amount), "."] }),
      },
    };
  },
};
