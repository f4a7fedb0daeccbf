// What is known of one window so far, as a worker tells of it.
import { onLeave } from "../dom.js";
import { get } from "../api.js";
import { Uncomputable } from "./replay.js";

const ENDS = new Set(["done", "refused", "uncomputable", "failed"]);

export class Examination {
  /** @param changed hears the kind of each message that is taken in */
  constructor(changed) {
    this.changed = changed;
    /** {segments, right, lie, reason, wrong, loss} of the replay, null before it. */
    this.found = null;
    /** {first, heads, steps} of the first wrong segment, null without one. */
    this.steps = null;
    /** What was done instead: undefined before it is looked for, null if nothing was found. */
    this.cause = undefined;
    /** {before, computed, claimed} of a wrong end whose segments nobody has opened. */
    this.end = null;
    /** The manifest, of a bundle. */
    this.manifest = null;
    /** Why nothing can be computed. */
    this.problem = null;
    this.busy = true;
  }

  hear(message) {
    const { kind } = message;
    if (kind === "replayed") this.found = message;
    if (kind === "steps") this.steps = message;
    if (kind === "cause") this.cause = message.cause;
    if (kind === "end") this.end = message;
    if (kind === "opened") this.manifest = message.manifest;
    if (ENDS.has(kind)) {
      this.problem = message.reason ?? this.problem;
      this.busy = false;
    }
    this.changed(kind);
  }
}

/** A worker of the page, ended by `signal`; `failed(reason)` hears if it breaks. */
export function startWorker(address, tell, signal) {
  const worker = new Worker(address, { type: "module" });
  onLeave(signal, () => worker.terminate());
  worker.onmessage = ({ data }) => tell(data);
  worker.onerror = (event) => {
    event.preventDefault();
    tell({ kind: "failed", reason: event.message || "A part of the page could not be loaded." });
  };
  return worker;
}

/**
 * Examine a window in a worker of its own.
 * @param prepare async, gives the job of replay.js; may throw an Uncomputable or a Problem
 * @param signal ends it
 */
export async function examineWindow(prepare, examination, signal) {
  const tell = (message) => {
    if (!signal.aborted) examination.hear(message);
  };
  try {
    const [job, tables] = await Promise.all([prepare(), get("/kernel/tables.json", signal)]);
    if (signal.aborted) return;
    const own = new AbortController();
    const worker = startWorker(
      "/case/worker.js",
      (message) => {
        tell(message);
        if (ENDS.has(message.kind)) own.abort();
      },
      AbortSignal.any([signal, own.signal]),
    );
    worker.postMessage({ tables, job });
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Uncomputable || "status" in error)) throw error;
    tell({ kind: "failed", reason: [error.message, error.hint].filter(Boolean).join(" ") });
  }
}
