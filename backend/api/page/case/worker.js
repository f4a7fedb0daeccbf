// Replays a window beside the page, so that the page never stands still.
import { readTables } from "../kernel/tables.js";
import { findCause } from "./cause.js";
import { Uncomputable, publishedOf, replay, stepsOf } from "./replay.js";

/** Say what is found as soon as it is: the segments first, then the wrong steps, then what was done instead. */
export function examine(job, tables, tell) {
  let found;
  try {
    found = replay(job, tables);
  } catch (error) {
    if (!(error instanceof Uncomputable)) throw error;
    tell({ kind: "uncomputable", reason: error.message });
    return;
  }
  const { segments, right, lie, reason, wrong, before, end } = found;
  tell({ kind: "replayed", segments, right, lie, reason, wrong, loss: end.header.windowLoss });
  if (wrong !== null) {
    tell({ kind: "steps", first: 8 * wrong, heads: job.context.heads, steps: stepsOf(job, before, tables) });
    tell({ kind: "cause", cause: findCause(job, found, tables) });
  } else if (!right && job.published) {
    tell({ kind: "end", before: before.weights, computed: end.weights, claimed: publishedOf(job, tables).weights });
  }
}

if (typeof WorkerGlobalScope !== "undefined")
  addEventListener("message", ({ data: { tables, job } }) => {
    examine(job, readTables(tables), (message) => postMessage(message));
    postMessage({ kind: "done" });
  });
