// Courses of a match, its seed, its playback, and what is compared of beasts; test_kernel.py writes the cases.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { branch, minds, parting, seenByOther, standings } from "../../backend/api/page/battle/course.js";
import { Playback } from "../../backend/api/page/battle/playback.js";
import { seedOf } from "../../backend/api/page/battle/seed.js";
import { agreement, disagreement, neutralScene, policies } from "../../backend/api/page/compare/agreement.js";
import { WinTable, bouts, pairs } from "../../backend/api/page/compare/bouts.js";
import { overlaid } from "../../backend/api/page/compare/curves.js";
import { enemyOf, selfOf } from "../../backend/api/page/kernel/board.js";
import { fromHex, toHex } from "../../backend/api/page/kernel/bytes.js";
import { DEFAULT_RULES, stats } from "../../backend/api/page/kernel/combat.js";
import { playMatch, sides, think } from "../../backend/api/page/kernel/match.js";
import { decodeState } from "../../backend/api/page/kernel/state.js";
import { readTables } from "../../backend/api/page/kernel/tables.js";
import { parseIds } from "../../backend/api/page/views/compare.js";

const cases = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf-8"));
const { terrains } = readTables(JSON.parse(readFileSync(new URL("../../backend/kernel/tables.json", import.meta.url))));
const [c] = cases.matches;
const [dnaA, dnaB] = [fromHex(c.dnaA), fromHex(c.dnaB)];
const setup = { dnaA, dnaB, battleSeed: BigInt(c.battleSeed), rules: DEFAULT_RULES };
const brains = { a: decodeState(fromHex(c.stateA)), b: decodeState(fromHex(c.stateB)) };
const match = playMatch(terrains, setup, (word, acts) => think(acts ? brains.a : brains.b, word));
const TURN = 5;

test("nothing else done leads to the same match", () => {
  const again = branch(match, TURN, setup, brains);
  assert.deepEqual(again.words.map(toHex), c.words);
  assert.equal(again.result, match.result);
  assert.equal(parting(match, again), null);
});

test("another action, or another brain, leads elsewhere from its turn on, by the rules", () => {
  const { direction } = match.thoughts[TURN].action;
  const action = { direction: (direction + 1) % 4, power: 7, block: !match.thoughts[TURN].action.block };
  const other = branch(match, TURN, setup, brains, action);
  assert.deepEqual(other.words.slice(0, TURN + 1).map(toHex), c.words.slice(0, TURN + 1));
  assert.equal(parting(match, other), TURN + 1);
  assert.equal(other.thoughts[TURN].given, true);
  assert.deepEqual(other.thoughts[TURN].action, action);
  assert.ok(other.thoughts.slice(TURN + 1).every((thought) => !thought.given));
  assert.equal(other.from, TURN);

  const swapped = branch(match, 0, setup, { a: brains.b, b: brains.a });
  const played = playMatch(terrains, setup, (word, acts) => think(acts ? brains.b : brains.a, word));
  assert.deepEqual(swapped.words.map(toHex), played.words.map(toHex));
  assert.equal(swapped.result, played.result);
});

test("both minds of a turn: who acts thinks what was played, who waits sees the other side of it", () => {
  const word = match.words[TURN];
  assert.deepEqual(selfOf(seenByOther(word)), enemyOf(word));
  assert.equal(toHex(seenByOther(seenByOther(word))), toHex(word));
  const found = minds(match, TURN, brains, setup.battleSeed);
  const [acting, waiting] = found.a.acts ? [found.a, found.b] : [found.b, found.a];
  assert.equal(waiting.acts, false);
  assert.deepEqual(acting.thought, match.thoughts[TURN]);
  assert.deepEqual(waiting.thought, think(found.a.acts ? brains.b : brains.a, seenByOther(word)));
  assert.deepEqual(minds(match, match.words.length, brains, setup.battleSeed), { a: null, b: null });
  assert.deepEqual(minds(match, TURN, null, setup.battleSeed), { a: null, b: null });
});

test("standings go from all to what was left", () => {
  const { a, b } = standings(match, { a: dnaA, b: dnaB }, setup.battleSeed);
  for (const side of [a, b])
    for (const shares of [side.hp, side.stamina]) {
      assert.equal(shares.length, match.words.length + 1);
      assert.equal(shares[0], 1);
    }
  const left = sides(match.last, setup.battleSeed);
  assert.equal(a.hp.at(-1), left.a.hp / stats(dnaA).hp);
  assert.equal(b.hp.at(-1), left.b.hp / stats(dnaB).hp);
  assert.equal(b.stamina.at(-1), Math.min(1, left.b.stamina / stats(dnaB).stamina));
  const cut = { words: match.words.slice(0, 3), last: undefined };
  assert.equal(standings(cut, { a: dnaA, b: dnaB }, setup.battleSeed).a.hp.length, 3);
});

