// Computes a claimed window again and says where it departs from what its trainer claims. Pure: bytes in, findings out.
//
// A job is {beastId (BigInt), index, context (window.js), mask, parentHash, parent (bytes, null for a first window),
// records (Map of index → word, null where positions are drawn), claim {h128, globalStep, mask, windowLoss} with h128 as
// hex, posted (16 hashes as hex, or none), published (the bytes behind h128, or null)}. All of it can be posted to a worker.
import { equal, toHex } from "../kernel/bytes.js";
import { genesisState } from "../kernel/genesis.js";
import { stateHash } from "../kernel/state.js";
import { SEGMENTS, SEGMENT_STEPS, copyState, hashOf, openWindow, readState, stepWindow } from "../kernel/window.js";

/** What cannot be computed, because something is not what its hash says or is not there. */
export class Uncomputable extends Error {}

/** The state that a window starts from, and its hash. Throws an Uncomputable if the bytes are another's. */
export function parentOf(job, { kernelId }) {
  const encoded = job.parent ?? genesisState(job.beastId, job.context.dna);
  const hash = open(() => stateHash(kernelId, encoded), "The state that the window starts from is none");
  if (job.parent && !equal(hash, job.parentHash))
    throw new Uncomputable("The state that was given as the window's start has another hash than the chain names.");
  return { state: open(() => readState(encoded), "The state that the window starts from is none"), hash };
}

/** The state behind h128, null where nobody has published it. Throws an Uncomputable if the bytes are another's. */
export function publishedOf(job, { kernelId }) {
  if (!job.published) return null;
  const hash = open(() => stateHash(kernelId, job.published), "What was given as the state behind h128 is none");
  if (toHex(hash) !== job.claim.h128)
    throw new Uncomputable("The state that was given as the window's end has another hash than the chain names.");
  return open(() => readState(job.published), "What was given as the state behind h128 is none");
}

function open(read, text) {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new Uncomputable(`${text}: ${error.message}.`);
    throw error;
  }
}

/** The word at an index of a job's records. */
export function recordsOf({ records }) {
  if (records === null) return null;
  return (index) => {
    const word = records.get(index);
    if (!word) throw new Uncomputable(`Record ${index}, which the window samples, is not among those that are open.`);
    return word;
  };
}

const brief = (value) => (value instanceof Uint8Array ? `${toHex(value).slice(0, 18)}…` : String(value));

/** How a header behind h128 contradicts what the trainer stated; null if it does not. */
export function contradiction(header, job, parentHash) {
  const { claim } = job;
  const stated = [
    ["beast", header.beastId, job.beastId],
    ["parent", header.parent, parentHash],
    ["global step", header.globalStep, claim.globalStep],
    ["mask", header.mask, claim.mask],
    ["window loss", header.windowLoss, claim.windowLoss],
  ];
  const lie = stated.find(([, found, said]) => (found instanceof Uint8Array ? !equal(found, said) : found !== said));
  return lie ? `the state's ${lie[0]} is ${brief(lie[1])}, the payload claims ${brief(lie[2])}` : null;
}

/**
 * Compute a window from its start to its end.
 * @returns {{segments, right, lie, reason, wrong, before, end}} the 16 true hashes as hex; whether the last is h128 and
 *   nothing else contradicts the payload; the contradiction, if there is one; why, in words; the first segment whose
 *   posted hash is not the true one, null without posted hashes or if all are right; the true state before that segment
 *   (before the first where no segment is known to be wrong); the true end
 */
export function replay(job, tables) {
  const parent = parentOf(job, tables);
  const published = publishedOf(job, tables);
  const state = open(() => openWindow(parent.state, job.mask, parent.hash), "It cannot be computed");
  const records = recordsOf(job);
  const segments = [];
  let [wrong, before] = [null, copyState(state)];
  for (let k = 0; k < SEGMENTS; k++) {
    const start = wrong === null && job.posted.length ? copyState(state) : null;
    for (let i = 0; i < SEGMENT_STEPS; i++) stepWindow(job.context, state, tables, records);
    segments.push(toHex(hashOf(state, tables)));
    if (start && segments[k] !== job.posted[k]) [wrong, before] = [k, start];
  }
  const { h128 } = job.claim;
  const same = segments[SEGMENTS - 1] === h128;
  const behind = same ? state : published;
  const lie = behind ? contradiction(behind.header, job, parent.hash) : null;
  const reason =
    lie ??
    (same
      ? "recomputed, same hash"
      : `h128 is ${h128.slice(0, 18)}…, the replay gives ${segments[SEGMENTS - 1].slice(0, 18)}…`);
  return { segments, right: same && !lie, lie, reason, wrong, before, end: state };
}

/** The eight micro-steps of a segment as they have to be, from the true state before it. */
export function stepsOf(job, before, tables) {
  const state = copyState(before);
  const records = recordsOf(job);
  return Array.from({ length: SEGMENT_STEPS }, () => stepWindow(job.context, state, tables, records));
}
