// The page's forward pass and whole matches against the NumPy reference; test_kernel.py writes the cases.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { fromHex, toHex } from "../../backend/api/page/kernel/bytes.js";
import { DEFAULT_RULES } from "../../backend/api/page/kernel/combat.js";
import { enemyOf } from "../../backend/api/page/kernel/board.js";
import { features } from "../../backend/api/page/kernel/features.js";
import { costsToReach, label, optimalSteps } from "../../backend/api/page/kernel/labels.js";
import { lossOf, outputErrors } from "../../backend/api/page/kernel/loss.js";
import { playMatch, think } from "../../backend/api/page/kernel/match.js";
import { merkleRoot } from "../../backend/api/page/kernel/merkle.js";
import { forward, logits } from "../../backend/api/page/kernel/network.js";
import { heldOut, randomPosition } from "../../backend/api/page/kernel/samples.js";
import { decodeState, stateHash } from "../../backend/api/page/kernel/state.js";
import { readTables } from "../../backend/api/page/kernel/tables.js";

const cases = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf-8"));
const tables = readTables(JSON.parse(readFileSync(new URL("../../backend/kernel/tables.json", import.meta.url))));

test("forward passes", () => {
  for (const c of cases.forward) {
    const { weights, mask } = decodeState(fromHex(c.state));
    assert.deepEqual(
      c.words.map((word) => [...logits(weights, mask, features(fromHex(word)))]),
      c.logits,
      c.name,
    );
  }
});

test("activations of every layer", () => {
  for (const c of cases.forward) {
    const { weights, mask } = decodeState(fromHex(c.state));
    const found = forward(weights, mask, features(fromHex(c.words[0])));
    assert.deepEqual(
      found.map((layer) => [...layer]),
      c.activations,
      c.name,
    );
  }
});

test("positions drawn at random, on terrains and without", () => {
  for (const c of cases.positions) {
    const terrain = c.template === null ? null : tables.terrains[c.template];
    assert.equal(toHex(randomPosition(BigInt(c.state), terrain, { ...DEFAULT_RULES, ...c.rules })), c.word);
  }
});

test("the held-out boards, and every step that begins a cheapest path on them", () => {
  const boards = heldOut(cases.heldOut.length, DEFAULT_RULES);
  assert.deepEqual(
    boards.map((word) => ({ word: toHex(word), optimal: optimalSteps(word, DEFAULT_RULES) })),
    cases.heldOut,
  );
  const costs = boards.map((word) => costsToReach(word, enemyOf(word).pos, DEFAULT_RULES));
  assert.deepEqual(
    boards.map((word, i) => optimalSteps(word, DEFAULT_RULES, costs[i])),
    cases.heldOut.map(({ optimal }) => optimal),
  );
});

test("errors of the outputs, and a step's loss", () => {
  for (const c of cases.losses) {
    const errors = outputErrors(c.logits, label(fromHex(c.word), DEFAULT_RULES), c.heads, tables.exp);
    assert.deepEqual([...errors], c.errors);
    assert.equal(lossOf(errors), c.loss);
  }
});

test("matches between two states", () => {
  for (const c of cases.matches) {
    const [a, b] = [fromHex(c.stateA), fromHex(c.stateB)];
    assert.deepEqual([toHex(stateHash(tables.kernelId, a)), toHex(stateHash(tables.kernelId, b))], c.hashes);
    const [brainA, brainB] = [decodeState(a), decodeState(b)];
    const [dnaA, dnaB, battleSeed] = [fromHex(c.dnaA), fromHex(c.dnaB), BigInt(c.battleSeed)];
    const setup = { dnaA, dnaB, battleSeed, rules: DEFAULT_RULES };
    const match = playMatch(tables.terrains, setup, (word, acts) => think(acts ? brainA : brainB, word));
    assert.deepEqual(match.words.map(toHex), c.words);
    assert.equal(match.result, c.result);
    assert.equal(toHex(merkleRoot(match.words)), c.logRoot);
  }
});
