// What the reader sets beside the board: what a stroke does, what is shown, the ground, and the bodies' numbers.
import { h, show } from "../dom.js";
import { DIALS } from "./scene.js";

const TOOLS = [
  ["look", "Look"],
  ["wall", "Wall"],
  ["pool", "Pool"],
];
const MODES = [
  ["choice", "Its choice"],
  ["teacher", "The teacher"],
  ["change", "What changed"],
];

/** A group of which one is chosen. */
function choice(legend, name, options, chosen, onChoose) {
  return h(
    "fieldset",
    { class: `choice ${name}` },
    h("legend", { class: "unseen" }, legend),
    ...options.map(([value, label]) =>
      h(
        "label",
        {},
        h("input", {
          type: "radio",
          name,
          value,
          checked: value === chosen,
          "aria-label": label,
          onchange: () => onChoose(value),
        }),
        h("span", {}, label),
      ),
    ),
  );
}

export const tools = (onChoose) => choice("What a stroke on the board does", "tool", TOOLS, "look", onChoose);
export const modes = (onChoose) => choice("What the arrows show", "mode", MODES, "choice", onChoose);

/** The terrains of the kernel by name, and chance. */
export function terrains(list, chosen, onChoose) {
  const select = h(
    "select",
    { "aria-label": "Terrain", onchange: () => onChoose(Number(select.value)) },
    ...list.map(({ name }, i) =>
      h("option", { value: i, selected: i === chosen }, name.replace(/^derived (\d+).*/, "drawn $1")),
    ),
  );
  return select;
}

/** @returns {{element, draw}} the sliders of a scene's stats; `onStat(dial, value)` */
export function dials(onStat) {
  const rows = DIALS.map((dial) => {
    const value = h("b");
    const input = h("input", { type: "range", min: 0, max: dial.most, step: 1, "aria-label": dial.label });
    input.addEventListener("input", () => onStat(dial, Number(input.value)));
    return { dial, value, input, element: h("label", {}, h("span", {}, dial.label), input, value) };
  });
  return {
    element: h("div", { class: "dials" }, ...rows.map((row) => row.element)),
    draw(scene) {
      for (const { dial, value, input } of rows) {
        const now = scene[dial.side][dial.field];
        input.value = now;
        show(value, String(now));
      }
    },
  };
}
