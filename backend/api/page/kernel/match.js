// Whole matches (docs/spec/rules.md §4): set-up, play, result.
import { REST, clearTile, enemyOf, pack, selfOf, turnOf } from "./board.js";
import { activate, criticalAt, decode, isOver, stats } from "./combat.js";
import { features } from "./features.js";
import { logits } from "./network.js";

/** Results as the chain numbers them. */
export const RESULTS = ["A", "B", "draw"];

export const aActsFirst = (battleSeed) => ((battleSeed >> 6n) & 1n) === 0n;

/** Whether creature A is self in a turn. */
export const aActs = (battleSeed, turn) => aActsFirst(battleSeed) === (turn % 2 === 0);

export function firstWord(terrains, dnaA, dnaB, battleSeed, rules) {
  const template = terrains[Number(battleSeed % 64n)];
  const terrain = { walls: template.walls.slice(), hazards: template.hazards.slice() };
  clearTile(terrain, 0);
  clearTile(terrain, 63);
  const [a, b] = [
    [0, dnaA],
    [63, dnaB],
  ].map(([pos, dna]) => ({ pos, ...stats(dna), tempDef: 0, lastAction: REST, heading: 0 }));
  const [first, second] = aActsFirst(battleSeed) ? [a, b] : [b, a];
  return pack(terrain, first, second, 0, criticalAt(battleSeed, 0, rules));
}

/** The two creatures of a word as {a, b}. */
export function sides(word, battleSeed) {
  const [self, enemy] = [selfOf(word), enemyOf(word)];
  return aActs(battleSeed, turnOf(word)) ? { a: self, b: enemy } : { a: enemy, b: self };
}

/**
 * Who won, from the word at a match's end: 0 A, 1 B, 2 nobody. The larger share of the hp at the start wins, whatever
 * the first word says of it; with an hp of 0 that share is nothing.
 */
export function resultOf(last, dnaA, dnaB, battleSeed) {
  const { a, b } = sides(last, battleSeed);
  const [shareA, shareB] = [a.hp * stats(dnaB).hp, b.hp * stats(dnaA).hp]; // over the product of both starts
  return shareA === shareB ? 2 : Number(shareB > shareA);
}

/** Logits and action of a beast's state {mask, weights} in a word in which it is self. */
export function think(state, word) {
  const z = logits(state.weights, state.mask, features(word));
  return { logits: z, action: decode(z, word) };
}

/** Play on from `word` to the end: as `playMatch`, without the result. */
export function playFrom(word, { battleSeed, rules }, choose) {
  const words = [];
  const thoughts = [];
  while (!isOver(word, rules)) {
    const thought = choose(word, aActs(battleSeed, turnOf(word)));
    words.push(word);
    thoughts.push(thought);
    word = activate(word, thought.action, rules, battleSeed);
  }
  return { words, thoughts, last: word };
}

/**
 * Play a match on one of `terrains`: `choose(word, aActs)` gives {action} for whoever acts.
 * @returns {{words, thoughts, last, result}} the word before each activation, what was chosen in it, the word after
 *   the last one, and who won
 */
export function playMatch(terrains, { dnaA, dnaB, battleSeed, rules }, choose) {
  const played = playFrom(firstWord(terrains, dnaA, dnaB, battleSeed, rules), { battleSeed, rules }, choose);
  return { ...played, result: resultOf(played.last, dnaA, dnaB, battleSeed) };
}
