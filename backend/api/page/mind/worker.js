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

async function work() {
  if (busy) return;
  busy = true;
  const known = await about;
  while (waiting.length) {
    const hash = waiting.shift();
    const { problem, brain } = await fetched(hash, known).catch((error) => ({ problem: error.message }));
    if (problem) postMessage({ hash, problem });
    else {
      const marks = examine(brain, known.boards, known.tables.exp);
      postMessage({ hash, mask: brain.mask, weights: brain.weights, marks }, [brain.weights.buffer]);
    }
  }
  busy = false;
}

addEventListener("message", ({ data }) => {
  if (data.about) about = ready(data.about);
  if (data.wanted) waiting = data.wanted;
  work();
});
