// Ranks from final matches alone.
import { believedMark, colours, face, mention, nameOf } from "../beastly.js";
import { catalogue, rows } from "../catalogue.js";
import { h, keyed, lead, notice, table } from "../dom.js";
import { plural } from "../format.js";

const HEADS = ["Rank", "Beast", "Score", "Won", "Lost", "Drawn", "Strength"];
const PODIUM = 3;

function step(r) {
  return h(
    "li",
    { class: `place-${r.rank}`, vars: colours(r.dna) },
    h(
      "a",
      { href: `#/beasts/${r.beast}` },
      h("span", { class: "niche" }, face(r.dna, r.beast, { alive: r.rank === 1 })),
      h(
        "span",
        { class: "plinth" },
        h("b", {}, String(r.rank)),
        h("span", {}, nameOf(r.dna)),
        h("small", {}, r.rating.toFixed(1)),
      ),
    ),
  );
}

const cells = (r) => [
  [String(r.rank)],
  [mention(r.beast, r.dna), believedMark(r.believed_since)],
  [h("b", {}, r.rating.toFixed(1))],
  [String(r.won)],
  [String(r.lost)],
  [String(r.drawn)],
  [`${r.mu.toFixed(1)} ± ${r.sigma.toFixed(1)}`],
];

const beast = (r) => r.beast;

export function render(place, context) {
  const podium = h("ol", { class: "podium", "aria-label": "The first three" });
  const board = table("All ranks", HEADS, [], "stack");
  return catalogue(place, context, {
    path: "/v1/leaderboard",
    fields: [],
    size: 100,
    noun: "rank",
    topics: ["match"],
    lead: ({ matches }) =>
      lead(
        "Leaderboard",
        `From ${plural(matches, "final match", "final matches")}, in the order in which they became final; anybody can compute it again.`,
      ),
    container: () => h("div", {}, podium, board),
    draw: (_, items) => {
      const best = items.filter(({ rank }) => rank <= PODIUM);
      keyed(podium, best, beast, step);
      podium.hidden = !best.length;
      rows(board, items, HEADS, beast, cells);
    },
    empty: () =>
      notice(
        "Nobody has won anything yet",
        "A rating begins with a beast's first final match. Two beasts with a final checkpoint each can meet:",
        ["chainbeasts battle challenge 1 2", "chainbeasts battle record 1"],
      ),
    nothing: "There are no ranks here.",
  });
}
