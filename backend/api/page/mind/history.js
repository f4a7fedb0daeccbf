// What happened over a beast's windows, as marks on its curves: epochs, sources, growth, disputes, slashes.
import { words } from "../format.js";

const INKS = { curriculum: "steel", self_play: "plum", battle: "accent", private: "gold" };
const SENSORS = 4;

/** "sensor 2", "limb 0" for each bit that one mask has and another has not. */
function woken(mask, before) {
  const fresh = [0, 1, 2, 3, 4, 5, 6, 7].filter((slot) => ((mask & ~before) >> slot) & 1);
  return fresh.map((slot) => (slot < SENSORS ? `sensor ${slot}` : `limb ${slot - SENSORS}`));
}

/**
 * Marks {step, kind, ink, text, words} of checkpoints, oldest first. A mark of a window stands where the window ends, one of
 * an epoch or of growth where the window begins that has it first. Windows at which nothing happens may be left out.
 */
export function marksOf(checkpoints, windowSteps = 128) {
  const marks = [];
  let before = null;
  for (const c of checkpoints.toSorted((a, b) => a.index - b.index || a.generation - b.generation)) {
    const begin = Math.max(c.global_step - windowSteps, 0);
    const told = (step, kind, ink, text, said) => marks.push({ step, kind, ink, text, words: said });
    if (c.state === "slashed") told(c.global_step, "slashed", "hurt", "slashed", `window ${c.index} was slashed`);
    else if (c.dispute !== null)
      told(c.global_step, "disputed", "accent", "dispute", `window ${c.index} was disputed, case ${c.dispute}`);
    if (c.state === "slashed" || c.state === "void") continue;
    if (before && c.epoch > before.epoch) told(begin, "epoch", "muted", "", `epoch ${c.epoch} begins`);
    if (before && c.source !== before.source)
      told(begin, "source", INKS[c.source], words(c.source), `it learns from ${words(c.source)}`);
    if (before && c.active_mask !== before.active_mask) {
      const slots = woken(c.active_mask, before.active_mask).join(", ");
      told(begin, "growth", "moss", `+ ${slots}`, `${slots} wakes`);
    }
    before = c;
  }
  return marks;
}

/** The API's columns of changes as checkpoints, for `marksOf` and `spansOf`. */
export const changesOf = ({ index, generation, step, state, dispute, epoch, source, active_mask }) =>
  index.map((window, i) => ({
    index: window,
    generation: generation[i],
    global_step: step[i],
    state: state[i],
    dispute: dispute[i],
    epoch: epoch[i],
    source: source[i],
    active_mask: active_mask[i],
  }));

/** Stretches {from, to, ink, source} of standing checkpoints that have one source; each ends where the next begins. */
export function spansOf(checkpoints, windowSteps = 128) {
  const spans = [];
  const standing = checkpoints.filter(({ state }) => state !== "slashed" && state !== "void");
  for (const c of standing.toSorted((a, b) => a.index - b.index)) {
    const last = spans.at(-1);
    if (last?.source === c.source) last.to = c.global_step;
    else {
      const from = Math.max(c.global_step - windowSteps, 0);
      if (last) last.to = from; // windows between the two that are left out had the former source
      spans.push({ from, to: c.global_step, ink: INKS[c.source], source: c.source });
    }
  }
  return spans;
}

/** A running mean with half-life `windows` points, which begins at the first point and keeps gaps. */
export function smoothed(values, windows) {
  if (windows <= 0) return values;
  const keep = 0.5 ** (1 / windows);
  let mean = null;
  return values.map((value) => {
    if (value === null || value === undefined) return value;
    mean = mean === null ? value : keep * mean + (1 - keep) * value;
    return mean;
  });
}

/** Columns [x, ...ys] of series of points {step, value} over one axis, with null where one has nothing. */
export function aligned(...series) {
  const x = [...new Set(series.flatMap((points) => points.map(({ step }) => step)))].sort((p, q) => p - q);
  const at = new Map(x.map((step, i) => [step, i]));
  return [
    x,
    ...series.map((points) => {
      const column = new Array(x.length).fill(null);
      for (const { step, value } of points) column[at.get(step)] = value;
      return column;
    }),
  ];
}
