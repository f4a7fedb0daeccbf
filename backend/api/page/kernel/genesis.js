// A newborn's state from its DNA (docs/spec/network.md §1, state.md §2).
import { concat, uint } from "./bytes.js";
import { genesisMask } from "./mask.js";
import { WEIGHTS } from "./network.js";
import { draw, fold64 } from "./rng.js";

const BIAS = 0xc000;
const W2 = 32 * 128;
const W3 = W2 + 128 * 64;
const W4 = W3 + 64 * 64;

/** Whether the weight at a flat index is 0 at hatch: padding logits, and rows out of slots asleep. */
function silent(mask, index) {
  if (index >= W4) {
    const unit = (index - W4) >> 3;
    return ((index - W4) & 7) >= 6 || !((mask >> (4 + (unit >> 4))) & 1);
  }
  if (index >= W2 && index < W3) return !((mask >> ((index - W2) >> 11)) & 1);
  return false;
}

/** The encoded genesis state. */
export function genesisState(beastId, dna) {
  const mask = genesisMask(dna);
  const seed = fold64(dna);
  const weights = new Uint8Array(2 * WEIGHTS);
  const view = new DataView(weights.buffer);
  for (let i = 0; i < WEIGHTS; i++) {
    const w = silent(mask, i) ? 0 : (Number((draw(seed, i) >> 2n) % 17n) - 8) * 128;
    view.setUint16(2 * i, w + BIAS);
  }
  return concat(uint(beastId), dna, uint(0), uint(mask), uint(0), uint(0), weights);
}
