// The board word (docs/spec/rules.md §2), read in place: a word is its 32 big-endian bytes, and byte k from
// the least significant end is word[31 - k].

/** Values of `lastAction`. */
export const REST = 0;
export const MOVE = 1;
export const ATTACK = 2;
export const BLOCK = 3;

/** Values of a creature's power, defence and guard end here: the inputs made of them are 0…127. */
const MOST = 127;
const HEADINGS = 4;

const STEP_X = [0, 0, 1, -1];
const STEP_Y = [-1, 1, 0, 0];

const WALLS = 0;
const HAZARDS = 8;
const SELF = 16;
const ENEMY = 23;
const TURN = 30;
const FLAGS = 31;
const BYTES = ["pos", "hp", "stamina", "tempDef", "power", "defense"];
const LAST = BYTES.length;

const at = (word, k) => word[31 - k];
const bit = (word, board, tile) => ((at(word, board + (tile >> 3)) >> (tile & 7)) & 1) === 1;

export const isWall = (word, tile) => bit(word, WALLS, tile);
export const isHazard = (word, tile) => bit(word, HAZARDS, tile);
export const turnOf = (word) => at(word, TURN);
export const isCritical = (word) => (at(word, FLAGS) & 1) === 1;

function creature(word, start) {
  const last = at(word, start + LAST);
  const fields = Object.fromEntries(BYTES.map((name, i) => [name, at(word, start + i)]));
  return { ...fields, lastAction: last & 3, heading: last >> 2 };
}

/**
 * Who acts next, and the other: each `{pos, hp, stamina, tempDef, power, defense, lastAction, heading}`. A heading is 0
 * before the first movement, then 1 + the direction of the last one.
 */
export const selfOf = (word) => creature(word, SELF);
export const enemyOf = (word) => creature(word, ENEMY);

/** A word on another's terrain, or on `terrain` = {walls, hazards} of 8 big-endian bytes each. */
export function pack(terrain, self, enemy, turn, critical) {
  const word = new Uint8Array(32);
  if (terrain instanceof Uint8Array) word.set(terrain.subarray(16), 16);
  else {
    word.set(terrain.hazards, 16);
    word.set(terrain.walls, 24);
  }
  for (const [start, from] of [
    [SELF, self],
    [ENEMY, enemy],
  ]) {
    BYTES.forEach((name, i) => (word[31 - start - i] = from[name]));
    word[31 - start - LAST] = from.lastAction | (from.heading << 2);
  }
  word[31 - TURN] = turn;
  word[31 - FLAGS] = critical ? 1 : 0;
  return word;
}

/** Neither wall nor hazard on a tile of a {walls, hazards} of bytes, in place. */
export function clearTile({ walls, hazards }, tile) {
  for (const board of [walls, hazards]) board[7 - (tile >> 3)] &= ~(1 << (tile & 7));
}

export function adjacent(a, b) {
  return Math.abs((a & 7) - (b & 7)) + Math.abs((a >> 3) - (b >> 3)) === 1;
}

/** The tile next to one in direction 0 N, 1 S, 2 E, 3 W; null off the board. */
export function neighbour(tile, direction) {
  const x = (tile & 7) + STEP_X[direction];
  const y = (tile >> 3) + STEP_Y[direction];
  return x >= 0 && x < 8 && y >= 0 && y < 8 ? 8 * y + x : null;
}

/** Why a word may not be activated, in words; null when it is valid (docs/spec/rules.md §2). */
export function invalidReason(word) {
  for (let i = 0; i < 8; i++)
    if (at(word, WALLS + i) & at(word, HAZARDS + i)) return "a tile is both a wall and a hazard";
  const [self, enemy] = [selfOf(word), enemyOf(word)];
  for (const [name, creature] of [
    ["self", self],
    ["enemy", enemy],
  ]) {
    if (creature.pos > 63) return `${name} pos ${creature.pos} is not a tile (0 to 63)`;
    if (isWall(word, creature.pos)) return `${name} stands on a wall (tile ${creature.pos})`;
    if (creature.hp < 1) return `${name} hp is 0`;
    for (const field of ["tempDef", "power", "defense"])
      if (creature[field] > MOST) return `${name} ${field} ${creature[field]} is over ${MOST}`;
    if (creature.heading > HEADINGS) return `${name} heading ${creature.heading} is over ${HEADINGS}`;
  }
  if (self.pos === enemy.pos) return `self and enemy stand on the same tile (${self.pos})`;
  return at(word, FLAGS) > 1 ? `flags ${at(word, FLAGS)} is over 1` : null;
}
