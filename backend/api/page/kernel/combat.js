// Combat: stats, actions, one activation (docs/spec/rules.md §4). `rules` is a season's constants by their names.
import {
  ATTACK,
  BLOCK,
  MOVE,
  REST,
  adjacent,
  enemyOf,
  invalidReason,
  isCritical,
  isHazard,
  isWall,
  neighbour,
  pack,
  selfOf,
  turnOf,
} from "./board.js";
import { draw } from "./rng.js";

const DIRECTIONS = [0, 1, 2, 3];

const clamp = (value, most) => Math.min(Math.max(value, 0), most);

/** What a season has if nothing else is said, as far as combat and labels need it. */
export const DEFAULT_RULES = Object.freeze({
  damageK: 256,
  damageCurve: 0,
  blockGain: 32,
  blockCap: 96,
  critOdds: 16,
  hazardStamina: 2,
  restGain: 2,
  maxTurns: 60,
  blockThresholdNum: 4,
  blockThresholdDen: 5,
});

/** What a beast brings into a match, from its DNA of 32 bytes; who has less defence or endurance has more hp. */
export function stats(dna) {
  const [power, defense, stamina] = [48 + (dna[0] % 64), dna[1] % 128, 12 + (dna[2] % 20)];
  const hp = Math.floor((44_800 + 94 * Math.max(0, 23 - stamina) ** 2) / (256 + defense));
  return { power, defense, stamina, hp };
}

/** Whether a creature has no stamina left when its turn starts. */
export const isExhausted = ({ stamina, lastAction }) => staminaAtStart(stamina, lastAction) === 0;

const staminaAtStart = (stamina, lastAction) =>
  lastAction === ATTACK || lastAction === BLOCK ? Math.max(stamina - 1, 0) : stamina;

/** Whether a movement in direction `d` turns round on the one before. North and south, east and west are pairs. */
export const isReverse = (heading, d) => heading === 1 + (d ^ 1);

/**
 * What keeps self from going in each of the four directions: null where nothing does, "closed" for a wall or the edge,
 * "reverse" where it would turn round although it has another way.
 */
export function obstacles(word) {
  const { pos, heading } = selfOf(word);
  const found = DIRECTIONS.map((d) => {
    const target = neighbour(pos, d);
    return target === null || isWall(word, target) ? "closed" : isReverse(heading, d) ? "reverse" : null;
  });
  return found.includes(null) ? found : found.map((obstacle) => (obstacle === "reverse" ? null : obstacle));
}

/** The action that eight logits mean to self in a word; the lowest direction wins a tie. */
export function decode(z, word) {
  demandValid(word);
  const found = obstacles(word);
  const open = DIRECTIONS.filter((d) => found[d] === null);
  const direction = (open.length ? open : DIRECTIONS).reduce((best, d) => (z[d] > z[best] ? d : best));
  // An exhausted creature that blocked would never rest, and so never recover.
  return { direction, power: clamp(z[4] >> 1, 15), block: z[5] > 0 && !isExhausted(selfOf(word)) };
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

function demandValid(word) {
  const reason = invalidReason(word);
  if (reason) throw new RangeError(`not a valid word: ${reason}`);
}

/**
 * The word after self has acted: sides swapped, turn counted, next critical flag drawn. Throws a RangeError on a word
 * that is finished or not valid, and on an action that is none. Any direction is taken, also one that `decode` would not
 * choose: into a wall it is cancelled.
 */
export function activate(word, action, rules, battleSeed) {
  if (isOver(word, rules)) throw new RangeError("a finished match cannot be activated");
  demandValid(word);
  if (!DIRECTIONS.includes(action.direction)) throw new RangeError(`direction ${action.direction} is not 0 to 3`);
  if (action.power !== clamp(action.power, 15)) throw new RangeError(`power ${action.power} is not 0 to 15`);
  const me = selfOf(word);
  const enemy = enemyOf(word);

  me.stamina = staminaAtStart(me.stamina, me.lastAction);
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
  me.heading = 1 + direction;
  if (isHazard(word, target)) me.stamina = Math.max(me.stamina - rules.hazardStamina, 0);
  return true;
}
