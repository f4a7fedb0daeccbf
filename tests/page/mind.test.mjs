// A beast's mind as the page shows it: scenes, policies, exams, films; test_kernel.py writes the cases.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { ATTACK, BLOCK, REST, enemyOf, invalidReason, selfOf } from "../../backend/api/page/kernel/board.js";
import { concat, fromHex, toHex } from "../../backend/api/page/kernel/bytes.js";
import { DEFAULT_RULES, activate, decode } from "../../backend/api/page/kernel/combat.js";
import { genesisState } from "../../backend/api/page/kernel/genesis.js";
import { label } from "../../backend/api/page/kernel/labels.js";
import { draw } from "../../backend/api/page/kernel/rng.js";
import { STATE_BYTES, decodeState, stateHash } from "../../backend/api/page/kernel/state.js";
import { readTables } from "../../backend/api/page/kernel/tables.js";
import { exam, examine } from "../../backend/api/page/mind/examine.js";
import { NEWBORN, byWorth, framesOf } from "../../backend/api/page/mind/frames.js";
import { Brains } from "../../backend/api/page/mind/loader.js";
import { aligned, changesOf, marksOf, smoothed, spansOf } from "../../backend/api/page/mind/history.js";
import { consider, differs, policy, tally, tileInWords } from "../../backend/api/page/mind/policy.js";
import {
  DIALS,
  TILES,
  carried,
  occupant,
  sceneOn,
  tileName,
  withEnemy,
  withGround,
  withStat,
  wordOn,
} from "../../backend/api/page/mind/scene.js";
import { opened, unpacked } from "../../backend/api/page/mind/states.js";

const cases = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf-8"));
const tables = readTables(JSON.parse(readFileSync(new URL("../../backend/kernel/tables.json", import.meta.url))));
const brains = cases.brains.map(({ state }) => decodeState(fromHex(state)));
const CHECKER = 5;
const rings = sceneOn(tables.terrains[CHECKER], {}, { pos: 0 });
const every = (found) => Array.from({ length: TILES }, (_, tile) => found(tile));

test("a beast stands on every tile but walls and the enemy's, each time in a valid word", () => {
  for (const terrain of tables.terrains) {
    const scene = sceneOn(terrain, { stamina: 3 }, { pos: 63 });
    const words = every((tile) => wordOn(scene, tile));
    assert.deepEqual(
      words.map((word) => word === null),
      every((tile) => ["enemy", "wall"].includes(occupant(scene, tile))),
    );
    for (const [tile, word] of words.entries()) {
      if (word === null) continue;
      assert.equal(invalidReason(word), null, `${terrain.name}, tile ${tile}`);
      assert.equal(selfOf(word).pos, tile);
      assert.equal(enemyOf(word).pos, 63);
    }
  }
});

test("what is carried leaves its tile and lands on the other, never on the enemy", () => {
  const wall = every((tile) => tile).find((tile) => occupant(rings, tile) === "wall");
  assert.equal(occupant(carried(rings, wall, 63), 63), "wall");
  assert.equal(occupant(carried(rings, wall, 63), wall), "open");
  assert.equal(carried(rings, wall, 0), rings);
  assert.equal(carried(rings, 63, 1), rings);
  const gone = carried(rings, 0, wall);
  assert.equal(gone.enemy.pos, wall);
  assert.equal(occupant(gone, wall), "enemy");
  assert.equal(occupant(withEnemy(gone, 0), wall), "open");
  assert.equal(occupant(rings, wall), "wall"); // a scene is never changed
});

test("ground is drawn over other ground, and stats stay within their dials", () => {
  assert.equal(occupant(withGround(withGround(rings, 40, "wall"), 40, "pool"), 40), "pool");
  assert.equal(withGround(rings, 0, "wall"), rings);
  for (const dial of DIALS) {
    assert.equal(withStat(rings, dial, 1000)[dial.side][dial.field], dial.most);
    assert.equal(withStat(rings, dial, -5)[dial.side][dial.field], 0);
    assert.equal(invalidReason(wordOn(withStat(rings, dial, dial.most), 63)), null);
  }
});

