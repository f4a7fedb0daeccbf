// What the page's kernel chooses, refuses and makes a victory of, case by case; and how the page tells it.
import assert from "node:assert/strict";
import test from "node:test";

import { ATTACK, BLOCK, MOVE, REST, enemyOf, invalidReason, pack } from "../../backend/api/page/kernel/board.js";
import { DEFAULT_RULES, activate, decode, obstacles, stats } from "../../backend/api/page/kernel/combat.js";
import { resultOf } from "../../backend/api/page/kernel/match.js";
import { deed, ending, sentence } from "../../backend/api/page/story.js";

const NORTH = 0;
const SOUTH = 1;
const EAST = 2;
const WEST = 3;
const CENTRE = 27;
const FAR = 56;
const TILES = { [NORTH]: CENTRE - 8, [SOUTH]: CENTRE + 8, [EAST]: CENTRE + 1, [WEST]: CENTRE - 1 };
const AWAY = { direction: EAST, power: 3, block: false };

const body = (changes) => ({
  ...{ pos: CENTRE, hp: 50, stamina: 9, tempDef: 0, power: 60, defense: 40, lastAction: REST, heading: 0 },
  ...changes,
});

function board(tiles) {
  const bytes = new Uint8Array(8);
  for (const tile of tiles) bytes[7 - (tile >> 3)] |= 1 << (tile & 7);
  return bytes;
}

/** A word of two bodies; walls and hazards are lists of tiles. */
function word({ self = {}, enemy = {}, walls = [], hazards = [], turn = 4 } = {}) {
  const terrain = { walls: board(walls), hazards: board(hazards) };
  return pack(terrain, body(self), body({ pos: FAR, ...enemy }), turn, false);
}

const around = (...directions) => directions.map((d) => TILES[d]);
const chosen = (z, given) => decode([...z, 0, 0, 0, 0], word(given)).direction;
const went = (given, action) => enemyOf(activate(word(given), action, DEFAULT_RULES, 7n));

test("only a direction that is open is chosen", () => {
  assert.equal(chosen([5, 4, 3, 2], {}), NORTH);
  assert.equal(chosen([5, 4, 3, 2], { walls: around(NORTH) }), SOUTH);
  assert.equal(chosen([-5, -4, -3, -2], { walls: around(WEST) }), EAST);
  assert.equal(chosen([9, 0, 0, 0], { self: { pos: 3 } }), SOUTH, "the edge is closed, and the lowest of equals wins");
  assert.equal(chosen([9, 0, 0, 0], { hazards: around(NORTH) }), NORTH, "a hazard is open");
  assert.equal(chosen([0, 0, 9, 0], { enemy: { pos: TILES[EAST] } }), EAST, "and so is the enemy's tile");
  assert.equal(chosen([1, 7, 7, 3], { walls: around(NORTH, SOUTH, EAST, WEST) }), SOUTH, "walled in: the greatest");
});

test("a creature turns round only where nothing else is open", () => {
  for (const [heading, reverse] of [
    [1 + NORTH, SOUTH],
    [1 + SOUTH, NORTH],
    [1 + EAST, WEST],
    [1 + WEST, EAST],
  ]) {
    const z = [1, 1, 1, 1];
    z[reverse] = 9;
    const others = [NORTH, SOUTH, EAST, WEST].filter((d) => d !== reverse);
    assert.equal(chosen(z, { self: { heading } }), others[0]);
    assert.equal(chosen(z, { self: { heading }, walls: around(...others) }), reverse);
    z[reverse] = -9;
    const closed = [NORTH, SOUTH, EAST, WEST];
    const best = closed.find((d) => d !== reverse);
    assert.equal(chosen(z, { self: { heading }, walls: around(...closed) }), best, "walled in: the greatest of all");
  }
  assert.deepEqual(obstacles(word({ self: { heading: 1 + EAST }, walls: around(NORTH) })), [
    "closed",
    null,
    null,
    "reverse",
  ]);
  assert.deepEqual(obstacles(word({ self: { heading: 1 + EAST }, walls: around(NORTH, SOUTH, EAST) })), [
    "closed",
    "closed",
    "closed",
    null,
  ]);
});

