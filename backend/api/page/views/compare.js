// Beasts side by side: how they learned, where their brains differ, their bodies, and how they would fight.
import { Problem, get, list } from "../api.js";
import { colours, face, nameOf, statMeters } from "../beastly.js";
import { camelRules } from "../case/rules.js";
import { contest } from "../compare/contest.js";
import { curves } from "../compare/curves.js";
import { MOST, inkVars } from "../compare/inks.js";
import { loadFighter } from "../compare/load.js";
import { disagreementMap } from "../compare/map.js";
import { h, lead, notice, show } from "../dom.js";
import { plural } from "../format.js";
import { loadTables } from "../verify.js";

const OFFERED = 24;
const SLOTS = 8;

/** "1,3" as ids, each once; null unless all are plain decimals and so many can be compared. */
export function parseIds(text) {
  const ids = [...new Set(text.split(",").map((part) => part.trim()))];
  const right = ids.every((id) => /^(0|[1-9]\d{0,14})$/.test(id)) && ids.length <= MOST;
  return right ? ids.map(Number) : null;
}

/** A form that leads to the comparison of the beasts that are chosen in it. */
async function chooser(chosen, signal) {
  const { items } = await list("/v1/beasts", OFFERED, signal);
  const input = h("input", {
    type: "text",
    inputmode: "numeric",
    value: chosen.join(","),
    "aria-label": "Beasts by their numbers",
    "aria-describedby": "ids-hint",
  });
  const toggle = (id) => {
    const ids = (parseIds(input.value || "x") ?? []).filter((one) => one !== id);
    if (ids.length === (parseIds(input.value || "x") ?? []).length) ids.push(id);
    input.value = ids.join(",");
  };
  return h(
    "form",
    {
      class: "chooser",
      onsubmit: (event) => {
        event.preventDefault();
        if (input.value.trim()) location.hash = `#/compare/${input.value.replaceAll(" ", "")}`;
      },
    },
    h("label", {}, "Beasts by their numbers ", input),
    h("button", { type: "submit", class: "more" }, "Compare"),
    h("p", { class: "hint", id: "ids-hint" }, `Two to ${MOST}, with commas between. Or add them here:`),
    h(
      "div",
      { class: "offered" },
      ...items.map(({ id, dna }) =>
        h(
          "button",
          {
            type: "button",
            onclick: () => toggle(id),
            "aria-label": `№ ${id}: add or take away`,
            vars: colours(dna),
          },
          h("span", { class: "token", "aria-hidden": "true" }, face(dna, id)),
          `№ ${id}`,
        ),
      ),
    ),
  );
}

const awake = (mask) => Array.from({ length: SLOTS }, (_, i) => (mask >> i) & 1).reduce((sum, bit) => sum + bit, 0);

/** Who is compared: portrait, body and life of each, side by side. */
function corners(fighters) {
  const row = (label, value) => h("div", {}, h("dt", {}, label), h("dd", {}, value));
  const corner = ({ id, beast, which }, i) =>
    h(
      "li",
      { vars: { ...colours(beast.dna), ...inkVars(i) } },
      h("span", { class: "niche", "aria-hidden": "true" }, face(beast.dna, id, { alive: true })),
      h("h2", {}, h("a", { href: `#/beasts/${id}` }, nameOf(beast.dna), h("small", {}, `№ ${id}`))),
      statMeters(beast.stats),
      h(
        "dl",
        { class: "life" },
        row("Slots awake", `${awake(beast.active_mask)} of ${SLOTS}`),
        row("Windows", `${beast.head_count}, ${beast.final_count} final`),
        row("Slashed", plural(beast.slashed_count, "window")),
        row("Rating", beast.rating ? `${beast.rating.rating.toFixed(1)}, #${beast.rating.rank}` : "—"),
        row("Brain compared", which),
      ),
    );
  return h("ul", { class: "compared" }, ...fighters.map(corner));
}

async function compare(place, ids, signal, retitle) {
  const [fighters, { terrains }, season] = await Promise.all([
    Promise.all(ids.map((id) => loadFighter(id, signal))),
    loadTables(),
    get("/v1/season", signal),
  ]);
  const form = await chooser(ids, signal);
  retitle(fighters.map(({ name }) => name).join(", "));
  const rules = camelRules(season.rules);
  const thinking = fighters.filter(({ brain }) => brain);
  const enough = thinking.length > 1;
  const silent = fighters.filter(({ brain }) => !brain);
  show(
    place,
    h("h1", {}, "Side by side"),
    corners(fighters),
    silent.map(({ name, id, which }) => h("p", { class: "warning" }, `${name} № ${id} has no brain here. ${which}`)),
    enough
      ? contest(thinking, terrains, rules, signal)
      : notice("Too few brains are at hand", "Two published states are needed to compare what beasts would do."),
    curves(fighters, signal),
    enough ? disagreementMap(thinking, terrains, rules) : null,
    h("details", { class: "others", id: "others" }, h("summary", {}, "Compare others"), form),
  );
}

export async function render(place, { id, signal, retitle, onNews }) {
  const ids = id === null ? [] : parseIds(decodeURIComponent(id));
  if (ids && ids.length < 2) {
    const form = await chooser(ids, signal); // one, such as from its own view, waits for others
    show(
      place,
      lead("Compare", "Beasts side by side: curves, brains, bodies, and bouts fought in your browser."),
      form,
    );
    return;
  }
  if (!ids) throw new Problem(400, `Name two to ${MOST} beasts by their numbers.`, "Like this: #/compare/1,3");
  await compare(place, ids, signal, retitle);
  // A comparison stays as it was made: a reader who is in the midst of it asks for it anew by loading the page.
  onNews(async () => true, []);
}
