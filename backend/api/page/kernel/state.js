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

/** The hash of an encoded state: keccak256(kernelId ∥ header ∥ keccak256(weights)). */
export function stateHash(kernelId, encoded) {
  return keccak(concat(kernelId, encoded.subarray(0, HEADER_BYTES), keccak(encoded.subarray(HEADER_BYTES))));
}

/**
 * What a match needs of an encoded state: {beastId, mask, weights}. Throws a RangeError on bytes that are none.
 */
export function decodeState(encoded) {
  if (encoded.length !== STATE_BYTES) throw new RangeError(`a state has ${STATE_BYTES} bytes, got ${encoded.length}`);
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
