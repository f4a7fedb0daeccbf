// The page's kernel against the published vectors (docs/spec/vectors.md), bit for bit.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { fromHex, toHex } from "../../backend/api/page/kernel/bytes.js";
import { invalidReason } from "../../backend/api/page/kernel/board.js";
import { DEFAULT_RULES, activate, decode, isOver } from "../../backend/api/page/kernel/combat.js";
import { features } from "../../backend/api/page/kernel/features.js";
import { genesisState } from "../../backend/api/page/kernel/genesis.js";
import { label } from "../../backend/api/page/kernel/labels.js";
import { genesisMask } from "../../backend/api/page/kernel/mask.js";
import { playMatch, resultOf, think } from "../../backend/api/page/kernel/match.js";
import { merkleRoot } from "../../backend/api/page/kernel/merkle.js";
import { WEIGHTS } from "../../backend/api/page/kernel/network.js";
import { draw, splitMix64 } from "../../backend/api/page/kernel/rng.js";
import { decodeState, encodeState, stateHash, weightsRoot } from "../../backend/api/page/kernel/state.js";
import { readTables } from "../../backend/api/page/kernel/tables.js";

const read = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf-8"));
const vectors = (kind) => read(`docs/spec/vectors/${kind}.json`);
const tables = readTables(read("backend/kernel/tables.json"));
const rulesOf = (c) => ({ ...DEFAULT_RULES, ...c.rules });
const RESULT = { 0: 0, 1: 1, "-1": 2 };

test("the generator begins as the specification says", () => {
  const golden = 0x9e37_79b9_7f4a_7c15n;
  const first = [0n, 1n, 2n].map((n) => splitMix64((1234567n + n * golden) & (2n ** 64n - 1n)));
  assert.deepEqual(first, [6457827717110365317n, 3203168211198807973n, 9817491932198370423n]);
});

test("the tables give the kernel's id", () => {
  assert.equal(toHex(tables.kernelId), vectors("features").kernelId);
});

test("features", () => {
  for (const c of vectors("features").cases) assert.deepEqual([...features(fromHex(c.word))], c.features, c.name);
});

test("labels, and words that have none", () => {
  for (const c of vectors("labels").cases) {
    const word = fromHex(c.word);
    assert.equal(invalidReason(word) === null, c.valid, c.name);
    const { move, attack, block } = c;
    if (c.valid) assert.deepEqual(label(word, rulesOf(c)), { move, attack, block }, c.name);
  }
});

test("decoding", () => {
  for (const c of vectors("decoding").cases) {
    const { direction, power, block } = c;
    assert.deepEqual(decode(c.logits, fromHex(c.word)), { direction, power, block }, c.name);
  }
});

test("activations, and words that none has", () => {
  for (const c of vectors("combat").cases) {
    const next = () => activate(fromHex(c.word), c.action, rulesOf(c), BigInt(c.battleSeed));
    if (c.next === null) assert.throws(next, RangeError, c.name);
    else assert.equal(toHex(next()), c.next, c.name);
  }
});

test("outcomes", () => {
  for (const c of vectors("outcomes").cases) {
    const [last, seed] = [fromHex(c.word), BigInt(c.battleSeed)];
    const over = isOver(last, rulesOf(c));
    assert.equal(over, c.winner !== null, c.name);
    if (over) assert.equal(resultOf(last, fromHex(c.dnaA), fromHex(c.dnaB), seed), RESULT[c.winner], c.name);
  }
});

function listed(actions) {
  let turn = 0;
  return () => ({ action: actions[turn++ % actions.length] });
}

/** Int16Array of a brain's or a state's weights; `born` are those at hatch. */
function weightsOf({ weights, rest = 0, wildWeights }, born) {
  if (wildWeights) return born.map((_, k) => Number((draw(BigInt(wildWeights), k) >> 2n) % 32768n) - 16384);
  if (!weights) return born;
  const named = new Int16Array(born.length).fill(rest);
  for (const { index, value } of weights) named[index] = value;
  return named;
}

function thinkers({ brains, dnaA, dnaB }) {
  const [a, b] = [dnaA, dnaB].map((dna, i) => {
    const born = decodeState(genesisState(1n, fromHex(dna))).weights;
    return { mask: brains[i].mask, weights: weightsOf(brains[i], born) };
  });
  return (word, aActs) => think(aActs ? a : b, word);
}

test("matches", () => {
  for (const c of vectors("matches").cases) {
    const setup = { dnaA: fromHex(c.dnaA), dnaB: fromHex(c.dnaB), battleSeed: BigInt(c.battleSeed), rules: rulesOf(c) };
    const match = playMatch(tables.terrains, setup, c.brains ? thinkers(c) : listed(c.actions));
    assert.deepEqual(match.words.map(toHex), c.words, c.name);
    assert.equal(toHex(match.last), c.last, c.name);
    assert.equal(match.result, RESULT[c.winner], c.name);
    assert.equal(toHex(merkleRoot(match.words)), c.logRoot, c.name);
  }
});

test("genesis states", () => {
  for (const c of vectors("genesis").cases) {
    const encoded = genesisState(BigInt(c.beastId), fromHex(c.dna));
    assert.equal(genesisMask(fromHex(c.dna)), c.mask, c.name);
    assert.equal(toHex(weightsRoot(encoded.subarray(192))), c.weightsRoot, c.name);
    assert.equal(toHex(stateHash(tables.kernelId, encoded)), c.h, c.name);
    assert.equal(decodeState(encoded).beastId, BigInt(c.beastId), c.name);
  }
});

/** The 33,792 bytes of weights. */
function serialised(weights) {
  const view = new DataView(new ArrayBuffer(2 * weights.length));
  weights.forEach((w, i) => view.setUint16(2 * i, w + 0xc000));
  return new Uint8Array(view.buffer);
}

test("states", () => {
  for (const c of vectors("states").cases) {
    const weights = serialised(weightsOf(c, new Int16Array(WEIGHTS)));
    const header = {
      beast: c.beastId,
      parent: c.parent,
      global_step: c.globalStep,
      active_mask: c.mask,
      window_loss: c.windowLoss,
      arena: c.arena,
    };
    assert.equal(toHex(weightsRoot(weights)), c.weightsRoot, c.name);
    assert.equal(toHex(stateHash(tables.kernelId, encodeState(header, weights))), c.h, c.name);
  }
});

test("bytes that are no state are refused", () => {
  const encoded = genesisState(1n, fromHex("0x" + "5a".repeat(32)));
  assert.throws(() => decodeState(encoded.subarray(1)), /33984 bytes/);
  const clear = encoded.slice();
  clear[192 + 2 * 7] &= 0x7f;
  assert.throws(() => decodeState(clear), /guard bit of weight 7/);
  assert.throws(() => stateHash(tables.kernelId, encoded.subarray(1)), /33984 bytes/);
  const wide = encoded.slice();
  wide[32 * 3 + 30] = 1;
  assert.throws(() => decodeState(wide), /beyond its type/);
});
