// Steps by which a contract gets ENERGY of the reader's: an allowance of exactly so much, and a deposit into escrow.
import { energy } from "../values.js";

export const allowance = (chain, spender, amount, { title, note }) => ({
  title,
  to: "Energy",
  call: "approve",
  args: [chain.contracts.of(spender).address, amount],
  note,
  done: () => ({ text: ["The contract may take ", energy(amount), "."], next: {} }),
});

export const deposit = (contract, amount, { title, note }) => ({
  title,
  to: contract,
  call: "deposit",
  args: [amount],
  note,
  done: () => ({ text: ["In escrow: ", energy(amount), "."], next: {} }),
});
