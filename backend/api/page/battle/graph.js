// Health and stamina of both over the turns, as one small picture that follows the replay.
import { colours } from "../beastly.js";
import { h, s, show } from "../dom.js";
import { toHex } from "../kernel/bytes.js";
import { percent } from "../format.js";
import { standings } from "./course.js";

const TALL = 100;
const SIDES = ["a", "b"];

/** Points of a line of shares, one step to the right a turn. */
const points = (shares, from = 0) => shares.map((part, i) => `${i + from},${(TALL * (1 - part)).toFixed(1)}`).join(" ");

const line = (kind, shares, from = 0) =>
  s("polyline", { class: kind, points: points(shares, from), "vector-effect": "non-scaling-stroke" });

/**
 * @param dnas {a, b}
 * @param names {a, b}
 * @returns {{element, course, at}} `course(match, former)` draws a course, and faintly the one that it left; `at(turn,
 *   veiled)` marks a turn and, if veiled, hides what comes after it
 */
export function graph(dnas, names, battleSeed) {
  const lines = s("g");
  const mark = s("line", { class: "mark", y1: 0, y2: TALL, "vector-effect": "non-scaling-stroke" });
  const veil = s("rect", { class: "veil", y: -4, height: TALL + 8 });
  const picture = s("svg", { preserveAspectRatio: "none", role: "img" }, lines, veil, mark);
  const key = (kind, text) =>
    h(
      "span",
      {},
      s("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, s("path", { class: kind, d: "M0 4H24" })),
      text,
    );
  const legend = h(
    "p",
    { class: "legend" },
    key("hp a", names.a),
    key("hp b", names.b),
    h("span", {}, "thick: health, thin: stamina"),
  );
  const vars = { "hue-a": colours(toHex(dnas.a)).hue, "hue-b": colours(toHex(dnas.b)).hue };
  let turns = 0;

  return {
    element: h("div", { class: "graph", vars }, picture, legend),
    course(match, former = null) {
      turns = match.words.length;
      const found = standings(match, dnas, battleSeed);
      const before = former && standings(former, dnas, battleSeed);
      picture.setAttribute("viewBox", `0 -4 ${Math.max(turns, 1)} ${TALL + 8}`);
      show(
        lines,
        s("line", { class: "half", x2: turns, y1: TALL / 2, y2: TALL / 2, "vector-effect": "non-scaling-stroke" }),
        before && SIDES.map((side) => line(`hp former ${side}`, before[side].hp.slice(0, turns + 1))),
        SIDES.map((side) => line(`stamina ${side}`, found[side].stamina)),
        SIDES.map((side) => line(`hp ${side}`, found[side].hp)),
      );
      const ends = SIDES.map((side) => `${names[side]} ends with ${percent(found[side].hp.at(-1) ?? 0)}`);
      picture.setAttribute("aria-label", `Health and stamina over ${turns} turns: ${ends.join(", ")} of its health.`);
    },
    at(turn, veiled) {
      for (const end of ["x1", "x2"]) mark.setAttribute(end, turn);
      veil.setAttribute("x", turn);
      veil.setAttribute("width", veiled ? turns - turn : 0);
      if (veiled) picture.setAttribute("aria-label", "Health and stamina over the turns that were played so far.");
    },
  };
}
