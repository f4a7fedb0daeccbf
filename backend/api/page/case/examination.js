// One window computed again in the browser, kept for as long as the same claim is looked at.
import { get } from "../api.js";
import { Uncomputable } from "./replay.js";
import { examineInWorker } from "./run.js";

/**
 * @param prepare async, gives the job; may throw an Uncomputable
 * @param changed called whenever there is more to see
 */
export class Examination {
  constructor(prepare, changed, signal) {
    Object.assign(this, { prepare, changed, signal });
    /** Of the worker's messages: {segments, right, lie, reason, wrong, loss}, {first, steps}; the cause is undefined
     * before it is looked for, null if there is none; {before, computed, claimed} of a wrong end whose segments nobody
     * has opened. `problem` says why nothing can be computed. */
    Object.assign(this, { found: null, steps: null, cause: undefined, end: null, problem: null, busy: true });
  }

  async start() {
    try {
      const [job, tables] = await Promise.all([this.prepare(), get("/kernel/tables.json")]);
      examineInWorker(job, tables, (message) => this.hear(message), this.signal);
    } catch (error) {
      this.hear({ kind: "failed", reason: error instanceof Uncomputable ? error.message : `${error.message}` });
    }
  }

  hear(message) {
    if (this.signal.aborted) return;
    if (message.kind === "replayed") this.found = message;
    if (message.kind === "steps") this.steps = message;
    if (message.kind === "cause") this.cause = message.cause;
    if (message.kind === "end") this.end = message;
    if (message.kind === "uncomputable" || message.kind === "failed") this.problem = message.reason;
    if (["done", "uncomputable", "failed"].includes(message.kind)) this.busy = false;
    this.changed(message.kind);
  }
}
