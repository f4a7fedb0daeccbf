// Fetches, checks and examines states beside the page, so that the page stays smooth. It is told {beast, dna, rules, kernelId}
// once and then lists of hashes to fetch, most wanted first; null stands for the newborn. It answers each with {hash, mask,
// weights, marks} or {hash, problem}.
import { Problem, get } from "../api.js";
import { newborn } from "../brains.js";
import { fromHex, toHex } from "../kernel/bytes.js";
import { readTables } from "../kernel/tables.js";
import { exam, examine } from "./examine.js";
import { fetchStates } from "./states.js";

/** States that are asked for at once: the first alone, for it is the one that is shown. */
const TOGETHER = 8;
/** Milliseconds before a busy server is asked again. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

let about = null;
let waiting = [];
let busy = false;
let together = 1;

/** How long was waited the last time for each state that a place did not give in time. */
const waits = new Map();

const passing = (error) => error instanceof Problem && (error.status === 0 || error.status >= 429);

const pause = (wait) => new Promise((done) => setTimeout(done, wait));

/** What is asked for; a server that is busy is asked again for a while. */
async function patiently(ask) {
  for (let wait = FIRST_WAIT; ; wait *= 2) {
    try {
      return await ask();
    } catch (error) {
      if (!passing(error) || wait > LONGEST_WAIT) throw error;
      await pause(wait);
    }
  }
}

async function ready({ beast, dna, rules, kernelId }) {
  const tables = readTables(await patiently(() => get("/kernel/tables.json")));
  if (toHex(tables.kernelId) !== kernelId) {
    const version = tables.former(kernelId);
    return { problem: `These contracts run another kernel${version ? `, ${version}` : ""}: this page cannot read it.` };
  }
  return { beast, dna: fromHex(dna), tables, boards: exam(rules) };
}

/** What is known of some hashes. */
const fetched = (hashes, { beast, tables }) =>
  patiently(() => fetchStates(hashes, beast, tables.kernelId)).catch((error) =>
    hashes.map(() => ({ problem: error.message })),
  );

function tell(hash, { problem, brain }, { boards, tables }) {
  if (problem) return postMessage({ hash, problem });
  const marks = examine(brain, boards, tables.exp);
  postMessage({ hash, mask: brain.mask, weights: brain.weights, marks }, [brain.weights.buffer]);
}

/** Whether a state that did not come in time is worth asking for again. */
const isAwaited = (hash) => (waits.get(hash) ?? 0) < LONGEST_WAIT;

/** Ask for some states again after all else, or after a while if nothing is asked for that was not late before. */
async function putOff(hashes) {
  for (const hash of hashes) waits.set(hash, 2 * waits.get(hash) || FIRST_WAIT);
  const idle = waiting.every((hash) => waits.has(hash));
  waiting.push(...hashes.filter((hash) => !waiting.includes(hash)));
  if (idle) await pause(Math.max(0, ...hashes.map((hash) => waits.get(hash))));
}

async function work() {
  if (busy) return;
  busy = true;
  const known = await about;
  while (waiting.length) {
    if (known.problem) {
      tell(waiting.shift(), known, known);
    } else if (waiting[0] === null) {
      waiting.shift();
      tell(null, { brain: newborn(known.beast, known.dna) }, known);
    } else {
      const end = waiting.indexOf(null);
      const some = waiting.splice(0, end < 0 ? together : Math.min(together, end));
      together = TOGETHER;
      const found = await fetched(some, known);
      const late = new Set(some.filter((hash, i) => found[i].late && isAwaited(hash)));
      some.forEach((hash, i) => late.has(hash) || tell(hash, found[i], known));
      await putOff([...late]);
    }
  }
  busy = false;
}

addEventListener("message", ({ data }) => {
  if (data.about) about = ready(data.about).catch((error) => ({ problem: error.message }));
  if (data.wanted) waiting = data.wanted;
  work();
});
