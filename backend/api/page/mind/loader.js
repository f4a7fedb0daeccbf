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
    this.onBrain = onBrain;
    this.wanted = [];
    /** Why no brain comes any more. */
    this.broken = null;
    this.worker = new Worker("/mind/worker.js", { type: "module" });
    this.worker.onmessage = ({ data: { hash, ...found } }) => this.take(hash, found);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.broken = event.message || "A part of the page could not be loaded.";
      this.giveUp();
    };
    const end = () => {
      this.worker.onmessage = this.worker.onerror = null;
      this.worker.terminate();
    };
    onLeave(signal, end);
    this.worker.postMessage({ about });
  }

  take(hash, found) {
    this.held.set(hash, found);
    this.onBrain(hash);
  }

  giveUp() {
    for (const hash of this.wanted) if (!this.held.has(hash)) this.take(hash, { problem: this.broken });
  }

  of(hash) {
    return this.held.get(hash) ?? null;
  }

  /** Fetch those of some hashes that are not held yet, in their order; what is not among them is dropped. */
  want(hashes) {
    for (const hash of this.held.keys()) if (!hashes.includes(hash)) this.held.delete(hash);
    this.wanted = hashes.filter((hash) => !this.held.has(hash));
    if (this.broken) this.giveUp();
    else this.worker.postMessage({ wanted: this.wanted });
  }
}
