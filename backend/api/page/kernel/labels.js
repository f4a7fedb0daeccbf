// What the teacher wants in a position: move, attack power, block (docs/spec/labels.md).
import { adjacent, enemyOf, isHazard, isWall, neighbour, selfOf } from "./board.js";
import { damage } from "./combat.js";

const DIRECTIONS = [0, 1, 2, 3];
const TILES = 64;
const FULL_POWER = 15;
const UNREACHED = Infinity;

/**
 * Cheapest cost from every tile to one next to `goal`, Infinity where none leads there: Float64Array(64). Nothing of it
 * depends on where self stands, so one search serves a whole board.
 */
export function costsToReach(word, goal, rules) {
  const closed = (tile) => tile === goal || isWall(word, tile);
  const costs = new Float64Array(TILES).fill(UNREACHED);
  // Dijkstra's algorithm backwards from the goals, with one list of tiles per cost in place of a heap (Dial's): costs are
  // small whole numbers, so walking the lists from the first to the last meets the tiles in order.
  const queue = [];
  const reach = (tile, cost) => {
    if (cost >= costs[tile]) return;
    costs[tile] = cost;
    (queue[cost] ??= []).push(tile);
  };
  for (const direction of DIRECTIONS) {
    const tile = neighbour(goal, direction);
    if (tile !== null && !closed(tile)) reach(tile, 0);
  }
  for (let cost = 0; cost < queue.length; cost++)
    for (const tile of queue[cost] ?? []) {
      if (costs[tile] < cost) continue; // reached more cheaply since it was queued
      const onward = cost + entryCost(word, tile, rules);
      for (const direction of DIRECTIONS) {
        const before = neighbour(tile, direction);
        if (before !== null && !closed(before)) reach(before, onward);
      }
    }
  return costs;
}

const entryCost = (word, tile, { hazardStamina }) => 1 + (isHazard(word, tile) ? hazardStamina : 0);

/**
 * Every first step of a cheapest path, of which the lowest is the label; empty when self is next to the enemy or no path
 * exists. `costs` are those of `costsToReach`, for whoever has them already.
 */
export function optimalSteps(word, rules, costs = null) {
  const [self, enemy] = [selfOf(word).pos, enemyOf(word).pos];
  if (adjacent(self, enemy)) return [];
  const togo = costs ?? costsToReach(word, enemy, rules);
  const found = DIRECTIONS.map((direction) => {
    const tile = neighbour(self, direction);
    return tile === null ? UNREACHED : entryCost(word, tile, rules) + togo[tile];
  });
  const best = Math.min(...found);
  return best === UNREACHED ? [] : DIRECTIONS.filter((direction) => found[direction] === best);
}

/**
 * The labels of a valid word: {move, attack, block}, where `move` is null when there is none to learn. `costs` as in
 * `optimalSteps`.
 */
export function label(word, rules, costs = null) {
  const [self, enemy] = [selfOf(word), enemyOf(word)];
  const attack = adjacent(self.pos, enemy.pos) ? damage(FULL_POWER, enemy.defense + enemy.tempDef, rules) : 0;
  const block = Number(rules.blockThresholdDen * self.tempDef < rules.blockThresholdNum * enemy.power);
  return { move: optimalSteps(word, rules, costs)[0] ?? null, attack, block };
}
