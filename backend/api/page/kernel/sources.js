// Which word a step trains on, and how self-play goes on (docs/spec/samples.md §3). Seeds are BigInts below 2^64.
import { adjacent, enemyOf, selfOf, turnOf } from "./board.js";
import { activate, decode, isOver } from "./combat.js";
import { draw, fold64, splitMix64 } from "./rng.js";
import { randomPosition } from "./samples.js";

export const CURRICULUM = 0;
export const SELF_PLAY = 1;
export const BATTLE = 2;
export const PRIVATE = 3;

const TEMPLATES = 64;
const ENEMY_DRAW = 16;
const NO_ARENA = new Uint8Array(32);

export const readsRecords = (source) => source === BATTLE || source === PRIVATE;

/** Whether there is a position to go on from; no match leads to the word 0, which is not valid. */
const isThere = (arena) => arena.some((byte) => byte !== 0);

export const windowSeed = (dna, parent) => fold64(dna) ^ fold64(parent);

/** The record that a BATTLE or PRIVATE step trains on. */
export function recordIndex({ source, dna, secretFold, length }, globalStep) {
  const key = fold64(dna) ^ BigInt(globalStep) ^ (source === PRIVATE ? secretFold : 0n);
  return Number(splitMix64(key) % BigInt(length));
}

/**
 * The word of the step that a header {parent, globalStep, arena} stands before.
 * @param records word at an index, for windows that read records
 */
export function sample(context, header, terrains, records) {
  const { source, dna, rules } = context;
  const step = BigInt(header.globalStep);
  if (source === CURRICULUM) {
    const template = terrains[(context.epochSeed[31] + header.globalStep) % TEMPLATES];
    return randomPosition(splitMix64(fold64(dna) ^ step), template, rules);
  }
  if (source === SELF_PLAY) {
    if (isThere(header.arena)) return header.arena;
    return randomPosition(splitMix64(windowSeed(dna, header.parent) ^ step), null, rules);
  }
  return records(recordIndex(context, header.globalStep));
}

/** The arena after a SELF_PLAY step on a valid word: self acts by its logits, the enemy at random. */
export function playOn(word, logits, seed, globalStep, rules) {
  if (isOver(word, rules)) return NO_ARENA; // only an arena that somebody made up
  const answered = activate(word, decode(logits, word), rules, seed);
  if (isOver(answered, rules)) return NO_ARENA;
  const u = Number(draw(seed ^ BigInt(globalStep), ENEMY_DRAW) & 0xffn);
  const enemy = { direction: u & 3, power: (u >> 2) & 15, block: ((u >> 6) & 3) === 0 };
  const next = activate(answered, enemy, rules, seed);
  // Neighbouring words of one match are too alike to learn much from, and most would be stand-offs.
  const standOff = reach(word) && reach(next);
  const playedOut = turnOf(next) >= 2 * rules.selfPlayWords;
  return standOff || playedOut || isOver(next, rules) ? NO_ARENA : next;
}

const reach = (word) => adjacent(selfOf(word).pos, enemyOf(word).pos);
