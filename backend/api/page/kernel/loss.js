// The errors of the outputs, and a step's loss (docs/spec/network.md §4). Divisions are of unsigned numbers: they round
// down.

/** Bits of `heads`: which labels a step learns from. */
export const HEAD_MOVE = 1;
export const HEAD_ATTACK = 2;
export const HEAD_BLOCK = 4;
export const ALL_HEADS = HEAD_MOVE | HEAD_ATTACK | HEAD_BLOCK;

/** 1.0 in the unit of errors. */
export const ERROR_ONE = 1024;
const ERROR_MAX = ERROR_ONE - 1;
const OUTPUTS = 8;

/** Errors of eight logits for a label of labels.js, Int32Array(8); `exp` is the kernel's table. */
export function outputErrors(z, { move, attack, block }, heads, exp) {
  const ex = (distance) => exp[distance] ?? 0;
  const errors = new Int32Array(OUTPUTS);
  if (heads & HEAD_MOVE && move !== null) {
    const top = Math.max(z[0], z[1], z[2], z[3]);
    const shares = [0, 1, 2, 3].map((k) => ex(top - z[k]));
    const sum = shares.reduce((total, share) => total + share);
    shares.forEach((share, k) => (errors[k] = Math.floor((share * ERROR_ONE) / sum)));
    errors[move] -= ERROR_ONE;
  }
  if (heads & HEAD_ATTACK) errors[4] = Math.min(Math.max((z[4] - 4 * attack) * 64, -ERROR_MAX), ERROR_MAX);
  if (heads & HEAD_BLOCK) {
    const top = Math.max(z[5], 0);
    const [yes, no] = [ex(top - z[5]), ex(top)];
    errors[5] = Math.floor((yes * ERROR_ONE) / (yes + no)) - ERROR_ONE * block;
  }
  return errors;
}

/** A step's loss. */
export const lossOf = (errors) => errors.reduce((sum, error) => sum + Math.abs(error), 0);
