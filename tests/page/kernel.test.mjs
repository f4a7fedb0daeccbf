// The page's kernel against the published vectors (docs/spec/vectors.md), bit for bit.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { fromHex, toHex } from "../../backend/api/page/kernel/bytes.js";
import { DEFAULT_RULES, activate } from "../../backend/api/page/kernel/combat.js";
import { features } from "../../backend/api/page/kernel/features.js";
import { genesisMask, genesisState } from "../../backend/api/page/kernel/genesis.js";
import { keccak } from "../../backend/api/page/kernel/keccak.js";
import { playMatch, think } from "../../backend/api/page/kernel/match.js";
import { merkleRoot } from "../../backend/api/page/kernel/merkle.js";
import { draw, splitMix64 } from "../../backend/api/page/kernel/rng.js";
import { decodeState, stateHash } from "../../backend/api/page/kernel/state.js";
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

test("activations", () => {
  for (const c of vectors("combat").cases) {
    const next = activate(fromHex(c.word), c.action, rulesOf(c), BigInt(c.battleSeed));
    assert.equal(toHex(next), c.next, c.name);
  }
});

function listed(actions) {
  let turn = 0;
  return () => ({ action: actions[turn++ % actions.length] });
}

function thinkers({ brains, dnaA, dnaB }) {
  const [a, b] = [dnaA, dnaB].map((dna, i) => {
    const { mask, weights, wildWeights } = brains[i];
    const born = decodeState(genesisState(1n, fromHex(dna))).weights;
    if (weights) born.fill(0);
    for (const { index, value } of weights ?? []) born[index] = value;
    const wild = (_, k) => Number((draw(BigInt(wildWeights), k) >> 2n) % 32768n) - 16384;
    return { mask, weights: wildWeights ? born.map(wild) : born };
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
    assert.equal(toHex(keccak(encoded.subarray(192))), c.weightsHash, c.name);
    assert.equal(toHex(stateHash(tables.kernelId, encoded)), c.h, c.name);
    assert.equal(decodeState(encoded).beastId, BigInt(c.beastId), c.name);
  }
});

test("bytes that are no state are refused", () => {
  const encoded = genesisState(1n, fromHex("0x" + "5a".repeat(32)));
  assert.throws(() => decodeState(encoded.subarray(1)), /33984 bytes/);
  const clear = encoded.slice();
  clear[192 + 2 * 7] &= 0x7f;
  assert.throws(() => decodeState(clear), /guard bit of weight 7/);
  const wide = encoded.slice();
  wide[32 * 3 + 30] = 1;
  assert.throws(() => decodeState(wide), /beyond its type/);
});