test("an exhausted creature does not block", () => {
  const blocks = (self) => decode([0, 0, 0, 0, 0, 1, 0, 0], word({ self })).block;
  assert.equal(blocks({ stamina: 1 }), true);
  assert.equal(blocks({ stamina: 0 }), false);
  for (const [lastAction, costs] of [
    [REST, false],
    [MOVE, false],
    [ATTACK, true],
    [BLOCK, true],
  ]) {
    assert.equal(blocks({ stamina: 1, lastAction }), !costs);
    assert.equal(blocks({ stamina: 2, lastAction }), true);
  }
});

test("only a movement changes a heading", () => {
  const heading = 1 + SOUTH;
  const next = (self, action, more = {}) => {
    const after = went({ self: { heading, ...self }, ...more }, action);
    return [after.heading, after.lastAction];
  };
  const near = { enemy: { pos: TILES[NORTH] } };
  assert.deepEqual(next({}, AWAY), [1 + EAST, MOVE]);
  assert.deepEqual(next({}, AWAY, { hazards: around(EAST) }), [1 + EAST, MOVE]);
  assert.deepEqual(next({}, { ...AWAY, direction: NORTH }), [1 + NORTH, MOVE], "activation makes a reversal");
  assert.deepEqual(next({}, { ...AWAY, block: true }), [1 + EAST, BLOCK], "it moves, and blocks");
  assert.deepEqual(next({}, AWAY, { walls: around(EAST) }), [heading, REST], "cancelled by a wall");
  assert.deepEqual(next({ pos: 7 }, AWAY), [heading, REST], "cancelled by the edge");
  assert.deepEqual(next({}, AWAY, near), [heading, ATTACK]);
  assert.deepEqual(next({}, { ...AWAY, power: 0, block: true }, near), [heading, BLOCK]);
  assert.deepEqual(next({ stamina: 0 }, AWAY), [heading, REST], "exhausted");
});

test("a word that is finished or not valid is refused", () => {
  const refused = (given, reason) => {
    const bad = given instanceof Uint8Array ? given : word(given);
    assert.throws(() => activate(bad, AWAY, DEFAULT_RULES, 7n), reason);
    assert.throws(() => decode([0, 0, 0, 0, 0, 0, 0, 0], bad), RangeError);
  };
  assert.equal(invalidReason(word({ self: { heading: 4, lastAction: 3 } })), null);
  refused({ self: { heading: 5 } }, /self heading 5 is over 4/);
  refused({ enemy: { heading: 63 } }, /enemy heading 63 is over 4/);
  refused({ walls: [5], hazards: [5] }, /both a wall and a hazard/);
  refused({ self: { pos: 64 } }, /self pos 64 is not a tile/);
  refused({ walls: [FAR] }, /enemy stands on a wall/);
  refused({ enemy: { pos: CENTRE } }, /the same tile/);
  refused({ self: { tempDef: 128 } }, /self tempDef 128 is over 127/);
  refused({ enemy: { power: 128 } }, /enemy power 128/);
  refused({ enemy: { defense: 255 } }, /enemy defense 255/);
  refused({ enemy: { hp: 0 } }, /finished/);
  const flagged = word();
  flagged[0] = 2;
  refused(flagged, /flags 2 is over 1/);
  for (const turn of [60, 61, 255])
    assert.throws(() => activate(word({ turn }), AWAY, DEFAULT_RULES, 7n), /a finished match/);
  assert.equal(decode([0, 0, 0, 0, 0, 0, 0, 0], word({ turn: 60 })).direction, NORTH, "a finished word can be valid");
});

test("an action that is none is refused", () => {
  for (const changes of [{ direction: 4 }, { direction: -1 }, { power: 16 }, { power: -1 }])
    assert.throws(() => activate(word(), { ...AWAY, ...changes }, DEFAULT_RULES, 7n), /is not 0 to/);
});

