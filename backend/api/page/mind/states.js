// Published states by their hash, each believed only if it has that hash.
import { Problem, bytes, get } from "../api.js";
import { toHex } from "../kernel/bytes.js";
import { STATE_BYTES, decodeState, encodeState, stateHash } from "../kernel/state.js";

/** A state that was fetched: {brain} of {mask, weights}, or {problem} in words, `passing` if it may be gone soon. */
export async function fetchState(hash, beast, kernelId) {
  let encoded;
  try {
    const [header, weights] = await Promise.all([get(`/v1/states/${hash}`), bytes(`/v1/states/${hash}/weights`)]);
    encoded = encodeState(header, weights);
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message, passing: error.status === 0 || error.status >= 429 };
    throw error;
  }
  return openState(encoded, hash, beast, kernelId);
}

/** The brain in an encoded state, checked against its hash and its beast. */
export function openState(encoded, hash, beast, kernelId) {
  if (encoded.length !== STATE_BYTES)
    return { problem: `${encoded.length} bytes are served, a state has ${STATE_BYTES}.` };
  const own = toHex(stateHash(kernelId, encoded));
  if (own !== hash) return { problem: `What is served has the hash ${own}, the chain names ${hash}.` };
  const { beastId, mask, weights } = decodeState(encoded);
  if (beastId !== BigInt(beast)) return { problem: `The state is beast ${beastId}'s.` };
  return { brain: { mask, weights } };
}
