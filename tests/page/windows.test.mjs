// Whole windows by the page's kernel against the published vectors (docs/spec/vectors.md §7), bit for bit.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { fromHex, toHex, uint } from "../../backend/api/page/kernel/bytes.js";
import { DEFAULT_RULES } from "../../backend/api/page/kernel/combat.js";
import { genesisState } from "../../backend/api/page/kernel/genesis.js";
import { WEIGHTS } from "../../backend/api/page/kernel/network.js";
import { draw } from "../../backend/api/page/kernel/rng.js";
import { readTables } from "../../backend/api/page/kernel/tables.js";
import { hashOf, openWindow, readState, runWindow, writeState } from "../../backend/api/page/kernel/window.js";

const read = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf-8"));
const tables = readTables(read("backend/kernel/tables.json"));

/** The state that the first window of a case starts from. */
function firstParent(c) {
  const state = readState(genesisState(BigInt(c.beastId), fromHex(c.dna)));
  if (c.globalStep !== undefined) state.header.globalStep = c.globalStep;
  if (c.wildWeights !== undefined) {
    const seed = BigInt(c.wildWeights);
    for (let i = 0; i < WEIGHTS; i++) state.weights[i] = Number((draw(seed, i) >> 2n) % 32_768n) - 16_384;
  }
  return state;
}

for (const c of read("docs/spec/vectors/windows.json").cases)
  test(c.name, () => {
    let state = firstParent(c);
    for (const w of c.windows) {
      const records = w.records?.map(fromHex);
      const context = {
        dna: fromHex(c.dna),
        epochSeed: fromHex(w.epochSeed),
        heads: w.heads,
        lrShift: w.lrShift,
        source: w.source,
        rules: { ...DEFAULT_RULES, selfPlayWords: 2, ...c.rules },
        secretFold: BigInt(w.ownerSecretFold ?? 0),
        length: records?.length ?? 0,
      };
      state = openWindow(state, w.mask, hashOf(state, tables));
      const hashes = runWindow(context, state, tables, records ? (index) => records[index] : null);
      assert.deepEqual(hashes.map(toHex), w.segments);
      assert.equal(state.header.windowLoss, w.loss);
      assert.deepEqual(readState(writeState(state)), state);
    }
  });

test("no window puts a slot to sleep", () => {
  const parent = readState(genesisState(1n, uint(7)));
  assert.throws(() => openWindow(parent, 0, hashOf(parent, tables)), RangeError);
});
