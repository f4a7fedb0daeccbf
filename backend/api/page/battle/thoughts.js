// What each beast sees in a turn and would do in it: the squares around it, and its logits as bars around zero.
import { h, s } from "../dom.js";
import { adjacent, enemyOf, isHazard, isWall, selfOf } from "../kernel/board.js";
import { isExhausted, obstacles } from "../kernel/combat.js";
import { DIRECTIONS } from "../story.js";
import { directed } from "./plates.js";

const OBSTACLES = { closed: "closed", reverse: "back" };
const RANGE = 2;

/** Why a creature that can move goes where it goes. */
function chosenWay(name, { direction }, found, acts) {
  const open = found.filter((obstacle) => obstacle === null).length;
  if (!open) return `${name} is walled in and stays where it is.`;
  const greatest = open === 1 ? "the only way" : `the greatest of the ${open} ways`;
  const reason = found.includes("reverse") ? "; it turns back only where nothing else is open" : " that are open";
  return `${name} ${acts ? "goes" : "would go"} ${DIRECTIONS[direction]}, ${greatest}${reason}.`;
}

/** Why `name` does, or would do, what it was told or has chosen. */
export function reason(word, { action, given }, name, acts = true) {
  const [me, enemy] = [selfOf(word), enemyOf(word)];
  if (isExhausted(me)) return `${name} is exhausted: it ${acts ? "rests" : "would rest"}, whatever it wants.`;
  if (adjacent(me.pos, enemy.pos))
    return `The enemy is in reach, so ${name} ${acts ? "stands" : "would stand"} its ground and ${acts ? "strikes" : "strike"} with ${action.power} of 15.`;
  if (given) return `You sent ${name} ${DIRECTIONS[action.direction]}.`;
  return chosenWay(name, action, obstacles(word), acts);
}

/** The squares that a beast sees around itself, itself in the midst; what its net has no input for is left out. */
function sight(word, name) {
  const { pos } = selfOf(word);
  const enemy = enemyOf(word).pos;
  const [x, y] = [pos & 7, pos >> 3];
  const tiles = [];
  const count = { wall: 0, pool: 0 };
  for (let dy = -RANGE; dy <= RANGE; dy++)
    for (let dx = -RANGE; dx <= RANGE; dx++) {
      if (Math.abs(dx) + Math.abs(dy) === 2 * RANGE) continue; // corners: not among the inputs
      const [tx, ty] = [x + dx, y + dy];
      const tile = 8 * ty + tx;
      const beyond = tx < 0 || tx > 7 || ty < 0 || ty > 7;
      const kind = beyond || isWall(word, tile) ? "wall" : isHazard(word, tile) ? "pool" : "ground";
      if (kind in count) count[kind] += 1;
      tiles.push(s("rect", { class: kind, x: dx + RANGE, y: dy + RANGE, width: 0.94, height: 0.94, rx: 0.14 }));
      if (!beyond && tile === enemy)
        tiles.push(s("circle", { class: "enemy", cx: dx + RANGE + 0.47, cy: dy + RANGE + 0.47, r: 0.3 }));
    }
  tiles.push(s("circle", { class: "self", cx: RANGE + 0.47, cy: RANGE + 0.47, r: 0.3 }));
  const label = `What ${name} sees around it: ${count.wall} closed and ${count.pool} hazardous of 20 tiles`;
  return s("svg", { class: "sight", viewBox: "-.05 -.05 5.04 5.04", role: "img", "aria-label": label }, tiles);
}

/** Where the enemy is, as the net is told. */
function offsets(word) {
  const [me, enemy] = [selfOf(word), enemyOf(word)];
  const [east, south] = [(enemy.pos & 7) - (me.pos & 7), (enemy.pos >> 3) - (me.pos >> 3)];
  const ways = [
    [Math.abs(south), south < 0 ? "north" : "south"],
    [Math.abs(east), east < 0 ? "west" : "east"],
  ].filter(([far]) => far);
  const where = ways.map(([far, way]) => `${far} ${way}`).join(", ");
  return adjacent(me.pos, enemy.pos) ? `${where}, in reach` : where;
}

const fact = (label, value) => h("div", {}, h("dt", {}, label), h("dd", {}, value));

/** A logit as a bar to one side of zero. */
const reach = (value, span) =>
  h(
    "span",
    { class: `reach ${value < 0 ? "minus" : "plus"}`, "aria-hidden": "true", vars: { part: Math.abs(value) / span } },
    h("span", {}),
  );

function logits(word, { logits: z, action }) {
  const found = obstacles(word);
  const span = Math.max(1, ...z.slice(0, 4).map(Math.abs));
  const rows = DIRECTIONS.map((_, d) =>
    h(
      "li",
      { class: action.direction === d ? "chosen" : found[d] ? "barred" : "" },
      h("span", { class: "way" }, directed(d), found[d] ? h("small", {}, ` ${OBSTACLES[found[d]]}`) : null),
      reach(z[d], span),
      h("b", {}, String(z[d])),
    ),
  );
  const strike = h("span", { class: "reach", "aria-hidden": "true", vars: { part: action.power / 15 } }, h("span", {}));
  const blocks = action.block ? "yes" : z[5] > 0 ? "too tired" : "no";
  return [
    h("ul", { class: "logits" }, ...rows),
    h(
      "dl",
      { class: "urges" },
      h(
        "div",
        {},
        h("dt", {}, "strike"),
        h("dd", {}, strike, h("b", {}, `${action.power} of 15`), h("small", {}, `logit ${z[4]}`)),
      ),
      h(
        "div",
        { class: action.block ? "chosen" : "" },
        h("dt", {}, "block"),
        h("dd", {}, h("b", {}, blocks), h("small", {}, `logit ${z[5]}`)),
      ),
    ),
  ];
}

/** The panel of one beast's mind in a turn: {word, thought, acts} of `minds`. */
export function mindPanel({ word, thought, acts }, name, side) {
  const [me, enemy] = [selfOf(word), enemyOf(word)];
  return h(
    "section",
    {
      class: `mind ${side} ${acts ? "acts" : "waits"}`,
      "aria-label": `What ${name} sees and ${acts ? "does" : "would do"}`,
    },
    h("h3", {}, name, h("small", {}, acts ? " acts" : " waits; if it were its turn")),
    h("p", {}, reason(word, thought, name, acts)),
    h(
      "div",
      { class: "seen" },
      sight(word, name),
      h(
        "dl",
        {},
        fact("enemy", offsets(word)),
        fact("its power", String(enemy.power)),
        fact("its defence", String(enemy.defense + enemy.tempDef)),
        fact("own guard", String(me.tempDef)),
      ),
    ),
    logits(word, thought),
  );
}
