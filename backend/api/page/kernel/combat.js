// Combat: stats, actions, one activation (docs/spec/rules.md §4). `rules` is a season's constants by their names.
import {
  ATTACK,
  BLOCK,
  MOVE,
  REST,
  adjacent,
  enemyOf,
  isCritical,
  isHazard,
  isWall,
  neighbour,
  pack,
  selfOf,
  turnOf,
} from "./board.js";
import { draw } from "./rng.js";

export const DEFAULT_RULES = Object.freeze({
  damageK: 256,
  damageCurve: 0,
  blockGain: 32,
  blockCap: 96,
  critOdds: 16,
  hazardStamina: 2,
  restGain: 2,
  maxTurns: 60,
});

/** What a beast brings into a match, from its DNA of 32 bytes. */
export function stats(dna) {
  return { power: 32 + (dna[0] % 96), defense: dna[1] % 128, stamina: 12 + (dna[2] % 20), hp: 100 + (dna[3] % 100) };
}

/** The action that eight logits mean; the lowest direction wins a tie. */
export function decode(z) {
  let direction = 0;
  for (let d = 1; d < 4; d++) if (z[d] > z[direction]) direction = d;
  return { direction, power: Math.min(Math.max(z[4] >> 1, 0), 15), block: z[5] > 0 };
}

export function damage(power, effective, rules) {
  const { damageK, damageCurve } = rules;
  if (damageCurve === 0) return Math.floor((power * damageK) / (damageK + effective));
  return Math.floor((power * Math.max(damageK - effective, 0)) / damageK);
}

/** Whether an attack made in `turn` is critical; the seed is a BigInt. */
export const criticalAt = (battleSeed, turn, rules) => draw(battleSeed, turn) % BigInt(rules.critOdds) === 0n;

export function isOver(word, rules) {
  return selfOf(word).hp === 0 || enemyOf(word).hp === 0 || turnOf(word) >= rules.maxTurns;
}

/** The word after self has acted: sides swapped, turn counted, next critical flag drawn. */
export function activate(word, action, rules, battleSeed) {
  if (isOver(word, rules)) throw new RangeError("a finished match cannot be activated");
  const me = selfOf(word);
  const enemy = enemyOf(word);

  if (me.lastAction === ATTACK || me.lastAction === BLOCK) me.stamina = Math.max(me.stamina - 1, 0);
  const exhausted = me.stamina === 0;

  const moved = !exhausted && !adjacent(me.pos, enemy.pos) && move(word, me, action.direction, rules);
  if (action.block) me.tempDef = Math.min(me.tempDef + rules.blockGain, rules.blockCap);
  const attacked = !exhausted && adjacent(me.pos, enemy.pos) && action.power > 0;
  if (attacked) {
    const hit = damage(action.power, enemy.defense + enemy.tempDef, rules);
    enemy.hp = Math.max(enemy.hp - (isCritical(word) ? 2 * hit : hit), 0);
    enemy.tempDef = 0;
  }

  me.lastAction = attacked ? ATTACK : action.block ? BLOCK : moved ? MOVE : REST;
  if (me.lastAction === REST) me.stamina = Math.min(me.stamina + rules.restGain, 255);

  const turn = turnOf(word) + 1;
  return pack(word, enemy, me, turn, criticalAt(battleSeed, turn, rules));
}

function move(word, me, direction, rules) {
  const target = neighbour(me.pos, direction);
  if (target === null || isWall(word, target)) return false;
  me.pos = target;
  if (isHazard(word, target)) me.stamina = Math.max(me.stamina - rules.hazardStamina, 0);
  return true;
}
