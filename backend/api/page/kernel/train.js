// One micro-step's learning (docs/spec/network.md §4): errors carried down, every weight moved. Sums stay within 2^31,
// so 32 bits hold them and no order of additions matters.
import { features } from "./features.js";
import { lossOf, outputErrors } from "./loss.js";
import { LAYERS, forward } from "./network.js";

const SHIFT = 12;
const HALF = 1 << (SHIFT - 1);
const TOP = 127;
const ERROR_MAX = 1023;
export const WEIGHT_MIN = -16_384;
export const WEIGHT_MAX = 16_383;

const limit = (value, low, high) => Math.min(Math.max(value, low), high);

/** Flat index of the first weight of each matrix, W1 to W4. */
export const STARTS = LAYERS.slice(0, -1).map((_, l) =>
  LAYERS.slice(0, l).reduce((sum, rows, i) => sum + rows * LAYERS[i + 1], 0),
);

/** Move Int16Array(16896) weights in place, by the activations of a forward pass and the errors of its outputs. */
export function backward(weights, activations, outputs, lrShift) {
  const half = 1 << (lrShift - 1);
  let errors = outputs;
  for (let layer = STARTS.length - 1; layer >= 0; layer--) {
    const source = activations[layer];
    const columns = LAYERS[layer + 1];
    const before = new Int32Array(source.length);
    for (let i = 0; i < source.length; i++) {
      const a = source[i];
      if (a === 0) continue; // the row neither moves nor has a slope
      const row = STARTS[layer] + i * columns;
      let carried = 0;
      for (let j = 0; j < columns; j++) {
        const weight = weights[row + j]; // errors are carried by the weights that the forward pass used
        carried += weight * errors[j];
        weights[row + j] = limit(weight - ((a * errors[j] + half) >> lrShift), WEIGHT_MIN, WEIGHT_MAX);
      }
      // A unit that was clipped at either end has slope 0.
      if (a < TOP) before[i] = limit((carried + HALF) >> SHIFT, -ERROR_MAX, ERROR_MAX);
    }
    errors = before;
  }
}

/**
 * One micro-step on a valid word, in place: forward, errors, backward and update.
 * @returns {{logits, errors, loss}} of the forward pass, before the update
 */
export function train(weights, mask, word, wanted, { heads, lrShift }, exp) {
  const activations = forward(weights, mask, features(word));
  const logits = activations[LAYERS.length - 1];
  const errors = outputErrors(logits, wanted, heads, exp);
  backward(weights, activations, errors, lrShift);
  return { logits, errors, loss: lossOf(errors) };
}
