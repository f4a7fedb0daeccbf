// All that is found out about a window, told as soon as it is: the segments first, then the steps of the wrong one, then
// what was done instead.
import { SEGMENT_STEPS } from "../kernel/window.js";
import { findCause } from "./cause.js";
import { Uncomputable, publishedOf, replay, stepsOf } from "./replay.js";

/** @param tell hears {kind: "uncomputable", reason}, or {kind: "replayed" | "steps" | "cause" | "end", …} */
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
    const first = SEGMENT_STEPS * wrong;
    tell({ kind: "steps", first, heads: job.context.heads, steps: stepsOf(job, before, tables) });
    tell({ kind: "cause", cause: findCause(job, found, tables) });
  } else if (!right && !lie && job.published) {
    const claimed = publishedOf(job, tables).weights;
    tell({ kind: "end", before: before.weights, computed: end.weights, claimed });
  }
}
