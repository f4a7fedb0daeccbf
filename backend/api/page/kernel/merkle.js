// Positional Merkle trees over words (docs/spec/merkle.md).
import { concat } from "./bytes.js";
import { keccak } from "./keccak.js";

const leaf = (word) => keccak(concat([0], word));
const node = (left, right) => keccak(concat([1], left, right));

/** Root over one word or more. */
export function merkleRoot(words) {
  if (words.length === 0) throw new RangeError("a Merkle tree needs at least one word");
  let level = words.map(leaf);
  while (level.length & (level.length - 1)) level.push(new Uint8Array(32));
  while (level.length > 1)
    level = Array.from({ length: level.length / 2 }, (_, i) => node(level[2 * i], level[2 * i + 1]));
  return level[0];
}
