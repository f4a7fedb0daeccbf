// A beast's state: its bytes, weights and hash (docs/spec/state.md §2).
import { concat, fromHex, toBig, uint } from "./bytes.js";
import { keccak } from "./keccak.js";
import { WEIGHTS } from "./network.js";

const HEADER_BYTES = 192;
const BIAS = 0xc000;
export const STATE_BYTES = HEADER_BYTES + 2 * WEIGHTS;

/** The encoded state of a header as the API gives it, and of the weights' bytes. */
export function encodeState({ beast, parent, global_step, active_mask, window_loss, arena }, weights) {
  const numbers = [global_step, active_mask, window_loss, arena].map((value) => uint(value));
  return concat(uint(beast), fromHex(parent), ...numbers, weights);
}

/** The leaves of each layer and their bytes: a row of W1, W2, W3, or eight rows of W4. */
const LEAVES = [
  [32, 256],
  [128, 128],
  [64, 128],
  [8, 128],
];
const GROUP_LEAVES = 16;

/** The root of the tree over the weights' bytes. Its shape is fixed, so nothing in it says what is a leaf and what not. */
export function weightsRoot(weights) {
  const groups = [];
  let start = 0;
  for (const [count, size] of LEAVES) {
    const leaves = Array.from({ length: count }, (_, i) =>
      keccak(weights.subarray(start + i * size, start + (i + 1) * size)),
    );
    for (let i = 0; i < count; i += GROUP_LEAVES) groups.push(keccak(concat(...leaves.slice(i, i + GROUP_LEAVES))));
    start += count * size;
  }
  return keccak(concat(...groups));
}

/** The hash of an encoded state: keccak256(kernelId ∥ header ∥ weightsRoot). Throws a RangeError on another length. */
export function stateHash(kernelId, encoded) {
  demandLength(encoded);
  return keccak(concat(kernelId, encoded.subarray(0, HEADER_BYTES), weightsRoot(encoded.subarray(HEADER_BYTES))));
}

function demandLength(encoded) {
  if (encoded.length !== STATE_BYTES) throw new RangeError(`a state has ${STATE_BYTES} bytes, got ${encoded.length}`);
}

/**
 * What a match needs of an encoded state: {beastId, mask, weights}. Throws a RangeError on bytes that are none.
 */
export function decodeState(encoded) {
  demandLength(encoded);
  const field = (i) => toBig(encoded.subarray(32 * i, 32 * i + 32));
  const mask = field(3);
  if (field(2) >> 32n || mask >> 8n || field(4) >> 32n) throw new RangeError("a header field is beyond its type");
  const view = new DataView(encoded.buffer, encoded.byteOffset + HEADER_BYTES);
  const weights = new Int16Array(WEIGHTS);
  for (let i = 0; i < WEIGHTS; i++) {
    const stored = view.getUint16(2 * i);
    if (stored < 0x8000) throw new RangeError(`the guard bit of weight ${i} is clear`);
    weights[i] = stored - BIAS;
  }
  return { beastId: field(0), mask: Number(mask), weights };
}
