// Random numbers: SplitMix64, read at any place (docs/spec/rules.md §1). States are BigInts below 2^64.
import { toBig } from "./bytes.js";

const MASK = 0xffff_ffff_ffff_ffffn;
const GOLDEN = 0x9e37_79b9_7f4a_7c15n;

export function splitMix64(x) {
  let z = (x + GOLDEN) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
  return z ^ (z >> 31n);
}

export const draw = (s, n) => splitMix64((s + BigInt(n) * GOLDEN) & MASK);

/** The exclusive or of the four quarters of 32 bytes. */
export function fold64(bytes) {
  if (bytes.length !== 32) throw new RangeError(`fold64 takes 32 bytes, got ${bytes.length}`);
  return [0, 8, 16, 24].reduce((sum, at) => sum ^ toBig(bytes.subarray(at, at + 8)), 0n);
}
