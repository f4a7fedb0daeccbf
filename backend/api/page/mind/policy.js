// What a brain would do on every tile of a scene, and what the teacher wants there.
import { ATTACK, BLOCK, adjacent, enemyOf, selfOf } from "../kernel/board.js";
import { activate, decode, obstacles } from "../kernel/combat.js";
import { features } from "../kernel/features.js";
import { costsToReach, label, optimalSteps } from "../kernel/labels.js";
import { forward } from "../kernel/network.js";
import { TILES, tileName, wordOn } from "./scene.js";

export const DIRECTIONS = ["north", "south", "east", "west"];

/** Shares of the four directions as the loss has them: softmax over the logits / 32, without those that are barred. */
function shares(z, barred) {
  const open = [0, 1, 2, 3].filter((d) => barred[d] === null);
  const top = Math.max(...open.map((d) => z[d]));
  const weight = (d) => (barred[d] === null ? Math.exp((z[d] - top) / 32) : 0);
  const sum = open.reduce((total, d) => total + weight(d), 0);
  return [0, 1, 2, 3].map((d) => (sum ? weight(d) / sum : 0));
}

/**
 * A brain {mask, weights} in a word: what flows through it, what it does, and what the teacher says of that.
 * `costs` are those of labels.js for the enemy's tile.
 */
export function consider(brain, word, rules, costs = null) {
  const layers = forward(brain.weights, brain.mask, features(word));
  const z = layers[layers.length - 1];
  const [self, enemy] = [selfOf(word), enemyOf(word)];
  const barred = obstacles(word);
  const action = decode(z, word);
  const reach = adjacent(self.pos, enemy.pos);
  const wanted = label(word, rules, costs);
  const optimal = optimalSteps(word, rules, costs);
  return {
    word,
    layers,
    logits: z,
    barred,
    shares: shares(z, barred),
    action,
    deed: deedOf(word, action, rules),
    reach,
    wanted,
    optimal,
    right: {
      move: optimal.length ? optimal.includes(action.direction) : null,
      block: action.block === Boolean(wanted.block),
    },
  };
}

/** Of the seed only critical hits depend, and nothing shown does. */
const SEED = 0n;

/**
 * What an action comes to: "strike", "move", "charge" (a move into reach and a strike at once), each with or without a
 * guard; else "block" or "rest".
 */
function deedOf(word, action, rules) {
  const after = enemyOf(activate(word, action, rules, SEED));
  const moves = after.pos !== selfOf(word).pos;
  if (after.lastAction === ATTACK) return moves ? "charge" : "strike";
  if (moves) return "move";
  return after.lastAction === BLOCK ? "block" : "rest";
}

/** What `consider` finds on each of the 64 tiles; null where the beast cannot stand. */
export function policy(brain, scene, rules) {
  const words = Array.from({ length: TILES }, (_, tile) => wordOn(scene, tile));
  const open = words.find((word) => word !== null);
  const costs = open ? costsToReach(open, scene.enemy.pos, rules) : null;
  return words.map((word) => (word ? consider(brain, word, rules, costs) : null));
}

/** Whether two findings on a tile differ in what the beast does there. */
export const differs = (a, b) =>
  Boolean(a && b) &&
  (a.deed !== b.deed ||
    a.action.direction !== b.action.direction ||
    a.action.power !== b.action.power ||
    a.action.block !== b.action.block);

/** Counts over a map: open tiles, those with a way to learn and how many of them it goes right, blocks that are right. */
export function tally(map) {
  const found = map.filter(Boolean);
  const moving = found.filter(({ right }) => right.move !== null);
  return {
    tiles: found.length,
    moves: moving.length,
    movesRight: moving.filter(({ right }) => right.move).length,
    blocksRight: found.filter(({ right }) => right.block).length,
  };
}

/** "goes east", "strikes with 9 of 15", and whether it raises its guard. */
export function deedInWords({ deed, action }) {
  const main = {
    move: `goes ${DIRECTIONS[action.direction]}`,
    strike: `strikes with ${action.power} of 15`,
    charge: `goes ${DIRECTIONS[action.direction]} and strikes with ${action.power} of 15`,
    block: "raises its guard",
    rest: "rests",
  }[deed];
  return action.block && deed !== "block" ? `${main} and raises its guard` : main;
}

const ways = (steps) => steps.map((d) => DIRECTIONS[d]).join(" or ");

/** What the teacher wants on a tile, in words. */
export function wantedInWords({ reach, wanted, optimal }) {
  const main = reach ? `strike with ${wanted.attack}` : optimal.length ? `go ${ways(optimal)}` : "has no way to teach";
  return `${main}, ${wanted.block ? "guard up" : "guard down"}`;
}

/** A tile of a map in one sentence. */
export function tileInWords(scene, map, tile, name) {
  const found = map[tile];
  const place = tileName(tile);
  if (!found) return scene.enemy.pos === tile ? `${place}: the enemy` : `${place}: a wall`;
  return `${place}: ${name} ${deedInWords(found)}; the teacher: ${wantedInWords(found)}`;
}
