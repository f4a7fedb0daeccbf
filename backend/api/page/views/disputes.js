// All disputes, newest first, as a docket.
import { chip, hash, mention, when } from "../beastly.js";
import { ACCOUNT, NUMBER, catalogue, rows } from "../catalogue.js";
import { countdown, distance } from "../clock.js";
import { h, lead, notice, table } from "../dom.js";
import { coin, energy } from "../format.js";

export const CASE_HEADS = ["Case", "Accused", "Verdict", "Segment", "Filer", "Bonds", "When"];
const FIELDS = [
  { name: "beast", label: "Beast", ...NUMBER },
  {
    name: "open",
    label: "Verdict",
    options: [
      ["", "all"],
      ["true", "still open"],
      ["false", "ended"],
    ],
  },
  { name: "filer", label: "Filer", ...ACCOUNT },
];

/** How long an open dispute waits, and for what. */
export function awaited(d) {
  const what = d.missing.length ? "openings due" : "proofs until";
  return countdown(d.deadline, (left) => `${what} ${distance(left)}`);
}

/** The cells of a dispute under them. */
export const caseCells = (d) => [
  [h("a", { href: `#/disputes/${d.id}` }, `Case ${d.id}`)],
  [mention(d.beast, d.dna), `, window ${d.index}`],
  [chip(d.status, "")],
  [d.segment === null ? "—" : `${d.segment} (steps ${d.steps[0]}–${d.steps[1]})`],
  [hash(d.filer)],
  [`${energy(d.bond)} ENERGY`, h("br"), coin(d.opening_bond)],
  [d.open ? awaited(d) : when(d.filed.time)],
];

export const render = (place, context) =>
  catalogue(place, context, {
    path: "/v1/disputes",
    fields: FIELDS,
    size: 50,
    noun: "dispute",
    topics: ["dispute"],
    lead: () =>
      lead(
        "Disputes",
        "Who says that a window is wrong puts up two bonds. Its trainer has to open everything that it was computed from; then anybody can have the contract re-execute it, and one of the two loses. ",
        h("a", { href: "#/evidence" }, "Verify a bundle of evidence"),
      ),
    container: () => table("Disputes, newest first", CASE_HEADS, [], "stack docket"),
    draw: (body, items) => rows(body, items, CASE_HEADS, (d) => d.id, caseCells),
    empty: () =>
      notice(
        "Nobody has disputed anything",
        "Either all trainers are honest, or nobody looks. A validator replays every window and disputes what is wrong by itself:",
        ["chainbeasts validator run", "chainbeasts validator run --dry-run   # only watches"],
      ),
    nothing: "No dispute is like that.",
  });