test("what the map says of a tile is what an activation does there", () => {
  const met = new Set();
  for (const [n, brain] of brains.entries())
    for (let k = 0; k < 24; k++) {
      const stats = { stamina: k % 3, tempDef: 32 * (k % 4), lastAction: k % 2 ? BLOCK : REST, heading: k % 5 };
      const enemy = { pos: Number(draw(BigInt(k), n) % 64n), power: 5 * k, tempDef: 4 * k };
      const scene = sceneOn(tables.terrains[(7 * k) % 64], stats, enemy);
      for (const [tile, found] of policy(brain, scene, DEFAULT_RULES).entries()) {
        if (!found) continue;
        const after = enemyOf(activate(found.word, found.action, DEFAULT_RULES, 1n));
        const shown = `brain ${n}, scene ${k}, tile ${tile}: ${found.deed}`;
        assert.equal(["strike", "charge"].includes(found.deed), after.lastAction === ATTACK, shown);
        assert.equal(["move", "charge"].includes(found.deed), after.pos !== tile, shown);
        assert.equal(found.deed === "rest", after.lastAction === REST, shown);
        met.add(found.deed);
        assert.deepEqual(found.action, decode(found.logits, found.word));
        assert.deepEqual(found.wanted, label(found.word, DEFAULT_RULES));
        assert.equal(found.optimal[0] ?? null, found.wanted.move);
        const sum = found.shares.reduce((total, share) => total + share);
        assert.ok(sum === 0 || Math.abs(sum - 1) < 1e-9);
      }
    }
  assert.deepEqual([...met].sort(), ["block", "charge", "move", "rest", "strike"]);
});

test("a map is counted, compared and said in words", () => {
  const map = policy(brains[0], rings, DEFAULT_RULES);
  const counts = tally(map);
  assert.equal(counts.tiles, map.filter(Boolean).length);
  assert.equal(counts.movesRight, map.filter((found) => found?.right.move === true).length);
  assert.ok(counts.moves > counts.movesRight);
  assert.deepEqual([differs(map[9], map[9]), differs(map[9], null)], [false, false]);
  const other = policy(brains[1], rings, DEFAULT_RULES);
  assert.ok(map.some((found, tile) => differs(found, other[tile])));
  assert.match(tileInWords(rings, map, 0, "Rax"), /^a1: the enemy$/);
  assert.match(tileInWords(rings, map, 9, "Rax"), /^b2: a wall$/);
  assert.match(tileInWords(rings, map, 63, "Rax"), /^h8: Rax .*; the teacher: go (north|west)/);
  assert.deepEqual([0, 7, 56, 63].map(tileName), ["a1", "h1", "a8", "h8"]);
  const alone = consider(brains[0], wordOn(rings, 1), DEFAULT_RULES);
  assert.equal(alone.right.move, null); // in reach there is no move to learn
});

test("a brain is examined as the trainer examines it", () => {
  const boards = exam(DEFAULT_RULES, cases.boards);
  for (const [i, c] of cases.brains.entries()) {
    const marks = examine(brains[i], boards, tables.exp);
    for (const [name, value] of Object.entries(c.marks))
      assert.ok(Math.abs(marks[name] - value) < 1e-9, `${i} ${name}`);
  }
  assert.notEqual(cases.brains[0].marks.optimal, cases.brains[1].marks.optimal);
});

const windows = (n) =>
  Array.from({ length: n }, (_, index) => ({
    index,
    generation: 0,
    state: "final",
    h128: `0x${index}`,
    epoch: index >> 2,
    source: index < 6 ? "curriculum" : "self_play",
    global_step: 128 * (index + 1),
    active_mask: index < 5 ? 0x11 : 0x33,
    dispute: null,
  }));

test("a film has the newborn and a window for each point of the curve, the last wanted first", () => {
  const curve = {
    index: [4, 9],
    step: [640, 1280],
    epoch: [1, 2],
    source: ["battle", "private"],
    hash: ["0x4", "0x9"],
  };
  assert.deepEqual(framesOf(curve), [
    { window: NEWBORN, step: 0, epoch: 0, source: null, hash: null },
    { window: 4, step: 640, epoch: 1, source: "battle", hash: "0x4" },
    { window: 9, step: 1280, epoch: 2, source: "private", hash: "0x9" },
  ]);
  for (const n of [1, 2, 3, 17, 65]) {
    const order = byWorth(n);
    assert.deepEqual(
      order.toSorted((a, b) => a - b),
      [...Array(n).keys()],
    );
    assert.equal(order[0], n - 1);
  }
});

