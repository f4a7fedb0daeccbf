// The tile that the reader looks at: what the beast does there, what the teacher wants, and the logits that decide.
import { h, show } from "../dom.js";
import { percent } from "../format.js";
import { DIRECTIONS, deedInWords } from "./policy.js";
import { tileName } from "./scene.js";

const ARROWS = ["↑", "↓", "→", "←"];
const BARRED = { closed: "closed", reverse: "back" };

const ways = (steps) => steps.map((d) => `${ARROWS[d]} ${DIRECTIONS[d]}`).join(", ");

const AGREES = "✓ as taught";

function verdict(right, otherwise = "✗ otherwise") {
  if (right === null) return h("td", { class: "none" }, "—");
  return h("td", { class: right ? "right" : "wrong" }, right ? AGREES : otherwise);
}

/** Head by head: the beast's choice, the teacher's label, and whether they agree. */
function compared({ action, deed, reach, wanted, optimal, right }) {
  // Where nothing comes of a strike, nothing is held against it.
  const strikes = reach || deed === "charge";
  const off = strikes ? Math.abs(action.power - wanted.attack) : null;
  const rows = [
    [
      "Move",
      ways([action.direction]),
      optimal.length ? ways(optimal) : reach ? "in reach" : "no way",
      verdict(right.move),
    ],
    ["Strike", `${action.power} of 15`, String(wanted.attack), verdict(off === null ? null : !off, `✗ ${off} off`)],
    ["Guard", action.block ? "up" : "down", wanted.block ? "up" : "down", verdict(right.block)],
  ];
  return h(
    "table",
    { class: "heads" },
    h("caption", { class: "unseen" }, "Its choice beside the teacher's label"),
    h(
      "thead",
      {},
      h("tr", {}, ...["Head", "Its choice", "Teacher", "Agree"].map((text) => h("th", { scope: "col" }, text))),
    ),
    h(
      "tbody",
      {},
      ...rows.map(([head, own, taught, agrees]) =>
        h("tr", {}, h("th", { scope: "row" }, head), h("td", {}, own), h("td", {}, taught), agrees),
      ),
    ),
  );
}

/** The six logits that are read, as bars around zero. */
function logitBars({ logits: z, barred, shares, action }) {
  const span = Math.max(1, ...Array.from(z.slice(0, 6), Math.abs));
  const row = (label, value, hint, kind) =>
    h(
      "li",
      { class: kind },
      h("span", { class: "way" }, label),
      h(
        "span",
        {
          class: `bar-both ${value < 0 ? "minus" : "plus"}`,
          "aria-hidden": "true",
          vars: { part: Math.abs(value) / span },
        },
        h("span", {}),
      ),
      h("b", {}, String(value)),
      h("small", {}, hint),
    );
  return h(
    "ul",
    { class: "outputs", "aria-label": "Logits" },
    ...DIRECTIONS.map((way, d) =>
      row(
        `${ARROWS[d]} ${way}`,
        z[d],
        barred[d] ? BARRED[barred[d]] : percent(shares[d]),
        action.direction === d ? "chosen" : barred[d] ? "barred" : "",
      ),
    ),
    row("strike", z[4], `power ${action.power}`, ""),
    row("guard", z[5], action.block ? "up" : z[5] > 0 ? "too tired" : "down", action.block ? "chosen" : ""),
  );
}

/** @returns {{element, draw}} `draw(found, tile, name)`, where `found` is null if the beast cannot stand there */
export function inspector() {
  const element = h("div", { class: "inspector" });
  return {
    element,
    draw(found, tile, name) {
      const title = h("h3", {}, `On ${tileName(tile)}`);
      if (!found)
        return show(element, title, h("p", { class: "hint" }, `${name} cannot stand there. Choose an open tile.`));
      const said = `Here ${name} ${deedInWords(found)}.`;
      // The logits above the table, whose lines may be long: they are in the first screen whatever it says.
      show(element, title, h("p", { class: "said" }, said), logitBars(found), compared(found));
    },
  };
}
