// The brains of a film, as the worker brings them. Kept by the hash of their state; null is the newborn.
import { onLeave } from "../dom.js";

/** What is held of each hash: {mask, weights, marks} or {problem}. */
export class Brains {
  /**
   * @param about what worker.js is told
   * @param onBrain called after each answer
   * @param signal ends the worker
   */
  constructor(about, onBrain, signal) {
    this.held = new Map();
    this.worker = new Worker("/mind/worker.js", { type: "module" });
    this.worker.onmessage = ({ data: { hash, ...found } }) => {
      this.held.set(hash, found);
      onBrain(hash);
    };
    const end = () => {
      this.worker.onmessage = null;
      this.worker.terminate();
    };
    onLeave(signal, end);
    this.worker.postMessage({ about });
  }

  of(hash) {
    return this.held.get(hash) ?? null;
  }

  /** Fetch those of some hashes that are not held yet, in their order; what is not among them is dropped. */
  want(hashes) {
    for (const hash of this.held.keys()) if (!hashes.includes(hash)) this.held.delete(hash);
    this.worker.postMessage({ wanted: hashes.filter((hash) => !this.held.has(hash)) });
  }
}
