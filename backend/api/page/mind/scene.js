// The board that a reader arranges: terrain, an enemy, and the body of the beast, which may stand on any open tile. A scene
// is never changed; every act gives another one.
import { REST, clearTile, pack } from "../kernel/board.js";

export const TILES = 64;
const MOST = 127;
const FRESH_HP = 100;

/** What of both bodies the brain sees or its appendage obeys, and how far each goes. */
export const DIALS = [
  { side: "enemy", field: "power", label: "Enemy's power", most: MOST },
  { side: "enemy", field: "defense", label: "Enemy's defence", most: MOST },
  { side: "enemy", field: "tempDef", label: "Enemy's guard", most: 96 },
  { side: "self", field: "tempDef", label: "Its own guard", most: 96 },
  { side: "self", field: "stamina", label: "Its own stamina", most: 31 },
];

const body = (given) => ({
  pos: 0,
  hp: FRESH_HP,
  stamina: 16,
  tempDef: 0,
  power: 64,
  defense: 64,
  lastAction: REST,
  heading: 0,
  ...given,
});

/** A scene on a {walls, hazards} of bytes, with the enemy's tile cleared; `self` and `enemy` are stats. */
export function sceneOn(terrain, self, enemy) {
  const own = { walls: terrain.walls.slice(), hazards: terrain.hazards.slice() };
  clearTile(own, enemy.pos);
  return { terrain: own, self: body(self), enemy: body(enemy) };
}

const holds = (board, tile) => ((board[7 - (tile >> 3)] >> (tile & 7)) & 1) === 1;

/** What is on a tile: "enemy", "wall", "pool" or "open". */
export function occupant({ terrain, enemy }, tile) {
  if (enemy.pos === tile) return "enemy";
  if (holds(terrain.walls, tile)) return "wall";
  return holds(terrain.hazards, tile) ? "pool" : "open";
}

/** The word in which the beast stands on a tile; null where it cannot. */
export function wordOn(scene, tile) {
  const there = occupant(scene, tile);
  if (there === "enemy" || there === "wall") return null;
  return pack(scene.terrain, { ...scene.self, pos: tile }, scene.enemy, 0, false);
}

/** The scene with "wall", "pool" or "open" ground on a tile; the enemy's own tile stays open. */
export function withGround(scene, tile, kind) {
  if (tile === scene.enemy.pos) return scene;
  const terrain = { walls: scene.terrain.walls.slice(), hazards: scene.terrain.hazards.slice() };
  clearTile(terrain, tile);
  const board = { wall: terrain.walls, pool: terrain.hazards }[kind];
  if (board) board[7 - (tile >> 3)] |= 1 << (tile & 7);
  return { ...scene, terrain };
}

/** The scene with the enemy on a tile, whose ground becomes open. */
export const withEnemy = (scene, tile) => sceneOn(scene.terrain, scene.self, { ...scene.enemy, pos: tile });

/** The scene with a stat of one side set, within its dial. */
export function withStat(scene, { side, field, most }, value) {
  const kept = Math.min(Math.max(Math.round(value), 0), most);
  return { ...scene, [side]: { ...scene[side], [field]: kept } };
}

/** The scene after what stands on one tile was carried to another; nothing lands on the enemy. */
export function carried(scene, from, to) {
  const what = occupant(scene, from);
  if (from === to || what === "open" || to === scene.enemy.pos) return scene;
  if (what === "enemy") return withEnemy(scene, to);
  return withGround(withGround(scene, from, "open"), to, what);
}

/** A tile by column a to h and row 1 to 8, from the top left. */
export const tileName = (tile) => `${"abcdefgh"[tile & 7]}${(tile >> 3) + 1}`;
