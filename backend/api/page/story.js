// A match told turn by turn: what each activation did, read from the words alone.
import { ATTACK, BLOCK, MOVE, enemyOf, isCritical, isHazard, selfOf, turnOf } from "./kernel/board.js";
import { isReverse, stats } from "./kernel/combat.js";
import { aActs, sides } from "./kernel/match.js";

/** Directions by their number; a heading is one more. */
export const DIRECTIONS = ["north", "south", "east", "west"];

/** The word that is on the board before turn `i`, or after the last one. */
export const wordAt = ({ words, last }, i) => (i < words.length ? words[i] : last);

/**
 * What happened in turn `i`: {side, kind, from, to, way, back, damage, critical, hazard, guard, raised, felled,
 * stamina}; `way` is the direction of a movement, null if there was none, and `back` says that it turned round. A log
 * without its last word ends one turn early: null.
 */
export function deed(match, i, battleSeed) {
  const before = match.words[i];
  const after = wordAt(match, i + 1);
  if (!before || !after) return null;
  const side = aActs(battleSeed, turnOf(before)) ? "a" : "b";
  const [was, is] = [selfOf(before), enemyOf(after)];
  const [foeWas, foeIs] = [enemyOf(before), selfOf(after)];
  const kind =
    is.lastAction === ATTACK ? "attack" : is.lastAction === BLOCK ? "block" : is.lastAction === MOVE ? "move" : "rest";
  const way = was.pos === is.pos ? null : is.heading - 1;
  return {
    side,
    kind,
    from: was.pos,
    to: is.pos,
    way,
    back: way !== null && isReverse(was.heading, way),
    damage: foeWas.hp - foeIs.hp,
    critical: kind === "attack" && isCritical(before),
    hazard: way !== null && isHazard(before, is.pos),
    guard: is.tempDef,
    raised: is.tempDef > was.tempDef,
    felled: foeIs.hp === 0,
    stamina: is.stamina,
  };
}

/** One turn as a sentence; `names` are {a, b}. */
export function sentence(d, names) {
  const [who, foe] = d.side === "a" ? [names.a, names.b] : [names.b, names.a];
  const gone = d.way === null ? "" : `${d.back ? "turns back" : "goes"} ${DIRECTIONS[d.way]}`;
  const first = gone ? `${gone} and ` : "";
  const ending = d.felled ? ` ${foe} falls.` : "";
  switch (d.kind) {
    case "attack": {
      const how = d.critical ? " with a critical hit" : "";
      const guard = d.raised ? " behind a raised guard" : "";
      return d.damage
        ? `${who} ${first}strikes ${foe} for ${d.damage}${how}${guard}.${ending}`
        : `${who} ${first}strikes ${foe} in vain${guard}.`;
    }
    case "block":
      return `${who} ${first}raises its guard to ${d.guard}.`;
    case "move":
      return `${who} ${gone}${d.hazard ? ", into a hazard" : ""}.`;
    default:
      return `${who} rests, stamina ${d.stamina}.`;
  }
}

/** A part of the health at the start, in percent. */
export const share = (hp, start) => `${Math.round((100 * hp) / start)} %`;

/** How a match ended and why, in words; `dnas` are {a, b}. */
export function ending({ words, last, result }, dnas, names, battleSeed) {
  const turns = words.length;
  if (result === null) return `The log ends after ${turns} turns.`;
  const both = sides(last, battleSeed);
  const kept = (side) => {
    const [hp, start] = [both[side].hp, stats(dnas[side]).hp];
    return `${share(hp, start)} (${hp} of ${start})`;
  };
  if (result === 2)
    return `A draw after ${turns} turns: both have kept the same share of their health, ${kept("a")} and ${kept("b")}.`;
  const [winner, loser] = result === 0 ? ["a", "b"] : ["b", "a"];
  const won = `${names[winner]} wins after ${turns} turns`;
  if (both[loser].hp === 0) return `${won}: ${names[loser]} has fallen.`;
  return `${won}: it has kept the larger share of its health, ${kept(winner)} against ${kept(loser)}.`;
}
