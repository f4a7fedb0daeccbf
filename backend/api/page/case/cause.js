// What a wrong segment did instead: one label, sample or weight is changed at a time, and all that follows done again,
// until the posted hash appears. A cause is named only if it gives that hash to the bit. The command line's
// `dispute explain` looks in the same places (validator/evidence/explain.py). There are some thousands of them, and no
// clock stops the search: that nothing was found would be said of a fraud because the reader's machine is slow.
import { equal, toHex } from "../kernel/bytes.js";
import { invalidReason } from "../kernel/board.js";
import { label } from "../kernel/labels.js";
import { HEAD_ATTACK, HEAD_BLOCK, HEAD_MOVE } from "../kernel/loss.js";
import { recordIndex, sample } from "../kernel/sources.js";
import { WEIGHT_MAX, WEIGHT_MIN } from "../kernel/train.js";
import { SEGMENT_STEPS, copyState, hashOf, learn, stepWindow } from "../kernel/window.js";
import { publishedOf, recordsOf } from "./replay.js";

/** How far away another sample is looked for, in steps or records. */
const NEIGHBOURHOOD = 128;

/** With no more weights than these different at the end, one weight was probably changed; so also where one stands out. */
const FEW_WEIGHTS = 64;
const STANDS_OUT = 2;

/**
 * How far training after a change may have moved the weights that differ most at the end, and the one that differs most of
 * all: of changes by 128, one in 250 is learned against by more than 32.
 */
const MAX_DRIFT = 32;
const FAR_DRIFT = 128;
const DRIFTING = 4;

/** What is tried of the one that differs most before everything else, as the whole search takes many times as long. */
const LITTLE_DRIFT = 8;
const EXACT = 200;

const HEADS = ["move", "attack", "block"];

/** Every label that differs from the right one in an unlocked head, those first that differ in one. */
export function otherLabels(right, heads) {
  const choices = (head, values, own) => (heads & head ? values : [own]);
  const found = [];
  for (const move of choices(HEAD_MOVE, [null, 0, 1, 2, 3], right.move))
    for (const attack of choices(HEAD_ATTACK, [...Array(16).keys()], right.attack))
      for (const block of choices(HEAD_BLOCK, [0, 1], right.block)) found.push({ move, attack, block });
  return found
    .map((wrong) => ({ wrong, differs: HEADS.filter((head) => wrong[head] !== right[head]).length }))
    .filter(({ differs }) => differs > 0)
    .sort((a, b) => a.differs - b.differs)
    .map(({ wrong }) => wrong);
}

/** Samples that a step might have taken instead of its own: {name, word}. */
function* otherSamples(job, header, tables) {
  const { context, records } = job;
  if (records) {
    const own = recordIndex(context, header.globalStep);
    const near = [...records.keys()].sort((a, b) => Math.abs(a - own) - Math.abs(b - own));
    for (const index of near.slice(1, 2 * NEIGHBOURHOOD))
      yield { name: `record ${index} instead of record ${own}`, word: records.get(index) };
    return;
  }
  for (let distance = 1; distance < NEIGHBOURHOOD; distance++)
    for (const other of [header.globalStep - distance, header.globalStep + distance])
      if (other >= 0)
        yield {
          name: `the sample of step ${other}`,
          word: sample(context, { ...header, globalStep: other >>> 0 }, tables.terrains, null),
        };
}

class Search {
  constructor(job, { wrong, before, end }, tables) {
    Object.assign(this, { job, tables });
    this.first = SEGMENT_STEPS * wrong;
    this.posted = job.posted[wrong];
    this.published = publishedOf(job, tables);
    this.records = recordsOf(job);
    this.apart = this.published ? this.published.weights.map((weight, i) => weight - end.weights[i]) : null;
    this.starts = [before];
    for (let i = 0; i < SEGMENT_STEPS; i++) {
      const state = copyState(this.starts[i]);
      stepWindow(job.context, state, tables, this.records);
      this.starts.push(state);
    }
  }

  find() {
    const likely = this.weight(this.likeliest());
    if (likely) return { kind: "weight", ...likely };
    const kinds = ["label", "sample", "weight"];
    if (this.oneWeightIsLikely()) kinds.unshift(kinds.pop());
    for (const kind of kinds) {
      const found = this[kind]();
      if (found) return { kind, ...found };
    }
    const far = this.weight(this.farther());
    return far ? { kind: "weight", ...far } : null;
  }

  /** Whether the steps after `offset`, done on that state, end in the posted hash. */
  fits(state, offset) {
    for (let i = offset + 1; i < SEGMENT_STEPS; i++) stepWindow(this.job.context, state, this.tables, this.records);
    // Where the state behind the posted hash is at hand, comparing is quicker than hashing.
    if (this.published && this.posted === this.job.claim.h128 && !this.sameWeights(state)) return false;
    return toHex(hashOf(state, this.tables)) === this.posted;
  }

  sameWeights(state) {
    return equal(state.weights, this.published.weights);
  }

