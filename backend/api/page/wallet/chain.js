// The chain as the reader's own node tells of it: every value that decides is read through the wallet.
import { WalletError } from "./provider.js";

/** For so many blocks the chain keeps a block's hash in its history contract (EIP-2935). */
export const BLOCK_HASHES = 8191;

const hexOf = (number) => `0x${BigInt(number).toString(16)}`;

/** Rounds of asking a node that has not heard of a block yet. */
const PAUSE = 1000;

export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

export class Chain {
  constructor(wallet, contracts) {
    this.wallet = wallet;
    this.contracts = contracts;
    this.born = new Map();
  }

  /** A view function's answer. */
  async read(contract, name, ...args) {
    const found = this.contracts.of(contract);
    const tx = { to: found.address, data: found.encode(name, args) };
    return found.decode(name, await this.#explained("eth_call", [tx, "latest"]));
  }

  /** What a transaction would give if it were mined now; throws Reverted where the contracts refuse it. */
  async simulate({ from, to, data, value }) {
    return this.#explained("eth_call", [{ from, to, data, value: hexOf(value) }, "latest"]);
  }

  /** The gas of a transaction and what it costs at the node's present price: {gas, price}, in gas and wei. */
  async cost({ from, to, data, value }) {
    const tx = { from, to, data, value: hexOf(value) };
    const [gas, price] = await Promise.all([
      this.#explained("eth_estimateGas", [tx]),
      this.wallet.request("eth_gasPrice"),
    ]);
    return { gas: BigInt(gas), price: BigInt(price) };
  }

  /** Ask the wallet to sign and send, for this chain and no other; the transaction's hash. */
  send({ from, to, data, value }) {
    const tx = { from, to, data, value: hexOf(value), chainId: hexOf(this.contracts.chainId) };
    return this.wallet.request("eth_sendTransaction", [tx]);
  }

  /** A beast's DNA, which never changes. */
  async dnaOf(beast) {
    if (!this.born.has(beast)) this.born.set(beast, (await this.read("Beasts", "birthOf", beast)).dna);
    return this.born.get(beast);
  }

  /** The newest block: {number, time}. */
  async head() {
    const { number, timestamp } = await this.wallet.request("eth_getBlockByNumber", ["latest", false]);
    return { number: Number(number), time: Number(timestamp) };
  }

  /** The hash of a block that is mined. */
  async hashOf(block) {
    return (await this.wallet.request("eth_getBlockByNumber", [hexOf(block), false])).hash;
  }

  async coinOf(account) {
    return BigInt(await this.wallet.request("eth_getBalance", [account, "latest"]));
  }

  /** How many transactions of an account are mined up to a block; "pending" counts those that wait, too. */
  async nonceAt(account, block = "latest") {
    const at = typeof block === "string" ? block : hexOf(block);
    return Number(await this.wallet.request("eth_getTransactionCount", [account, at]));
  }

  /** A block's transactions in full. */
  async transactionsIn(block) {
    const found = await this.wallet.request("eth_getBlockByNumber", [hexOf(block), true]);
    return found?.transactions ?? [];
  }

  /** An event of one block, with these indexed values, decoded; null if the node has none. */
  async eventIn(block, contract, name, ...indexed) {
    return (await this.events([block, block], contract, name, ...indexed)).at(-1) ?? null;
  }

  /** The events from one block to another, both included, decoded and in their order; null stands for any indexed value. */
  async events([from, to], contract, name, ...indexed) {
    const found = this.contracts.of(contract);
    const words = indexed.map((value) => (value === null ? null : `0x${BigInt(value).toString(16).padStart(64, "0")}`));
    const topics = [found.topic(name), ...words];
    const filter = { address: found.address, fromBlock: hexOf(from), toBlock: hexOf(to), topics };
    const logs = await this.wallet.request("eth_getLogs", [filter]);
    return logs.map((log) => found.parse(name, log));
  }

  /** Wait until the node answers from a block or a later one: another of its machines may be behind. */
  async reach(block, signal) {
    while ((await this.head()).number < block) await pause(PAUSE, signal);
  }

  async #explained(method, params) {
    try {
      return await this.wallet.request(method, params);
    } catch (error) {
      if (error instanceof WalletError && error.data) throw this.contracts.explain(error.data);
      throw error;
    }
  }
}
