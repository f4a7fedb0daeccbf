// Ranks from final matches alone.
import { get } from "../api.js";
import { believedMark, colours, face, mention, nameOf } from "../beastly.js";
import { h, lead, notice, show, table } from "../dom.js";
import { plural } from "../format.js";

const HEADS = ["Rank", "Beast", "Score", "Won", "Lost", "Drawn", "Strength"];
const PODIUM = 3;
const MOST = 200;

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

export async function render(place) {
  const { matches, items, next } = await get(`/v1/leaderboard?limit=${MOST}`);
  const top = lead(
    "Leaderboard",
    `From ${plural(matches, "final match", "final matches")}, in the order in which they became final; anybody can compute it again.`,
  );
  if (!items.length) {
    show(
      place,
      top,
      notice(
        "Nobody has won anything yet",
        "A rating begins with a beast's first final match. Two beasts with a final checkpoint each can meet:",
        ["chainbeasts battle challenge 1 2", "chainbeasts battle record 1"],
      ),
    );
    return;
  }
  const rows = items.map((r) => [
    [String(r.rank)],
    [mention(r.beast, r.dna), believedMark(r.believed_since)],
    [h("b", {}, r.rating.toFixed(1))],
    [String(r.won)],
    [String(r.lost)],
    [String(r.drawn)],
    [`${r.mu.toFixed(1)} ± ${r.sigma.toFixed(1)}`],
  ]);
  const best = items.slice(0, PODIUM);
  show(
    place,
    top,
    h("ol", { class: "podium", "aria-label": "The first three" }, ...best.map(step)),
    table("All ranks", HEADS, rows, "stack"),
    next ? h("p", { class: "hint" }, `The first ${MOST} are shown; all: /v1/leaderboard`) : null,
  );
}