  label() {
    const { context } = this.job;
    for (let offset = SEGMENT_STEPS - 1; offset >= 0; offset--) {
      const word = this.wordAt(offset);
      if (invalidReason(word) !== null) continue;
      const right = label(word, context.rules);
      for (const wrong of otherLabels(right, context.heads)) {
        const state = copyState(this.starts[offset]);
        learn(context, state, word, this.tables.exp, wrong);
        const claimed = copyState(state);
        if (this.fits(state, offset))
          return { step: this.first + offset, right, wrong, ...this.compare(offset, claimed) };
      }
    }
    return null;
  }

  sample() {
    for (let offset = SEGMENT_STEPS - 1; offset >= 0; offset--)
      for (const { name, word } of otherSamples(this.job, this.starts[offset].header, this.tables)) {
        const state = copyState(this.starts[offset]);
        learn(this.job.context, state, word, this.tables.exp);
        const claimed = copyState(state);
        if (this.fits(state, offset))
          return { step: this.first + offset, name, word, ...this.compare(offset, claimed) };
      }
    return null;
  }

  /** One weight changed after a step, guessed from the published end. */
  weight(changes = this.changes()) {
    if (!this.apart) return null;
    for (const [weight, delta] of changes)
      for (let offset = SEGMENT_STEPS - 1; offset >= 0; offset--) {
        const state = this.changed(weight, delta, offset);
        if (!state) continue;
        const claimed = copyState(state);
        if (this.fits(state, offset)) return { ...this.earliest(weight, delta, offset, claimed), weight };
      }
    return null;
  }

  changed(weight, delta, offset) {
    const state = copyState(this.starts[offset + 1]);
    const wrong = state.weights[weight] + delta;
    if (wrong < WEIGHT_MIN || wrong > WEIGHT_MAX) return null;
    state.weights[weight] = wrong;
    return state;
  }

  /** The same change may have the same effect after several steps in a row: the first and the last of them. */
  earliest(weight, delta, offset, claimed) {
    let [first, state] = [offset, claimed];
    while (first > 0) {
      const before = this.changed(weight, delta, first - 1);
      if (!before || !this.fits(copyState(before), first - 1)) break;
      [first, state] = [first - 1, before];
    }
    return { step: this.first + first, last: this.first + offset, ...this.compare(first, state) };
  }

  /** The weights that differ at the end, those first that differ most. */
  order() {
    const order = [...this.apart.keys()].filter((i) => this.apart[i]);
    return order.sort((a, b) => Math.abs(this.apart[b]) - Math.abs(this.apart[a]) || a - b);
  }

  /** [weight, delta] for the first of them. */
  *likeliest() {
    for (const weight of this.order().slice(0, 1))
      for (let drift = 0; drift <= LITTLE_DRIFT; drift++)
        for (const sign of drift ? [1, -1] : [1]) yield [weight, this.apart[weight] + sign * drift];
  }

  /** [weight, delta] to try, the likeliest first. */
  *changes() {
    const order = this.order();
    for (const weight of order.slice(0, DRIFTING)) yield [weight, this.apart[weight]];
    yield* this.drifted(order.slice(0, DRIFTING), 1, MAX_DRIFT);
    for (const weight of order.slice(DRIFTING, EXACT)) yield [weight, this.apart[weight]];
  }

  /** [weight, delta] for the first of them, as training may have moved it far. */
  *farther() {
    yield* this.drifted(this.order().slice(0, 1), MAX_DRIFT + 1, FAR_DRIFT);
  }

  *drifted(weights, from, to) {
    for (let drift = from; drift <= to; drift++)
      for (const weight of weights)
        for (const sign of [1, -1]) {
          const delta = this.apart[weight] + sign * drift;
          if (delta) yield [weight, delta];
        }
  }

  oneWeightIsLikely() {
    if (!this.apart) return false;
    const sizes = [...this.apart].map(Math.abs).filter(Boolean);
    if (sizes.length === 0) return false;
    sizes.sort((a, b) => b - a);
    return sizes.length <= FEW_WEIGHTS || sizes[0] >= STANDS_OUT * sizes[1];
  }

  wordAt(offset) {
    return sample(this.job.context, this.starts[offset].header, this.tables.terrains, this.records);
  }

  /** The weights before the step, after it as it has to be, and as the claim has them. */
  compare(offset, claimed) {
    return {
      offset,
      before: this.starts[offset].weights,
      computed: this.starts[offset + 1].weights,
      claimed: claimed.weights,
    };
  }
}

/**
 * What turns the true state before the first wrong segment into its posted hash; null if nothing that was tried does.
 * @param found {wrong, before, end} of `replay`
 * @returns {{kind, step, offset, before, computed, claimed}} kind "label" (with right and wrong), "sample" (name, word) or
 *   "weight" (weight, and last: the last step after which the change has the same effect); step in the window, offset in
 *   the segment; weights before the step, after it as computed and as claimed
 */
export function findCause(job, found, tables) {
  return new Search(job, found, tables).find();
}
