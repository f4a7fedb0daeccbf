// Published states by their hashes, several at once, each believed only if it has that hash.
import { parts } from "../api.js";
import { Difference, openState } from "../brains.js";
import { toHex } from "../kernel/bytes.js";
import { STATE_BYTES } from "../kernel/state.js";

const HASH_BYTES = 32;
const ENTRY = HASH_BYTES + STATE_BYTES;
const ABSENT = "It is not published where this server looks; whoever replays the windows can compute it.";
const LATE = "A place where this server looks does not answer in time. Come back later.";

/** The encoded states in an answer of /v1/states, by their hashes as the server names them; throws a RangeError. */
export function unpacked(body) {
  if (body.length % ENTRY) throw new RangeError(`${body.length} bytes are served, each state takes ${ENTRY}.`);
  return new Map(
    Array.from({ length: body.length / ENTRY }, (_, i) => {
      const entry = body.subarray(ENTRY * i, ENTRY * (i + 1));
      return [toHex(entry.subarray(0, HASH_BYTES)), entry.subarray(HASH_BYTES)];
    }),
  );
}

/**
 * What is known of each of some hashes of a beast's states: {brain} of {mask, weights}, or {problem} in words, which is
 * `late` if there may be a brain later.
 */
export async function fetchStates(hashes, beast, kernelId) {
  const { served, late } = await parts(`/v1/states?h=${hashes.join(",")}`);
  const found = unpacked(served);
  const missing = { problem: late ? LATE : ABSENT, late };
  return hashes.map((hash) => (found.has(hash) ? opened(found.get(hash), hash, beast, kernelId) : missing));
}

/** The brain in an encoded state, or what it is instead of the beast's state of that hash. */
export function opened(encoded, hash, beast, kernelId) {
  try {
    const { mask, weights } = openState(kernelId, encoded, hash, beast, "this window");
    return { brain: { mask, weights } };
  } catch (error) {
    if (error instanceof Difference) return { problem: error.message };
    throw error;
  }
}