test("a state is believed only by its hash", () => {
  const encoded = genesisState(3n, fromHex("0x" + "5a".repeat(32)));
  const hash = toHex(stateHash(tables.kernelId, encoded));
  assert.equal(opened(encoded, hash, 3, tables.kernelId).brain.weights.length, 16896);
  assert.match(opened(encoded, hash, 4, tables.kernelId).problem, /beast 3's/);
  const other = encoded.slice();
  other[STATE_BYTES - 1] ^= 1;
  assert.match(opened(other, hash, 3, tables.kernelId).problem, /the chain names 0x/);
  const served = unpacked(concat(fromHex(hash), encoded, fromHex(hash).reverse(), other));
  assert.deepEqual([...served.keys()], [hash, toHex(fromHex(hash).reverse())]);
  assert.deepEqual([...served.values()], [encoded, other]);
  assert.throws(() => unpacked(encoded), /33984 bytes are served, each state takes 34016/);
});

test("epochs, sources, growth, disputes and slashes are marked where they happen", () => {
  const found = windows(8);
  found[7] = { ...found[7], dispute: 4 };
  found.push({ ...found[3], state: "slashed", dispute: 2 });
  const told = marksOf(found).map(({ step, kind, words }) => [step, kind, words]);
  assert.deepEqual(told, [
    [512, "slashed", "window 3 was slashed"],
    [512, "epoch", "epoch 1 begins"],
    [640, "growth", "sensor 1, limb 1 wakes"],
    [768, "source", "it learns from self-play"],
    [1024, "disputed", "window 7 was disputed, case 4"],
  ]);
  assert.deepEqual(
    spansOf(found).map(({ from, to, source }) => [from, to, source]),
    [
      [0, 768, "curriculum"],
      [768, 1024, "self_play"],
    ],
  );
  // The API leaves out the windows at which nothing happens: what is told of the others stays the same.
  const eventful = found.filter(({ index, state }) => [0, 4, 5, 6, 7].includes(index) || state === "slashed");
  assert.ok(eventful.length < found.length);
  assert.deepEqual(marksOf(eventful), marksOf(found));
  assert.deepEqual(spansOf(eventful), spansOf(found));
  const names = { step: "global_step" };
  const keys = ["index", "generation", "step", "state", "dispute", "epoch", "source", "active_mask"];
  const columns = Object.fromEntries(keys.map((key) => [key, eventful.map((one) => one[names[key] ?? key])]));
  assert.deepEqual(marksOf(changesOf(columns)), marksOf(found));
});

test("curves share an axis, and a running mean halves what is old", () => {
  const columns = aligned(
    [{ step: 4, value: 1 }],
    [
      { step: 2, value: 5 },
      { step: 4, value: 7 },
    ],
  );
  assert.deepEqual(columns, [
    [2, 4],
    [null, 1],
    [5, 7],
  ]);
  assert.deepEqual(smoothed([8, null, 0, 0], 1), [8, null, 4, 2]);
  assert.deepEqual(smoothed([8, 0], 0), [8, 0]);
});

/** A worker that a test speaks for. */
function stubWorker(t) {
  const made = [];
  globalThis.Worker = class {
    constructor() {
      this.told = [];
      made.push(this);
    }
    postMessage(message) {
      this.told.push(message);
    }
  };
  t.after(() => delete globalThis.Worker);
  return made;
}

test("of brains only those are held that a film shows", (t) => {
  const [made, drawn] = [stubWorker(t), []];
  const brains = new Brains({}, (hash) => drawn.push(hash), new AbortController().signal);
  brains.want([null, "0xa", "0xb"]);
  for (const hash of [null, "0xa", "0xb"]) made[0].onmessage({ data: { hash, mask: 17 } });
  brains.want([null, "0xb", "0xc"]);
  assert.deepEqual(drawn, [null, "0xa", "0xb"]);
  assert.deepEqual(made[0].told.at(-1), { wanted: ["0xc"] });
  assert.deepEqual([...brains.held.keys()], [null, "0xb"]);
});

test("a worker that breaks leaves no brain to be waited for", (t) => {
  const [made, drawn] = [stubWorker(t), []];
  const brains = new Brains({}, (hash) => drawn.push(hash), new AbortController().signal);
  brains.want(["0xa", "0xb"]);
  made[0].onmessage({ data: { hash: "0xa", mask: 17 } });
  made[0].onerror({ preventDefault() {}, message: "" });
  brains.want(["0xa", "0xb", "0xc"]);
  assert.deepEqual(drawn, ["0xa", "0xb", "0xc"]);
  assert.deepEqual(brains.of("0xa"), { mask: 17 });
  for (const hash of ["0xb", "0xc"]) assert.match(brains.of(hash).problem, /could not be loaded/);
});
