// What this browser has asked a wallet to send and has not seen the end of. It is written down before the wallet is
// asked, so that neither a reload nor a lost answer makes the page send the same thing again.
import { toHex } from "../kernel/bytes.js";
import { keccak } from "../kernel/keccak.js";
import { Refusal } from "./refusal.js";

const KEY = "chainbeasts-sending";

/** The call's hash, by which its transaction is found again: data may be too long to keep. */
export const callHash = ({ from, to, data, value }) =>
  toHex(keccak(new TextEncoder().encode([from, to, data, BigInt(value)].join(" ").toLowerCase())));

export class Attempts {
  /** @param genesis the chain's first block, so that no other chain's are taken up */
  constructor(genesis, storage = null) {
    this.key = `${KEY}:${genesis}`;
    this.given = storage;
  }

  /** A browser may refuse it altogether. */
  get storage() {
    return this.given ?? localStorage;
  }

  #all() {
    try {
      return JSON.parse(this.storage.getItem(this.key)) ?? {};
    } catch {
      return {};
    }
  }

  /**
   * What an account has under way, null if nothing: {id, from, call, nonce, block, title, hash, own}. `nonce` is the first
   * that it may have, `own` the one that a node has told of.
   */
  of(account) {
    return this.#all()[account] ?? null;
  }

  /**
   * Write down what is about to be sent; false if the account has something under way already, in whatever tab.
   * Throws a Refusal where the browser keeps nothing: then nothing may be sent either.
   */
  async claim(attempt) {
    const take = () => {
      if (this.of(attempt.from)) return false;
      try {
        this.storage.setItem(this.key, JSON.stringify({ ...this.#all(), [attempt.from]: attempt }));
      } catch {
        throw new Refusal(
          "This browser lets the page keep nothing.",
          "Nothing is sent: after a reload nobody would know of it. Allow the page to keep data.",
        );
      }
      return true;
    };
    return globalThis.navigator?.locks ? navigator.locks.request(this.key, take) : take();
  }

  /** Write down what is known of its transaction now. */
  update(attempt) {
    if (this.of(attempt.from)?.id !== attempt.id) return;
    this.storage.setItem(this.key, JSON.stringify({ ...this.#all(), [attempt.from]: attempt }));
  }

  forget(attempt) {
    const { [attempt.from]: gone, ...rest } = this.#all();
    if (gone?.id === attempt.id) this.storage.setItem(this.key, JSON.stringify(rest));
  }
}
