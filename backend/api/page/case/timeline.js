// What a dispute opens, and each of its moves.
import { hash, when } from "../beastly.js";
import { countdown } from "../clock.js";
import { h } from "../dom.js";
import { coin, count, span } from "../format.js";

const OPENINGS = {
  segments: ["The 16 segment hashes", "by the trainer"],
  state: ["The state that the window starts from", "by anybody"],
  records: ["The private records that it samples", "by anybody"],
};

const MOVES = {
  filed: "The window is disputed",
  filed_again: "Disputed once more: nothing was locked",
  revealed: "A private dataset was revealed",
  opened: "Opened",
  proofs: "Everything is open: proofs can be made",
  advanced: "Steps were re-executed on chain",
  upheld: "Convicted: slashed",
  dismissed: "Dismissed: the window stands",
  proven: "Re-executed to its end, and right: the window stands",
  voided: "Voided: the window fell with another",
};

const dueIn = (left) => (left >= 0 ? `due in ${span(left)}` : "overdue");

/** What has to be open so that everybody can compute the window again. */
export function openingsCard(d, now) {
  if (!d.openings.length) return null;
  const all = h("ul", {}, ...d.openings.map((one) => opening(d, one, now)));
  if (d.openings.every(({ made }) => made))
    return h("details", { class: "openings", id: "opened" }, h("summary", {}, "What the dispute opened"), all);
  return h(
    "section",
    { class: "openings", "aria-labelledby": "openings" },
    h("h2", { id: "openings" }, "What the dispute opens"),
    all,
  );
}

function opening(d, one, now) {
  const [name, by] = OPENINGS[one.opening];
  const kind = one.made ? "made" : d.open && d.response_deadline >= now ? "owed" : "missed";
  const paid = BigInt(one.paid) + BigInt(one.waiting);
  return h(
    "li",
    { class: kind },
    h("b", {}, name),
    kind === "made"
      ? h("span", {}, "open", one.published_at === null ? null : [" since ", when(one.published_at)])
      : kind === "owed"
        ? h("span", {}, countdown(d.response_deadline, dueIn), `, ${by}`)
        : h("span", {}, "not opened in time"),
    paid
      ? h(
          "span",
          { class: "hint" },
          `its trainer is paid ${coin(paid)}`,
          BigInt(one.waiting) ? `, ${coin(one.waiting)} of it when the dispute ends` : null,
        )
      : null,
  );
}

/** The moves so far, oldest first; of filings while it is open, which cost nothing but gas, the newest. */
export function timelineCard(d) {
  const told = d.timeline.filter(({ kind }) => kind === "filed_again").length;
  return h(
    "section",
    { class: "case-moves", "aria-labelledby": "moves" },
    h("h2", { id: "moves" }, "Moves"),
    told < d.filed_again
      ? h(
          "p",
          { class: "hint" },
          `Disputed again ${count(d.filed_again)} times while it was open: the last ${told} are here.`,
        )
      : null,
    h("ol", { class: "timeline" }, ...d.timeline.map((move) => moved(d, move))),
  );
}

function moved(d, move) {
  return h(
    "li",
    { class: move.kind },
    h("h3", {}, MOVES[move.kind], move.opening ? `: ${move.opening}` : null),
    h(
      "p",
      {},
      when(move.time),
      ` · block ${move.block}`,
      move.by ? [" · by ", hash(move.by)] : null,
      move.steps_done !== null ? ` · ${move.steps_done} of 128 steps` : null,
      move.counted === false ? " · not committed to before, so not paid" : null,
    ),
    move.deadline !== null
      ? h(
          "p",
          { class: "deadline" },
          "sets a deadline: ",
          when(move.deadline),
          d.open ? [" (", countdown(move.deadline), ")"] : null,
        )
      : null,
    h("p", { class: "hint" }, "transaction ", hash(move.tx)),
  );
}