const dna = (power, defense, stamina) => Uint8Array.from({ length: 32 }, (_, i) => [power, defense, stamina][i] ?? 0);
const [SOFT, HARD] = [dna(0, 0, 11), dna(63, 127, 11)]; // 175 and 116 hp at the start

test("bodies trade endurance and defence for hp", () => {
  assert.deepEqual(stats(SOFT), { power: 48, defense: 0, stamina: 23, hp: 175 });
  assert.deepEqual(stats(HARD), { power: 111, defense: 127, stamina: 23, hp: 116 });
  assert.deepEqual(stats(dna(64, 128, 20)), { power: 48, defense: 0, stamina: 12, hp: 219 }, "each wraps");
  assert.deepEqual(stats(dna(255, 255, 19)), { power: 111, defense: 127, stamina: 31, hp: 116 });
});

/** Creature A has the one hp, B the other; the seed's bit 6 says that A acts first, and the turn is even. */
const end = (a, b, turn = 60) => word({ self: { hp: a }, enemy: { hp: b }, turn });
const names = { a: "Ana", b: "Bor" };
const told = (last, result) => ending({ words: new Array(60), last, result }, { a: SOFT, b: HARD }, names, 0n);

test("the larger share of the hp wins, and the page says so", () => {
  const who = (a, b) => resultOf(end(a, b), SOFT, HARD, 0n);
  assert.equal(who(175, 116), 2, "both have all of it");
  assert.equal(who(174, 116), 1, "more hp, and the smaller share");
  assert.equal(who(116, 77), 1, "116 · 116 is less than 77 · 175");
  assert.equal(who(117, 77), 0, "117 · 116 is more");
  assert.equal(who(0, 1), 1);
  assert.equal(who(1, 0), 0);
  assert.equal(resultOf(end(174, 116), HARD, SOFT, 0n), 0, "by both DNAs, not by the first word");
  assert.equal(resultOf(end(117, 77), SOFT, HARD, 64n), 1, "B acts first: self is B");

  assert.match(
    told(end(117, 77), 0),
    /^Ana wins after 60 turns: it has kept .* 67 % \(117 of 175\) against 66 % \(77 of 116\)\.$/,
  );
  assert.match(told(end(174, 116), 1), /^Bor wins .* 100 % \(116 of 116\) against 99 % \(174 of 175\)\.$/);
  assert.match(told(end(175, 116), 2), /^A draw after 60 turns: .* same share/);
  assert.equal(told(end(3, 0), 0), "Ana wins after 60 turns: Bor has fallen.");
  assert.equal(told(end(3, 1), null), "The log ends after 60 turns.");
});

test("a turn is told with its way", () => {
  const tell = (given, action) => {
    const before = word(given);
    const last = activate(before, action, DEFAULT_RULES, 0n);
    return sentence(deed({ words: [before], last }, 0, 0n), names);
  };
  assert.equal(tell({}, AWAY), "Ana goes east.");
  assert.equal(tell({ self: { heading: 1 + WEST } }, AWAY), "Ana turns back east.");
  assert.equal(tell({ hazards: around(EAST) }, AWAY), "Ana goes east, into a hazard.");
  assert.equal(tell({ walls: around(EAST) }, AWAY), "Ana rests, stamina 11.");
  assert.equal(tell({}, { ...AWAY, block: true }), "Ana goes east and raises its guard to 32.");
  // 3 · 256 // (256 + 40) = 2.
  assert.equal(tell({ enemy: { pos: TILES[EAST] } }, AWAY), "Ana strikes Bor for 2.");
  assert.equal(tell({ enemy: { pos: TILES[EAST] + 1 } }, AWAY), "Ana goes east and strikes Bor for 2.");
  assert.equal(tell({ enemy: { pos: TILES[EAST], hp: 2 } }, AWAY), "Ana strikes Bor for 2. Bor falls.");
});
