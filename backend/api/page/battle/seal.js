// What this browser found out about a match: one line, which opens.
import { countdown } from "../clock.js";
import { h } from "../dom.js";
import { span } from "../format.js";

const SAYS = {
  checking: "Your browser fights this match again.",
  verified: "Your browser fought this match again and came to the chain's record, word for word.",
  "not verified":
    "Your browser fought this match again and came to something else. Do not believe the record that is shown.",
  refused:
    "Your browser did not fight this match again: what it was given does not belong to it. Do not believe the record that is shown.",
  unavailable: "Your browser could not fight this match again, so nothing is known about the record.",
  premiere: "Nobody has recorded this match yet. Your browser has fought it, from both beasts' published states.",
};

const hint = (text, id) => h("p", { class: "hint" }, text, h("code", {}, `chainbeasts battle replay ${id}`));

const HINTS = {
  unavailable: (id) =>
    hint("Who has the state can publish it to the server's folder of snapshots. To see for yourself: ", id),
  "not verified": (id) =>
    hint(
      "Either the record is a lie, which anybody may disprove while it is not final (a validator does so by itself), or this server misquotes the chain: ",
      id,
    ),
  refused: (id) => hint("Ask a node of your own: ", id),
  verified: (id) =>
    hint("DNAs, state hashes, seed and root are the chain's, as this server quotes them. By a node of your own: ", id),
  premiere: (id) =>
    h(
      "p",
      { class: "hint" },
      "Whoever records it on chain has to come to the same: ",
      h("code", {}, `chainbeasts battle record ${id}`),
    ),
};

/** Until when a seeded match can be recorded, or while its seed can be drawn. */
function premiereEnds(match) {
  if (match.record_until === null) return "Its seed is the hash of the block of its acceptance; anybody may draw it. ";
  const say = (left) => (left > 0 ? `in ${span(left)} at the latest` : "too late: it can only expire");
  return h("span", {}, "It has to be recorded ", countdown(match.record_until, say), ". ");
}

/** The seal of an outcome {verdict, reason, checks, played} of a match. */
export function seal({ verdict, reason = "", checks = [], played = null }, match) {
  const kind = verdict === "not verified" && !played ? "refused" : verdict;
  const line = [h("b", {}, verdict), h("span", {}, SAYS[kind])];
  const element = (...children) =>
    h("section", { class: "seal", id: "seal", "data-verdict": verdict, role: "status" }, ...children);
  if (verdict === "checking") return element(h("p", { class: "line" }, line));
  return element(
    h(
      "details",
      { id: "checks", open: verdict === "not verified" || verdict === "unavailable" },
      h("summary", { class: "line" }, line),
      reason ? h("p", { class: "reason" }, reason) : null,
      kind === "premiere" ? h("p", {}, premiereEnds(match)) : null,
      HINTS[kind](match.id),
      checks.length
        ? [
            h("p", { class: "hint" }, `${checks.length} comparisons held:`),
            h("ul", { class: "checks" }, ...checks.map((check) => h("li", {}, check))),
          ]
        : null,
    ),
  );
}
