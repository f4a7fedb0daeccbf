// Fetches, checks and examines states beside the page, so that the page stays smooth. It is told {beast, dna, rules, kernelId}
// once and then lists of hashes to fetch, most wanted first; null stands for the newborn. It answers each with {hash, mask,
// weights, marks} or {hash, problem}.
import { get } from "../api.js";
import { fromHex, toHex } from "../kernel/bytes.js";
import { genesisState } from "../kernel/genesis.js";
import { decodeState } from "../kernel/state.js";
import { readTables } from "../kernel/tables.js";
import { exam, examine } from "./examine.js";
import { fetchState } from "./states.js";

/** States that are asked for at once. */
const TOGETHER = 4;
/** Milliseconds before a busy server is asked again. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

let about = null;
let waiting = [];
let busy = false;

async function ready({ beast, dna, rules, kernelId }) {
  const tables = readTables(await get("/kernel/tables.json"));
  if (toHex(tables.kernelId) !== kernelId) {
    const version = tables.former(kernelId);
    return { problem: `These contracts run another kernel${version ? `, ${version}` : ""}: this page cannot read it.` };
  }
  return { beast, dna: fromHex(dna), tables, boards: exam(rules) };
}

async function fetched(hash, { problem, beast, dna, tables }) {
  if (problem) return { problem };
  if (hash === null) return { brain: decodeState(genesisState(BigInt(beast), dna)) };
  return fetchState(hash, beast, tables.kernelId);
}

async function bring(hash, known) {
  let found = await fetched(hash, known);
  for (let wait = FIRST_WAIT; found.passing && wait <= LONGEST_WAIT; wait *= 2) {
    await new Promise((done) => setTimeout(done, wait));
    found = await fetched(hash, known);
  }
  const { problem, brain } = found;
  if (problem) return postMessage({ hash, problem });
  const marks = examine(brain, known.boards, known.tables.exp);
  postMessage({ hash, mask: brain.mask, weights: brain.weights, marks }, [brain.weights.buffer]);
}

async function work() {
  if (busy) return;
  busy = true;
  const known = await about;
  while (waiting.length) {
    const some = waiting.splice(0, TOGETHER);
    await Promise.all(some.map((hash) => bring(hash, known)));
  }
  busy = false;
}

addEventListener("message", ({ data }) => {
  if (data.about) about = ready(data.about);
  if (data.wanted) waiting = data.wanted;
  work();
});
