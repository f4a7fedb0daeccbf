// The beasts, as a hall of portraits that can be searched and put in order.
import { colours, face, mood, nameOf, statMeters } from "../beastly.js";
import { ACCOUNT, catalogue } from "../catalogue.js";
import { h, keyed, lead, notice } from "../dom.js";
import { energy, plural } from "../format.js";

const FIELDS = [
  {
    name: "q",
    label: "Find",
    placeholder: "name, number, account, hash",
    fits: /^[0-9A-Za-z]{1,66}$/,
    hint: "A name, a number, an account or a hash.",
  },
  {
    name: "sort",
    label: "Order",
    options: [
      ["", "by number"],
      ["newest", "newest first"],
      ["windows", "most windows"],
      ["rating", "best rating"],
      ["energy", "most ENERGY"],
    ],
  },
  { name: "owner", label: "Owner", ...ACCOUNT },
];

/** A beast in a list. */
export function plate(beast) {
  const [kind, text] = mood(beast);
  const name = nameOf(beast.dna);
  return h(
    "li",
    {},
    h(
      "a",
      { class: `plate ${kind}`, href: `#/beasts/${beast.id}`, vars: colours(beast.dna) },
      h("span", { class: "niche" }, face(beast.dna, beast.id)),
      beast.rating ? h("span", { class: "ribbon" }, `#${beast.rating.rank}`) : null,
      h("h2", {}, name, h("small", {}, `№ ${beast.id}`)),
      h("p", { class: "mood" }, text),
      statMeters(beast.stats),
      h(
        "p",
        { class: "foot" },
        `${plural(beast.head_count, "window")} · ${energy(beast.energy_spent)} ENERGY`,
        beast.slashed_count ? h("b", { class: "scar" }, ` · slashed ${beast.slashed_count}×`) : null,
      ),
    ),
  );
}

function empty(ready) {
  return notice(
    ready ? "No beast has hatched yet" : "The chain has not been read yet",
    ready
      ? "A hatch burns a little ENERGY. The first one could be yours:"
      : "The server reads it from the deployment's first block on; this takes a moment.",
    ready ? ["chainbeasts beast hatch", "chainbeasts trainer run 1 --windows 4"] : [],
  );
}

export const render = (place, context) =>
  catalogue(place, context, {
    path: "/v1/beasts",
    fields: FIELDS,
    size: 48,
    noun: "beast",
    topics: ["beast", "checkpoint", "dispute", "match"],
    lead: () =>
      lead(
        "Beasts",
        "Born from a block hash, raised in public. Whoever doubts a window of their training has it opened, and then anybody can check it.",
      ),
    container: () => h("ul", { class: "plates" }),
    draw: (list, items) => keyed(list, items, (beast) => beast.id, plate),
    empty: () => empty(context.status().indexed !== null),
    nothing: "No beast is like that.",
  });
