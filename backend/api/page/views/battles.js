// All matches, newest first, as fight cards.
import { list } from "../api.js";
import { chip, colours, face, nameOf, until, when } from "../beastly.js";
import { h, lead, notice, show } from "../dom.js";
import { plural } from "../format.js";

const MOST = 100;

/** What each status waits for. */
export const WAITS = {
  challenged: "waits for the other owner to accept",
  accepted: "waits for the hash of a block that nobody knows yet",
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

/** When a record that stands becomes final, or one that is missing comes too late. */
export function standing(m, now) {
  if (m.status === "seeded")
    return m.record_until > now ? `to be recorded ${until(m.record_until, now)}` : "too late to record";
  return m.final_at > now ? `final ${until(m.final_at, now)}` : "may be made final";
}

/** Whether a deadline runs. */
export const runs = (m) => m.status === "recorded" || m.status === "seeded";

function card(m, dnas, now) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: `bout ${m.status}`, href: `#/battles/${m.id}` },
      corner(m.beast_a, dnas.get(m.beast_a), "a", m),
      h(
        "span",
        { class: "middle" },
        h("span", { class: "versus" }, "vs"),
        chip(m.status, WAITS[m.status]),
        h("small", {}, verdictOf(m)),
        h("small", {}, runs(m) ? standing(m, now) : when((m.recorded ?? m.challenged).time, "short")),
      ),
      corner(m.beast_b, dnas.get(m.beast_b), "b", m),
      h("span", { class: "unseen" }, `, match ${m.id}`),
    ),
  );
}

/** Fight cards of matches; `dnas` maps beasts to DNAs. */
export const bouts = (matches, dnas, now) => h("ul", { class: "bouts" }, ...matches.map((m) => card(m, dnas, now)));

export async function render(place, { status }) {
  const [{ items, more }, beasts] = await Promise.all([list("/v1/matches", MOST), list("/v1/beasts", 400)]);
  const top = lead(
    "Battles",
    "A block hash decides each match; nobody referees. Open one: your browser fights it again and compares.",
  );
  if (!items.length) {
    show(
      place,
      top,
      notice(
        "No match has been agreed on yet",
        "Both beasts fight with a final checkpoint. One owner challenges, the other accepts:",
        ["chainbeasts battle challenge 1 2", "chainbeasts battle accept 1", "chainbeasts battle record 1"],
      ),
    );
    return;
  }
  const dnas = new Map(beasts.items.map(({ id, dna }) => [id, dna]));
  const now = status().indexed?.time ?? 0;
  show(
    place,
    top,
    bouts(items, dnas, now),
    more ? h("p", { class: "hint" }, `The newest ${MOST} are shown; all: /v1/matches`) : null,
  );
}
