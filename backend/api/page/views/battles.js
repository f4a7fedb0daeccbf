// All matches, newest first, as fight cards.
import { chip, colours, face, nameOf, when } from "../beastly.js";
import { ACCOUNT, NUMBER, catalogue } from "../catalogue.js";
import { countdown } from "../clock.js";
import { h, keyed, lead, notice } from "../dom.js";
import { plural, span } from "../format.js";

/** What each status waits for. */
export const WAITS = {
  challenged: "waits for the other owner to accept",
  accepted: "its block's hash has decided it; nobody has recorded it yet",
  seeded: "decided by its seed, waits for a record",
  recorded: "recorded; whoever finds it wrong can disprove it",
  final: "final",
  cancelled: "taken back",
  expired: "expired: nobody drew its seed or recorded it in time",
};

function corner(id, dna, side, m) {
  const won = m.result === side;
  return h(
    "span",
    {
      class: `corner ${side} ${won ? "won" : m.result && m.result !== "draw" ? "lost" : ""}`,
      vars: dna ? colours(dna) : {},
    },
    h("span", { class: "token", "aria-hidden": "true" }, dna ? face(dna, id) : null),
    h("b", {}, dna ? nameOf(dna) : `beast ${id}`),
    h("small", {}, `№ ${id}`),
  );
}

/** How a record says that it ended. */
export function verdictOf(m) {
  if (m.result === null) return WAITS[m.status];
  return `${m.result === "draw" ? "a draw" : `${m.result.toUpperCase()} won`} after ${plural(m.turns, "turn")}`;
}

/** The same where the beasts stand beside it: whoever won is called by name. */
function ending(m) {
  const winner = { a: m.dna_a, b: m.dna_b }[m.result];
  return winner ? `${nameOf(winner)} won after ${plural(m.turns, "turn")}` : verdictOf(m);
}

/** Whether a deadline runs. */
export const runs = (m) => m.status === "recorded" || m.status === "seeded";

/** When a record that stands becomes final, or one that is missing comes too late: text that goes on by itself. */
export function running(m) {
  if (m.status === "seeded")
    return countdown(m.record_until, (left) => (left > 0 ? `to be recorded in ${span(left)}` : "too late to record"));
  return countdown(m.final_at, (left) => (left > 0 ? `final in ${span(left)}` : "may be made final"));
}

function card(m) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: `bout ${m.status}`, href: `#/battles/${m.id}` },
      corner(m.beast_a, m.dna_a, "a", m),
      h(
        "span",
        { class: "middle" },
        h("span", { class: "versus" }, "vs"),
        chip(m.status, WAITS[m.status]),
        h("small", {}, ending(m)),
        h("small", {}, runs(m) ? running(m) : when((m.recorded ?? m.challenged).time, "short")),
      ),
      corner(m.beast_b, m.dna_b, "b", m),
      h("span", { class: "unseen" }, `, match ${m.id}`),
    ),
  );
}

/** Put fight cards into a list; `dnas` maps beasts to DNAs that the matches themselves do not tell. */
export function drawBouts(list, matches, dnas = new Map()) {
  const items = matches.map((m) => ({
    ...m,
    dna_a: m.dna_a ?? dnas.get(m.beast_a),
    dna_b: m.dna_b ?? dnas.get(m.beast_b),
  }));
  keyed(list, items, (m) => m.id, card);
}

/** Fight cards of matches. */
export function bouts(matches, dnas) {
  const list = h("ul", { class: "bouts" });
  drawBouts(list, matches, dnas);
  return list;
}

const FIELDS = [
  { name: "beast", label: "Beast", ...NUMBER },
  {
    name: "status",
    label: "Status",
    options: [["", "all"], ...Object.keys(WAITS).map((status) => [status, status])],
  },
  { name: "owner", label: "Owner", ...ACCOUNT },
];

export const render = (place, context) =>
  catalogue(place, context, {
    path: "/v1/matches",
    fields: FIELDS,
    size: 30,
    noun: "match",
    topics: ["match"],
    lead: () =>
      lead(
        "Battles",
        "A block hash decides each match; nobody referees. Open one: your browser fights it again and compares.",
      ),
    container: () => h("ul", { class: "bouts" }),
    draw: (list, items) => drawBouts(list, items),
    empty: () =>
      notice(
        "No match has been agreed on yet",
        "Both beasts fight with a final checkpoint. One owner challenges, the other accepts:",
        ["chainbeasts battle challenge 1 2", "chainbeasts battle accept 1", "chainbeasts battle record 1"],
      ),
    nothing: "No match is like that.",
  });
