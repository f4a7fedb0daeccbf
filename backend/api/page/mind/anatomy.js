// Inside the brain for one position: the inputs, and the activations layer by layer.
import { h, show } from "../dom.js";
import { plural } from "../format.js";
import { paint, rising } from "./pixels.js";

const TOP = 127;

/** Of the 5 × 5 square around the beast, row by row, those that are inputs 0 to 19; 12 is the beast. */
const CORNERS = new Set([0, 4, 20, 24]);
const GROUND = { 0: "open", 16: "pool", 32: "wall" };
const OTHERS = [
  [20, "enemy east"],
  [21, "enemy west"],
  [22, "enemy south"],
  [23, "enemy north"],
  [24, "in reach"],
  [25, "its defence"],
  [26, "its power"],
  [27, "own guard"],
  [28, "bias"],
];

/** Hidden layers: units, columns of a row, and which slots own the rows. */
const LAYERS = [
  { title: "Sensors", units: 128, columns: 32, slots: 4, shift: 0 },
  { title: "Middle", units: 64, columns: 32, slots: 0, shift: 0 },
  { title: "Limbs", units: 64, columns: 16, slots: 4, shift: 4 },
];

function seen(inputs) {
  let next = 0;
  const tiles = Array.from({ length: 25 }, (_, i) => {
    if (CORNERS.has(i)) return h("i", {});
    if (i === 12) return h("i", { class: "me" });
    return h("i", { class: GROUND[inputs[next++]] });
  });
  const around = Array.from(inputs.slice(0, 20));
  const words = `Around it: ${around.filter((x) => x === 32).length} walls or edges and ${around.filter((x) => x === 16).length} pools in 20 tiles`;
  return [
    h("div", { class: "nearby", role: "img", "aria-label": words }, ...tiles),
    h(
      "dl",
      { class: "senses" },
      ...OTHERS.map(([i, label]) =>
        h(
          "div",
          {},
          h("dt", {}, label),
          h(
            "dd",
            {},
            h("span", { class: "bar", "aria-hidden": "true", vars: { part: inputs[i] / TOP } }, h("span", {})),
            String(inputs[i]),
          ),
        ),
      ),
    ),
  ];
}

function layer({ title, units, columns, slots, shift }) {
  const canvas = h("canvas", {
    class: "cells-of",
    role: "img",
    "aria-label": title,
    vars: { columns, rows: units / columns },
  });
  const bands = slots
    ? Array.from({ length: slots }, (_, i) => h("span", { class: "asleep", hidden: true, vars: { row: i, of: slots } }))
    : [];
  const read = h("small");
  const text = h("figcaption", {}, title, " ", read);
  let [values, words] = [null, ""];
  canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
    if (!values) return;
    const rows = units / columns;
    const at = (part, whole, n) => Math.min(Math.max(Math.floor((part / whole) * n), 0), n - 1);
    const unit = columns * at(offsetY, canvas.clientHeight, rows) + at(offsetX, canvas.clientWidth, columns);
    show(read, `unit ${unit}: ${values[unit]}`);
  });
  canvas.addEventListener("pointerleave", () => show(read, words));
  return {
    element: h("figure", { class: "layer" }, text, h("div", { class: "stack-of" }, canvas, ...bands)),
    draw(found, mask, colourOf) {
      values = found;
      const on = found.filter((a) => a > 0).length;
      const full = found.filter((a) => a === TOP).length;
      paint(canvas, columns, units / columns, (x, y) => found[y * columns + x] / TOP, colourOf);
      bands.forEach((band, i) => (band.hidden = Boolean((mask >> (shift + i)) & 1)));
      const sleeping = bands.filter((band) => !band.hidden).length;
      const tail = sleeping ? `, ${plural(sleeping, "slot")} asleep` : "";
      words = `${on} of ${units} active${full ? `, ${full} at most` : ""}${tail}`;
      canvas.setAttribute("aria-label", `${title}: ${words}`);
      show(read, words);
    },
  };
}

/** @returns {{element, draw}} `draw(found, mask)` with a finding of policy.js, or null */
export function anatomy() {
  const eyes = h("div", { class: "eyes-of" });
  const layers = LAYERS.map(layer);
  const element = h(
    "div",
    { class: "anatomy" },
    h("figure", { class: "sees" }, h("figcaption", {}, "What it sees"), eyes),
    ...layers.map((l) => l.element),
  );
  return {
    element,
    draw(found, mask) {
      element.classList.toggle("none", !found);
      if (!found) return;
      show(eyes, seen(found.layers[0]));
      const colourOf = rising();
      layers.forEach((l, i) => l.draw(found.layers[i + 1], mask, colourOf));
    },
  };
}
