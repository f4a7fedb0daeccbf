// What stands below a beast's board: its curves, what it costs, its battles and its windows. The board comes first.
import { get } from "../api.js";
import { h, redraw } from "../dom.js";
import { bouts } from "../views/battles.js";
import { learning } from "../views/learning.js";
import { facts } from "./facts.js";
import { lineage } from "./lineage.js";

function ring(id, matches) {
  return [
    h("h2", { id: "ring" }, "Battles"),
    matches.length
      ? bouts(matches)
      : h(
          "p",
          { class: "hint" },
          "It has not fought yet. With a final checkpoint it can: ",
          h("code", {}, `chainbeasts battle open ${id}`),
        ),
  ];
}

/**
 * The parts in their order, and how they are kept up to date.
 * @param beast the API's beast
 * @param onPick given the step that a reader picks on a curve
 * @returns {{elements, curves, update}} `update({beast, matches})` asks for what else there is to know
 */
export function life(beast, { signal, onPick }) {
  const path = `/v1/beasts/${beast.id}`;
  const curves = learning(beast, signal, onPick);
  const purse = h("section", { class: "facts", "aria-label": "Facts" });
  const fought = h("section", { class: "ring", "aria-labelledby": "ring" });
  const windows = lineage(beast.id, signal);
  return {
    elements: [curves.element, purse, fought, windows.element],
    curves,
    async update({ beast: now, matches }) {
      const [curve, changes, price] = await Promise.all([
        get(`${path}/curve`, signal),
        get(`${path}/changes`, signal),
        get(`${path}/price`, signal),
        windows.update(now.head_count),
      ]);
      curves.chain(curve, changes);
      redraw(purse, facts(now, price));
      redraw(fought, ring(now.id, matches));
    },
  };
}
