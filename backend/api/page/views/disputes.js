// All disputes, newest first, as a docket.
import { list } from "../api.js";
import { chip, hash, until, when } from "../beastly.js";
import { h, notice, show, table } from "../dom.js";
import { energy } from "../format.js";

const MOST = 200;
const HEADS = ["Case", "Accused", "Verdict", "Segment", "Challenger", "Bond", "When"];

export const VERDICTS = {
  filed: "filed",
  responded: "answered",
  upheld: "upheld",
  dismissed: "dismissed",
  voided: "voided",
};

function row(d, now) {
  return [
    [h("a", { href: `#/disputes/${d.id}` }, `Case ${d.id}`)],
    [h("a", { href: `#/beasts/${d.beast}` }, `beast ${d.beast}`), `, window ${d.index}`],
    [chip(d.status, "")],
    [d.segment === null ? "—" : `${d.segment} (steps ${d.steps[0]}–${d.steps[1]})`],
    [hash(d.challenger)],
    [energy(d.bond)],
    [d.open ? `next move ${until(d.deadline, now)}` : when(d.filed.time)],
  ];
}

export async function render(place, { status }) {
  const { items, more } = await list("/v1/disputes", MOST);
  const lead = h(
    "header",
    { class: "lead" },
    h("h1", {}, "Disputes"),
    h(
      "p",
      {},
      "Who says that a window is wrong puts up a bond. The contract re-executes it, and one of the two loses.",
    ),
  );
  if (!items.length) {
    show(
      place,
      lead,
      notice(
        "Nobody has disputed anything",
        "Either all trainers are honest, or nobody looks. A validator replays every window and disputes what is wrong by itself:",
        ["chainbeasts validator run", "chainbeasts validator run --dry-run   # only watches"],
      ),
    );
    return;
  }
  const now = status().indexed?.time ?? 0;
  show(
    place,
    lead,
    table(
      "Disputes, newest first",
      HEADS,
      items.map((d) => row(d, now)),
      "stack docket",
    ),
    more ? h("p", { class: "hint" }, `The newest ${MOST} are shown; all: /v1/disputes`) : null,
  );
}
