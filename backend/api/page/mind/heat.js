// The four weight matrices as heat maps. W2 and W4 are turned, so that above each other columns are the same units: a slot
// that sleeps is one band through both.
import { h, show } from "../dom.js";
import { diverging, paint } from "./pixels.js";

const [W2, W3, W4] = [32 * 128, 32 * 128 + 128 * 64, 32 * 128 + 128 * 64 + 64 * 64];
/** What counts as a strong weight, and as a strong change of one. */
const STRONG = 4096;
const MOVED = 1536;

const MAPS = [
  { name: "W1", title: "inputs → sensors", columns: 128, rows: 32, at: (x, y) => y * 128 + x },
  { name: "W2", title: "sensors → middle", columns: 128, rows: 64, at: (x, y) => W2 + x * 64 + y },
  { name: "W3", title: "middle → limbs", columns: 64, rows: 64, at: (x, y) => W3 + y * 64 + x },
  { name: "W4", title: "limbs → six outputs", columns: 64, rows: 6, at: (x, y) => W4 + x * 8 + y },
];

function map({ name, title, columns, rows, at }) {
  const canvas = h("canvas", {
    class: "cells-of",
    role: "img",
    "aria-label": `${name}, ${title}`,
    vars: { columns, rows },
  });
  const said = h("small");
  return {
    element: h(
      "figure",
      { class: `heat ${name.toLowerCase()}` },
      h("figcaption", {}, h("b", {}, name), ` ${title} `, said),
      canvas,
    ),
    draw(weights, before, colourOf) {
      const scale = before ? MOVED : STRONG;
      const value = (i) => (before ? weights[i] - before[i] : weights[i]);
      let [sum, most] = [0, 0];
      paint(
        canvas,
        columns,
        rows,
        (x, y) => {
          const v = value(at(x, y));
          sum += Math.abs(v);
          most = Math.max(most, Math.abs(v));
          return v / scale;
        },
        colourOf,
      );
      const words = `${before ? "changed by" : "mean size"} ${Math.round(sum / (columns * rows))}, at most ${most}`;
      canvas.setAttribute("aria-label", `${name}, ${title}: ${words}`);
      show(said, words);
    },
  };
}

function bands(shift, noun) {
  return [0, 1, 2, 3]
    .map((slot) =>
      h(
        "span",
        { class: "asleep upright", hidden: true, vars: { row: slot, of: 4 } },
        h("b", {}, `${noun} ${slot} asleep`),
      ),
    )
    .map((element, slot) => ({ element, set: (mask) => (element.hidden = Boolean((mask >> (shift + slot)) & 1)) }));
}

/** @returns {{element, draw}} `draw(brain, before, theme)`, where `before` is the brain that changes are counted from, or null;
 *   nothing is painted twice while the three are the same */
export function heat() {
  const maps = MAPS.map(map);
  const sleeping = [bands(0, "sensor"), bands(4, "limb")];
  const element = h(
    "div",
    { class: "heats" },
    ...[0, 1].map((i) =>
      h(
        "div",
        { class: "stack-of" },
        maps[2 * i].element,
        maps[2 * i + 1].element,
        ...sleeping[i].map((band) => band.element),
      ),
    ),
  );
  let drawn = [];
  return {
    element,
    draw(brain, before, theme) {
      if ([brain, before, theme].every((one, i) => one === drawn[i])) return;
      drawn = [brain, before, theme];
      const colourOf = diverging();
      maps.forEach((one) => one.draw(brain.weights, before?.weights ?? null, colourOf));
      sleeping.flat().forEach((band) => band.set(brain.mask));
    },
  };
}
