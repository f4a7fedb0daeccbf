// Courses of a match, from words alone: as it went, how it would have gone on, and how both beasts stood meanwhile.
import { enemyOf, isCritical, pack, selfOf, turnOf } from "../kernel/board.js";
import { stats } from "../kernel/combat.js";
import { aActs, playFrom, resultOf, sides, think } from "../kernel/match.js";
import { wordAt } from "../story.js";

/**
 * The match with something else from turn `turn` on.
 * @param match {words, thoughts, last}
 * @param setup {dnaA, dnaB, battleSeed, rules}
 * @param brains {a, b}, who thinks from that turn on
 * @param action what is done in that turn, whatever the beast would do; null leaves it to the brain
 * @returns {{words, thoughts, last, result, from}} a match as `playMatch` gives it; a thought that was not the beast's own
 *   has `given`
 */
export function branch(match, turn, setup, brains, action = null) {
  const start = wordAt(match, turn);
  let first = true;
  const played = playFrom(start, setup, (word, aActs) => {
    const thought = think(aActs ? brains.a : brains.b, word);
    const given = first && action !== null;
    first = false;
    return given ? { ...thought, action, given } : thought;
  });
  return {
    words: [...match.words.slice(0, turn), ...played.words],
    thoughts: [...match.thoughts.slice(0, turn), ...played.thoughts],
    last: played.last,
    result: resultOf(played.last, setup.dnaA, setup.dnaB, setup.battleSeed),
    from: turn,
  };
}

/** The word as the waiting beast would see it if it were its turn: sides swapped, all else alike. */
export const seenByOther = (word) => pack(word, enemyOf(word), selfOf(word), turnOf(word), isCritical(word));

/** What both would do in a turn: {a, b} of {word, thought, acts}; null for a brain that is not at hand, or for the fallen. */
export function minds(match, turn, brains, battleSeed) {
  const word = wordAt(match, turn);
  const self = aActs(battleSeed, turn) ? "a" : "b";
  const found = { a: null, b: null };
  if (turn >= match.words.length || !brains) return found;
  for (const side of ["a", "b"]) {
    const acts = side === self;
    const seen = acts ? word : seenByOther(word);
    found[side] = { word: seen, acts, thought: (acts && match.thoughts[turn]) || think(brains[side], seen) };
  }
  return found;
}

/**
 * How both stood before each turn and at the end, as shares 0…1 of what their DNA gave them.
 * @returns {{a: {hp, stamina}, b: {hp, stamina}}} arrays of one more than the turns
 */
export function standings(match, dnas, battleSeed) {
  const most = { a: stats(dnas.a), b: stats(dnas.b) };
  const found = { a: { hp: [], stamina: [] }, b: { hp: [], stamina: [] } };
  for (let turn = 0; turn <= match.words.length; turn++) {
    const word = wordAt(match, turn);
    if (!word) break; // a log as it was recorded may lack its last word
    const both = sides(word, battleSeed);
    for (const side of ["a", "b"]) {
      found[side].hp.push(both[side].hp / most[side].hp);
      found[side].stamina.push(Math.min(1, both[side].stamina / most[side].stamina));
    }
  }
  return found;
}

/** The first turn in which two courses differ; null if none does. */
export function parting(one, other) {
  const most = Math.max(one.words.length, other.words.length);
  for (let turn = 0; turn <= most; turn++) {
    const [p, q] = [wordAt(one, turn), wordAt(other, turn)];
    if (!p || !q || p.some((byte, i) => byte !== q[i])) return turn;
  }
  return null;
}