test("a block's hash makes the seed that the contract draws", () => {
  for (const { hash, arena, match: id, seed } of cases.seeds) assert.equal(seedOf(hash, arena, id), BigInt(seed));
});

function recorded(turns, start) {
  const told = [];
  const playback = new Playback(turns, start, {
    settled: (turn, playing) => told.push([turn, playing]),
    moved: (turn, progress) => told.push([turn, progress]),
  });
  return { playback, told };
}

test("a replay plays to its end and stops there", () => {
  const { playback, told } = recorded(2, 0);
  playback.play(true);
  assert.equal(playback.tick(1000), true, "the first frame only starts the clock");
  assert.equal(playback.tick(1320), true);
  assert.equal(playback.tick(1640), true);
  playback.faster();
  assert.equal(playback.tick(1960), false);
  assert.deepEqual(told, [
    [0, true],
    [0, 0],
    [0, 0.5],
    [1, true],
    [2, false],
  ]);
  assert.equal(playback.over, true);
  playback.play(true);
  assert.deepEqual(told.at(-1), [0, true], "from the beginning again");
  playback.go(99);
  assert.deepEqual(told.at(-1), [2, false], "stepping stops it, and goes no further than the end");
  assert.equal(playback.tick(9999), false);
  for (const start of [NaN, -4, "x"]) assert.equal(recorded(2, start).playback.turn, 0);
  assert.equal(recorded(2, 77).playback.turn, 2);
});

test("bouts of all pairs are those of the reference", () => {
  assert.deepEqual(pairs(3), [
    [0, 1],
    [0, 2],
    [1, 2],
  ]);
  const fighters = [
    { dna: dnaA, ...brains.a },
    { dna: dnaB, ...brains.b },
  ];
  const { first, seeds, bouts: wanted } = cases.bouts;
  const found = [...bouts(terrains, DEFAULT_RULES, fighters, BigInt(first), seeds)];
  assert.deepEqual(found, wanted);
  const table = new WinTable(2);
  found.forEach((bout) => table.add(bout));
  const won = [0, 1].map((i) => wanted.filter(({ a, b, result }) => [a, b][result] === i).length);
  const drawn = wanted.filter(({ result }) => result === 2).length;
  assert.deepEqual([table.won[0][1], table.won[1][0]], won);
  assert.deepEqual([table.drawn[0][1], table.drawn[1][0]], [drawn, drawn]);
  assert.equal(table.bouts, 2 * seeds);
  assert.equal(WinTable.points(table, 0), (won[0] + drawn / 2) / (2 * seeds));
  assert.equal(WinTable.points(new WinTable(2), 0), null);
});

test("a brain agrees with itself, and differs from another where the maps say so", () => {
  const scene = neutralScene(terrains[7], 27);
  const [one, same, other] = policies([brains.a, brains.a, brains.b], scene, DEFAULT_RULES);
  const { agreed, of } = agreement(one, same);
  assert.equal(agreed, of);
  assert.ok(of > 32);
  const counts = disagreement([one, other]);
  assert.equal(counts[27], 0, "the enemy's own tile");
  assert.equal(counts.filter((n) => n === 1).length, agreement(one, other).agreed);
  assert.ok(counts.includes(2));
  const blind = agreement(one, other, false).agreed;
  assert.ok(blind >= agreement(one, other).agreed, "who does not look at guards sees no more differences");
});

test("curves over one axis have a gap where a beast has no point", () => {
  const columns = overlaid([
    { step: [128, 384], loss: [9, 7] },
    { step: [128, 256], loss: [8, 6] },
  ]);
  assert.deepEqual(columns, [
    [128, 256, 384],
    [9, null, 7],
    [8, 6, null],
  ]);
});

test("beasts to compare are plain numbers, each once, and not too many", () => {
  assert.deepEqual(parseIds("3,1, 3"), [3, 1]);
  for (const text of ["", "1,,2", "1,x", "01,2", "1.5,2", "-1,2", "1,2,3,4,5,6,7", "1e3,2"])
    assert.equal(parseIds(text), null, text);
});
