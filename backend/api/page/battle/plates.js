// One fighter's plate: name, share of hp, stamina, heading, guard.
import { colours } from "../beastly.js";
import { h, icon, show } from "../dom.js";
import { toHex } from "../kernel/bytes.js";
import { stats } from "../kernel/combat.js";
import { DIRECTIONS, share } from "../story.js";

const ARROWS = ["↑", "↓", "→", "←"];

/** A word for which there is no room on a phone. */
const word = (text) => h("span", { class: "word" }, text);

/** "→ east" */
export const directed = (direction) => `${ARROWS[direction]} ${DIRECTIONS[direction]}`;

function meter(kind, label) {
  const value = h("b");
  const fill = h("span", { class: "fill" });
  const element = h(
    "div",
    { class: `meter ${kind}` },
    h("span", { class: "name" }, icon(kind), h("span", {}, label)),
    h("span", { class: "bar", "aria-hidden": "true" }, fill),
    value,
  );
  return {
    element,
    set(now, top, part = null) {
      fill.style.setProperty("--part", Math.min(1, now / top));
      show(value, String(now), part ? h("small", {}, ` ${part}`) : null);
      element.classList.toggle("low", now <= top / 4);
    },
  };
}

/** @returns {{element, set}} `set(creature, acts)` shows how it stands, and whether it is its turn */
export function plate(side, name, dna) {
  const most = stats(dna);
  const [hp, stamina] = [meter("hp", "Health"), meter("stamina", "Stamina")];
  const [way, guard] = [h("span", { class: "heading" }), h("span", { class: "guard" })];
  const element = h(
    "div",
    { class: `fighter ${side}`, vars: colours(toHex(dna)) },
    h("h2", {}, h("span", { class: "name" }, name), way, guard),
    hp.element,
    stamina.element,
  );
  return {
    element,
    set(creature, acts) {
      hp.set(creature.hp, most.hp, share(creature.hp, most.hp)); // the larger share wins when the turns are over
      stamina.set(creature.stamina, most.stamina);
      const heading = creature.heading - 1;
      show(way, creature.heading ? [`${ARROWS[heading]} `, word(DIRECTIONS[heading])] : "");
      show(guard, creature.tempDef ? [icon("defense"), word("guard "), String(creature.tempDef)] : "");
      element.classList.toggle("acts", acts);
      element.classList.toggle("fallen", creature.hp === 0);
    },
  };
}
