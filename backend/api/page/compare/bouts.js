// Many matches of everybody against everybody, each pair on the same battle seeds from both sides: as
// `chainbeasts battle gauntlet` plays them.
import { playMatch, think } from "../kernel/match.js";
import { draw } from "../kernel/rng.js";

/** Every pair of `n`, the first before the second. */
export const pairs = (n) =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n - i - 1 }, (_, k) => [i, i + k + 1])).flat();

/**
 * Play `seeds` battle seeds drawn from `first` (a BigInt), twice each, with sides changed.
 * @param fighters [{dna, mask, weights}]
 * @returns a generator of {a, b, result, turns}: places in `fighters`, and the result as the chain numbers it
 */
export function* bouts(terrains, rules, fighters, first, seeds) {
  const between = pairs(fighters.length);
  for (let n = 0; n < seeds; n++) {
    const battleSeed = draw(first, n);
    for (const [one, other] of between)
      for (const [a, b] of [
        [one, other],
        [other, one],
      ]) {
        const setup = { dnaA: fighters[a].dna, dnaB: fighters[b].dna, battleSeed, rules };
        const { result, words } = playMatch(terrains, setup, (word, aActs) => think(fighters[aActs ? a : b], word));
        yield { a, b, result, turns: words.length };
      }
  }
}

/** What came of bouts: `won[i][j]` that i won against j, `drawn[i][j]`, and the turns of all. */
export class WinTable {
  constructor(n) {
    const empty = () => Array.from({ length: n }, () => new Array(n).fill(0));
    Object.assign(this, { won: empty(), drawn: empty(), bouts: 0, turns: 0 });
  }

  add({ a, b, result, turns }) {
    this.bouts += 1;
    this.turns += turns;
    if (result === 0) this.won[a][b] += 1;
    else if (result === 1) this.won[b][a] += 1;
    else for (const [i, j] of [[a, b], [b, a]]) this.drawn[i][j] += 1; // prettier-ignore
  }

  /** A win is a point, a draw half a one: the share 0…1 of those that one could have; null before any bout. */
  static points({ won, drawn }, i) {
    const sum = (row) => row.reduce((total, n) => total + n, 0);
    const fought = sum(won[i]) + sum(drawn[i]) + sum(won.map((row) => row[i]));
    return fought ? (sum(won[i]) + sum(drawn[i]) / 2) / fought : null;
  }
}
