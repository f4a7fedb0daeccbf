// The window in 16 segments: what is claimed of each, what was computed here, where it goes wrong. A claim alone is never
// shown as if it were right.
import { h, table } from "../dom.js";
import { brief, plural } from "../format.js";
import { SEGMENTS, SEGMENT_STEPS } from "../kernel/window.js";

/** In one word, for readers who hear it. */
const WORDS = {
  closed: "not opened",
  claimed: "claimed",
  computed: "computed",
  agreed: "agreed",
  executed: "re-executed",
  wrong: "wrong",
  after: "follows from the wrong one",
};

const KINDS = {
  closed: "not opened: nobody has said anything of it",
  claimed: "claimed by the trainer, not checked",
  computed: "computed here; there is no claim to compare it with",
  agreed: "computed here, and the claim is the same",
  executed: "re-executed on chain",
  wrong: "wrong: computed, and the claim is another",
  after: "follows from what is wrong",
};

/**
 * What is known of each segment.
 * @param segments the posted hashes, or none
 * @param found {segments, wrong, right} of the replay here, null before it
 * @param executed steps that were re-executed on chain, `convicted` the segment that was proved wrong there (or null)
 */
export function kindsOf({ segments, h128 }, found, executed = 0, convicted = null) {
  const wrong = found?.wrong ?? null;
  return Array.from({ length: SEGMENTS }, (_, k) => {
    if (k === (wrong ?? convicted)) return "wrong";
    if (wrong !== null && k > wrong) return "after";
    if (found && segments.length) return "agreed";
    if (found && k === SEGMENTS - 1) return found.segments[k] === h128 ? "agreed" : "wrong";
    if (SEGMENT_STEPS * (k + 1) <= executed) return "executed";
    if (found) return "computed";
    return segments.length ? "claimed" : "closed";
  });
}

const stepsOf = (k) => `steps ${SEGMENT_STEPS * k} to ${SEGMENT_STEPS * (k + 1) - 1}`;

/** The strip, what its colours mean, and all hashes. */
export function strip(claim, found, executed = 0, convicted = null) {
  const kinds = kindsOf(claim, found, executed, convicted);
  const said = claim.segments.length
    ? claim.segments
    : Array(SEGMENTS - 1)
        .fill(null)
        .concat(claim.h128);
  return [
    h(
      "ol",
      { class: "strip" },
      ...kinds.map((kind, k) =>
        h(
          "li",
          { class: kind, title: `${stepsOf(k)}: ${KINDS[kind]}` },
          h("span", {}, String(k)),
          h("span", { class: "unseen" }, `: ${WORDS[kind]}, ${stepsOf(k)}`),
        ),
      ),
    ),
    h(
      "ul",
      { class: "strip-legend", "aria-hidden": "true" },
      ...Object.keys(KINDS)
        .filter((kind) => kinds.includes(kind))
        .map((kind) => h("li", { class: kind }, KINDS[kind])),
    ),
    claim.segments.length || found
      ? h(
          "details",
          { id: "hashes" },
          h("summary", {}, "All state hashes"),
          table(
            "State hashes after each segment",
            ["After", "Claimed", "Computed here"],
            kinds.map((_, k) => [
              `step ${SEGMENT_STEPS * (k + 1)}`,
              said[k] ? h("code", { title: said[k] }, brief(said[k])) : "—",
              found ? h("code", { title: found.segments[k] }, brief(found.segments[k])) : "—",
            ]),
          ),
        )
      : null,
  ];
}

/** One sentence about all of it. */
export function verdict(claim, found) {
  if (!found)
    return claim.segments.length ? "The trainer has claimed a hash for each segment. That proves nothing yet." : null;
  if (found.lie) return `The window is wrong: ${found.lie}.`;
  if (found.right)
    return "Your browser computed all 128 steps again and came to the claimed state: the window is right.";
  if (found.wrong !== null)
    return `Your browser computed all 128 steps again. ${found.wrong ? `The first ${plural(found.wrong, "segment")} ${found.wrong === 1 ? "is" : "are"} as claimed; segment` : "Segment"} ${found.wrong} (${stepsOf(found.wrong)}) is not.`;
  return claim.segments.length
    ? "Every opened segment is right, and yet they do not end in the claimed state."
    : "Your browser computed all 128 steps again and came to another state than the trainer claims: the window is wrong.";
}
