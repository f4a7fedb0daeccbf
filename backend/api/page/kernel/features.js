// What the network sees of a valid word: 32 inputs, 0…127 (docs/spec/network.md §2).
import { adjacent, enemyOf, isHazard, isWall, selfOf } from "./board.js";

const ONE = 32;
const HALF = 16;

/** The 5 × 5 square around self, row by row, without its centre and corners. */
const NEIGHBOURHOOD = [];
for (let dy = -2; dy <= 2; dy++)
  for (let dx = -2; dx <= 2; dx++) if ((dx || dy) && Math.abs(dx) + Math.abs(dy) < 4) NEIGHBOURHOOD.push([dx, dy]);

/** Int32Array(32). */
export function features(word) {
  const me = selfOf(word);
  const enemy = enemyOf(word);
  const [x, y] = [me.pos & 7, me.pos >> 3];
  const [east, south] = [(enemy.pos & 7) - x, (enemy.pos >> 3) - y];
  const around = NEIGHBOURHOOD.map(([dx, dy]) => terrain(word, x + dx, y + dy));
  const towards = [east, -east, south, -south].map((offset) => HALF * Math.max(offset, 0));
  return Int32Array.from([
    ...around,
    ...towards,
    adjacent(me.pos, enemy.pos) ? ONE : 0,
    (enemy.defense + enemy.tempDef) >> 2,
    enemy.power >> 1,
    me.tempDef >> 1,
    ONE,
    0,
    0,
    0,
  ]);
}

function terrain(word, x, y) {
  if (x < 0 || x > 7 || y < 0 || y > 7 || isWall(word, 8 * y + x)) return ONE;
  return isHazard(word, 8 * y + x) ? HALF : 0;
}
