// Whose move it is in a dispute, and until when (docs/spec/protocol.md §7). A deadline is the last second in which the
// awaited move is allowed.
import { countdown } from "../clock.js";
import { h } from "../dom.js";
import { span } from "../format.js";

/** Where a dispute stands at a moment of the chain's clock. */
export function phaseOf(dispute, now) {
  if (!dispute.open) return dispute.status;
  if (["slashed", "void"].includes(dispute.checkpoint?.state)) return "fallen";
  if (dispute.missing.length) return now <= dispute.response_deadline ? "openings" : "missed";
  if (now <= dispute.head_start_end) return "head_start";
  return now <= dispute.proof_deadline ? "proofs" : "dismissible";
}

const OPENINGS = {
  segments: "the 16 segment hashes",
  state: "the state that the window starts from",
  records: "the private records that it samples",
};

/** "a, b and c" */
export const sentence = (parts) =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;

const left = (text) => (seconds) => `${text} ${seconds >= 0 ? span(seconds) : "no time"}`;

/** Who has to move, what, until when, and what follows if nobody does. `until` is the last second, null without one. */
const PHASES = {
  openings: (d) => ({
    who: d.missing.includes("segments") ? "The trainer has to move" : "Whoever has them has to move",
    what: `Still to be opened: ${sentence(d.missing.map((name) => OPENINGS[name]))}. ${
      d.missing.includes("segments")
        ? "The hashes only the trainer may say, or whom it appointed; anything else anybody may publish."
        : "Anybody may publish that."
    }`,
    until: d.response_deadline,
    else: "Then the window falls by silence, whatever it was.",
  }),
  missed: (d) => ({
    who: "Anybody may convict",
    what: `Not opened in time: ${sentence(d.missing.map((name) => OPENINGS[name]))}. One call slashes the trainer and pays the filer, whoever sends it.`,
    until: null,
    else: "Nothing that would show the window right is taken any more.",
  }),
  head_start: (d) => ({
    who: "Whoever doubts has to move",
    what: "Everything is open. A proof re-executes one segment on chain; until the head start ends it pays the filer, whoever sends it.",
    until: d.head_start_end,
    else: "From then on a proof pays whoever committed to it before.",
  }),
  proofs: (d) => ({
    who: "Whoever doubts has to move",
    what: "Everything is open. A proof re-executes one segment on chain, and pays whoever committed to it before.",
    until: d.proof_deadline,
    else: "Without a proof anybody may dismiss the dispute, and the window stands.",
  }),
  dismissible: () => ({
    who: "Anybody may dismiss",
    what: "Nobody proved the window wrong in time. Dismissing burns the filer's bond; the window stands.",
    until: null,
    else: "Re-executing the window to its end still decides it.",
  }),
  fallen: () => ({
    who: "Anybody may dismiss",
    what: "The window fell with an earlier one. Nothing is left to judge; dismissing gives the bonds back.",
    until: null,
    else: "Until then the bonds stay locked.",
  }),
};

/** The card that says so; null once the dispute has ended. */
export function turnCard(dispute, now) {
  const phase = PHASES[phaseOf(dispute, now)]?.(dispute);
  if (!phase) return null;
  return h(
    "section",
    { class: "turn", "aria-labelledby": "turn" },
    h("h2", { id: "turn" }, phase.who),
    h("p", {}, phase.what),
    phase.until === null
      ? null
      : h("p", { class: "deadline" }, countdown(phase.until, left("Time left, by the chain's clock:"))),
    h("p", { class: "hint" }, phase.else),
  );
}
