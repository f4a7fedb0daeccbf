// A match told turn by turn: what each activation did, read from the words alone.
import { ATTACK, BLOCK, MOVE, enemyOf, isCritical, isHazard, selfOf, turnOf } from "./kernel/board.js";
import { aActs, sides } from "./kernel/match.js";

const TOWARDS = { "-8": "north", 8: "south", 1: "east", "-1": "west" };

/** The word that is on the board before turn `i`, or after the last one. */
export const wordAt = ({ words, last }, i) => (i < words.length ? words[i] : last);

/**
 * What happened in turn `i`: {side, kind, from, to, damage, critical, hazard, guard, exhausted}. A log without its last
 * word ends one turn early: null.
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
  return {
    side,
    kind,
    from: was.pos,
    to: is.pos,
    damage: foeWas.hp - foeIs.hp,
    critical: kind === "attack" && isCritical(before),
    hazard: was.pos !== is.pos && isHazard(before, is.pos),
    guard: is.tempDef,
    raised: is.tempDef > was.tempDef,
    felled: foeIs.hp === 0,
    stamina: is.stamina,
  };
}

/** One turn as a sentence; `names` are {a, b}. */
export function sentence(d, names) {
  const [who, foe] = d.side === "a" ? [names.a, names.b] : [names.b, names.a];
  const ending = d.felled ? ` ${foe} falls.` : "";
  switch (d.kind) {
    case "attack": {
      const how = d.critical ? " with a critical hit" : "";
      const guard = d.raised ? " behind a raised guard" : "";
      return d.damage
        ? `${who} strikes ${foe} for ${d.damage}${how}${guard}.${ending}`
        : `${who} strikes ${foe} in vain${guard}.`;
    }
    case "block":
      return d.from === d.to
        ? `${who} raises its guard to ${d.guard}.`
        : `${who} goes ${way(d)} and raises its guard to ${d.guard}.`;
    case "move":
      return `${who} goes ${way(d)}${d.hazard ? ", into a hazard" : ""}.`;
    default:
      return `${who} rests, stamina ${d.stamina}.`;
  }
}

const way = ({ from, to }) => TOWARDS[to - from];

/** How a match ended, in words. */
export function ending(result, names, turns) {
  if (result === 2) return `A draw after ${turns} turns.`;
  return `${result === 0 ? names.a : names.b} wins after ${turns} turns.`;
}

export { sides };
