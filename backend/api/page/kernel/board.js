// The board word (docs/spec/rules.md §2), read in place: a word is its 32 big-endian bytes, and byte k from
// the least significant end is word[31 - k].

export const REST = 0;
export const MOVE = 1;
export const ATTACK = 2;
export const BLOCK = 3;

const STEP_X = [0, 0, 1, -1];
const STEP_Y = [-1, 1, 0, 0];

const WALLS = 0;
const HAZARDS = 8;
const SELF = 16;
const ENEMY = 23;
const TURN = 30;
const FLAGS = 31;
const CREATURE = ["pos", "hp", "stamina", "tempDef", "power", "defense", "lastAction"];

const at = (word, k) => word[31 - k];
const bit = (word, board, tile) => ((at(word, board + (tile >> 3)) >> (tile & 7)) & 1) === 1;

export const isWall = (word, tile) => bit(word, WALLS, tile);
export const isHazard = (word, tile) => bit(word, HAZARDS, tile);
export const turnOf = (word) => at(word, TURN);
export const isCritical = (word) => (at(word, FLAGS) & 1) === 1;

function creature(word, start) {
  return Object.fromEntries(CREATURE.map((name, i) => [name, at(word, start + i)]));
}

/** Who acts next, and the other: each `{pos, hp, stamina, tempDef, power, defense, lastAction}`. */
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
  CREATURE.forEach((name, i) => {
    word[31 - SELF - i] = self[name];
    word[31 - ENEMY - i] = enemy[name];
  });
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
