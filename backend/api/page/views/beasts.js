// All beasts, as a hall of portraits.
import { list } from "../api.js";
import { colours, face, nameOf, statMeters } from "../beastly.js";
import { h, lead, notice, show } from "../dom.js";
import { energy, plural } from "../format.js";

const MOST = 400;

/** What a beast is going through, in a few words. */
export function mood(beast) {
  if (beast.disputed_count) return ["disputed", "on trial"];
  if (beast.pending_count) return ["pending", `in training, ${plural(beast.pending_count, "window")} pending`];
  if (beast.head_count) return ["final", "at rest"];
  return ["newborn", "newborn"];
}

function card(beast) {
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

export async function render(place, { status }) {
  const { items, more } = await list("/v1/beasts", MOST);
  if (!items.length) {
    const ready = status().indexed !== null;
    show(
      place,
      h("h1", {}, "Beasts"),
      notice(
        ready ? "No beast has hatched yet" : "The chain has not been read yet",
        ready
          ? "A hatch burns a little ENERGY. The first one could be yours:"
          : "The server reads it from the deployment's first block on; this takes a moment.",
        ready ? ["chainbeasts beast hatch", "chainbeasts trainer run 1 --windows 4"] : [],
      ),
    );
    return;
  }
  show(
    place,
    lead(
      "Beasts",
      "Born from a block hash, raised in public. Whoever doubts a window of their training has it opened, and then anybody can check it.",
    ),
    h("ul", { class: "plates" }, ...items.map(card)),
    more ? h("p", { class: "hint" }, `The first ${MOST} are shown. All of them: /v1/beasts`) : null,
  );
}
