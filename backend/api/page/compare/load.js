// The beasts that are compared: bodies by the index, brains by their hash, or as their DNA made them.
import { Problem, get } from "../api.js";
import { Difference, newborn, openState, servedState } from "../brains.js";
import { fromHex } from "../kernel/bytes.js";
import { nickname } from "../portrait.js";
import { loadTables } from "../verify.js";

/** A beast's brain, and in words which one: {brain, which}. */
async function brainOf(beast, dna, signal) {
  const { kernelId } = await loadTables();
  if (!beast.head_count) return { brain: newborn(beast.id, dna), which: "as it hatched" };
  const which = `after window ${beast.head_count - 1}`;
  try {
    const state = openState(kernelId, await servedState(beast.head, signal), beast.head, beast.id, `beast ${beast.id}`);
    return { brain: state, which };
  } catch (error) {
    if (error instanceof Difference) return { brain: null, which: error.message };
    if (error instanceof Problem && error.status !== 0)
      return { brain: null, which: `Its state ${which} cannot be fetched. ${error.message}` };
    throw error;
  }
}

/** {id, dna, name, beast, curve, brain, which} of a beast; throws a Problem if there is none. */
export async function loadFighter(id, signal) {
  const path = `/v1/beasts/${encodeURIComponent(id)}`;
  const [beast, curve] = await Promise.all([get(path, signal), get(`${path}/curve`, signal)]);
  const dna = fromHex(beast.dna);
  return { id: beast.id, dna, name: nickname(dna), beast, curve, ...(await brainOf(beast, dna, signal)) };
}
