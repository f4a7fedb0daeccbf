// "What if": another action in the turn shown, or another brain from there on. It is played here and changes nothing.
import { Problem, list } from "../api.js";
import { Difference, newborn, openState, servedState } from "../brains.js";
import { h, show } from "../dom.js";
import { loadTables } from "../verify.js";
import { DIRECTIONS } from "../story.js";
import { branch } from "./course.js";
import { directed } from "./plates.js";

const WINDOWS = 24;
const SIDES = ["a", "b"];

const option = (value, text) => h("option", { value }, text);
const field = (label, control) => h("label", {}, h("span", {}, label), control);

/**
 * @param fighters {a, b} of {beast, dna, name}
 * @param setup {dnaA, dnaB, battleSeed, rules}
 * @param brains {a, b}
 * @param shown gives {match, turn} of what is on the board, always of the match itself
 * @param told called with {course, text}, the match as it would have gone
 * @returns {{element, at}} `at(turn, mind)` offers the actor's own action of that turn
 */
export function whatIf({ fighters, setup, brains, shown, told }) {
  const way = h("select", {}, option("", "as it would"), ...DIRECTIONS.map((_, d) => option(String(d), directed(d))));
  const power = h("input", { type: "range", min: 0, max: 15, step: 1, "aria-label": "strikes with" });
  const block = h("input", { type: "checkbox", "aria-label": "blocks" });
  const powerShown = h("output");
  const turnName = h("b");
  const brainOf = Object.fromEntries(
    SIDES.map((side) => [side, h("select", {}, ...usual(fighters, side).map(([value, text]) => option(value, text)))]),
  );
  const said = h("p", { class: "hint", role: "status" });
  const asked = { busy: false, listed: false };
  let own = null;

  power.addEventListener("input", () => show(powerShown, `${power.value} of 15`));
  const acted = field("goes", way);

  /** The action asked for; null if it is what the beast does by itself. */
  function action() {
    const wanted = {
      direction: way.value === "" ? own.direction : Number(way.value),
      power: Number(power.value),
      block: block.checked,
    };
    const same = Object.keys(wanted).every((name) => wanted[name] === own[name]);
    return same ? null : wanted;
  }

  async function ask(event) {
    event.preventDefault();
    if (asked.busy || !own) return;
    asked.busy = true;
    show(said, "");
    const { match, turn } = shown();
    const wanted = action();
    try {
      const found = {};
      for (const side of SIDES) found[side] = await brain(brainOf[side].value, side);
      const course = { ...branch(match, turn, setup, found, wanted), brains: found };
      told({ course, text: supposition(turn, wanted) });
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Difference)) throw error;
      show(said, error.message);
    } finally {
      asked.busy = false;
    }
  }

  async function brain(value, side) {
    const other = side === "a" ? "b" : "a";
    if (value === "own") return brains[side];
    if (value === "other") return brains[other];
    if (value === "hatch") return newborn(fighters[side].beast, fighters[side].dna);
    const { kernelId } = await loadTables();
    return openState(kernelId, await servedState(value), value, fighters[side].beast, fighters[side].name);
  }

  function supposition(turn, wanted) {
    const actor = turnName.textContent;
    const parts = wanted
      ? [`${actor} goes ${DIRECTIONS[wanted.direction]}, strikes with ${wanted.power}${wanted.block ? ", blocks" : ""}`]
      : [];
    for (const side of SIDES) {
      const { value, selectedOptions } = brainOf[side];
      if (value !== "own") parts.push(`${fighters[side].name} thinks ${selectedOptions[0].textContent}`);
    }
    return `From turn ${turn + 1} on: ${parts.length ? parts.join("; ") : "as it was"}.`;
  }

  /** The windows whose states may be at hand, once somebody wants to choose. */
  async function listWindows() {
    if (asked.listed) return;
    asked.listed = true;
    const wanted = SIDES.map((side) => list(`/v1/beasts/${fighters[side].beast}/checkpoints`, WINDOWS));
    try {
      const found = await Promise.all(wanted);
      SIDES.forEach((side, i) => {
        const standing = found[i].items.filter(({ state }) => state !== "slashed" && state !== "void");
        brainOf[side].append(...standing.map(({ index, h128 }) => option(h128, `as after window ${index}`)));
      });
    } catch (error) {
      asked.listed = false;
      if (!(error instanceof Problem)) throw error;
      show(said, error.message);
    }
  }

  const element = h(
    "details",
    { class: "whatif", id: "whatif", ontoggle: () => element.open && listWindows() },
    h("summary", {}, "What if…"),
    h(
      "form",
      { onsubmit: ask },
      h(
        "fieldset",
        {},
        h("legend", {}, "In this turn ", turnName),
        acted,
        field("strikes with", h("span", { class: "ranged" }, power, powerShown)),
        field("blocks", block),
      ),
      h(
        "fieldset",
        {},
        h("legend", {}, "From here on"),
        ...SIDES.map((side) => field(`${fighters[side].name} thinks`, brainOf[side])),
      ),
      h("button", { type: "submit", class: "more" }, "See what would happen"),
      said,
    ),
    h(
      "p",
      { class: "hint" },
      "Played in your browser by the chain's rules, with this match's own luck. It changes nothing.",
    ),
  );

  return {
    element,
    at(acting) {
      own = acting?.thought.action ?? null;
      element.hidden = own === null;
      if (!own) return;
      show(turnName, acting.name);
      way.value = "";
      power.value = own.power;
      show(powerShown, `${own.power} of 15`);
      block.checked = own.block;
    },
  };
}

/** The brains that need not be fetched. */
function usual(fighters, side) {
  const other = fighters[side === "a" ? "b" : "a"];
  return [
    ["own", "as it fought"],
    ["hatch", "as it hatched"],
    ["other", `with the brain of ${other.name}`],
  ];
}
