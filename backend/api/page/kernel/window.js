// Micro-steps strung into a window (docs/spec/state.md §3). A state here is {header, weights}: header {beastId (BigInt),
// parent (bytes), globalStep, mask, windowLoss, arena (a word)}, weights Int16Array(16896), changed in place.
import { invalidReason } from "./board.js";
import { concat, toBig, uint } from "./bytes.js";
import { label } from "./labels.js";
import { WEIGHTS } from "./network.js";
import { SELF_PLAY, playOn, sample, windowSeed } from "./sources.js";
import { decodeState, stateHash } from "./state.js";
import { train } from "./train.js";

export const STEPS = 128;
export const SEGMENT_STEPS = 8;
export const SEGMENTS = STEPS / SEGMENT_STEPS;

/** What a step on a word that is not valid costs: the most that any step can. */
const NULL_LOSS = 4095;
const BIAS = 0xc000;

/** A state of its bytes; throws a RangeError on bytes that are none. */
export function readState(encoded) {
  const { beastId, mask, weights } = decodeState(encoded);
  const field = (i) => encoded.slice(32 * i, 32 * i + 32);
  const number = (i) => Number(toBig(field(i)));
  const header = { beastId, parent: field(1), globalStep: number(2), mask, windowLoss: number(4), arena: field(5) };
  return { header, weights };
}

/** The bytes of a state, as they are hashed and published. */
export function writeState({ header, weights }) {
  const { beastId, parent, globalStep, mask, windowLoss, arena } = header;
  const bytes = new Uint8Array(2 * WEIGHTS);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < WEIGHTS; i++) view.setUint16(2 * i, weights[i] + BIAS);
  return concat(uint(beastId), parent, uint(globalStep), uint(mask), uint(windowLoss), arena, bytes);
}

export const copyState = ({ header, weights }) => ({ header: { ...header }, weights: weights.slice() });

/** A new state, moved from its parent's into the next window. Throws a RangeError if the mask puts a slot to sleep. */
export function openWindow(parent, mask, parentHash) {
  if (parent.header.mask & ~mask) throw new RangeError("the window puts a slot to sleep that its parent has awake");
  const { beastId, globalStep } = parent.header;
  const header = { beastId, parent: parentHash, globalStep, mask, windowLoss: 0, arena: new Uint8Array(32) };
  return { header, weights: parent.weights.slice() };
}

/**
 * One micro-step on a given word, in place. A word that is not valid makes a null step.
 * @param context {dna, epochSeed, heads, lrShift, source, rules, secretFold, length}
 * @param wanted the label to learn; the word's own where it is null, as every honest step has it
 * @returns {{globalStep, word, label, logits, errors, loss}} label, logits and errors are null for a null step
 */
export function learn(context, state, word, exp, wanted = null) {
  const { header, weights } = state;
  const { globalStep } = header;
  const count = (loss) => {
    header.globalStep = (globalStep + 1) >>> 0;
    header.windowLoss = (header.windowLoss + loss) >>> 0;
  };
  if (invalidReason(word) !== null) {
    count(NULL_LOSS); // the arena stays: an honest run has none that is not valid
    return { globalStep, word, label: null, logits: null, errors: null, loss: NULL_LOSS };
  }
  const learned = wanted ?? label(word, context.rules);
  const { logits, errors, loss } = train(weights, header.mask, word, learned, context, exp);
  if (context.source === SELF_PLAY)
    header.arena = playOn(word, logits, windowSeed(context.dna, header.parent), globalStep, context.rules);
  count(loss);
  return { globalStep, word, label: learned, logits, errors, loss };
}

/** One micro-step of a window on its state, in place; `tables` are those of tables.js. */
export function stepWindow(context, state, tables, records = null) {
  return learn(context, state, sample(context, state.header, tables.terrains, records), tables.exp);
}

/** The hash of a state, 32 bytes. */
export const hashOf = (state, { kernelId }) => stateHash(kernelId, writeState(state));

/** Run a whole window on its opened state, in place: the state hash after each segment; the last is h128. */
export function runWindow(context, state, tables, records = null) {
  return Array.from({ length: SEGMENTS }, () => {
    for (let i = 0; i < SEGMENT_STEPS; i++) stepWindow(context, state, tables, records);
    return hashOf(state, tables);
  });
}
