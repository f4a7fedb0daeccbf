// All disputes, newest first, as a docket.
import { list } from "../api.js";
import { chip, hash, mention, until, when } from "../beastly.js";
import { h, lead, notice, show, table } from "../dom.js";
import { coin, energy } from "../format.js";

const MOST = 200;
const BEASTS = 400;
const HEADS = ["Case", "Accused", "Verdict", "Segment", "Filer", "Bonds", "When"];

const awaited = (d) => (d.missing.length ? "openings due" : "proofs until");

function row(d, dnas, now) {
  return [
    [h("a", { href: `#/disputes/${d.id}` }, `Case ${d.id}`)],
    [mention(d.beast, dnas.get(d.beast)), `, window ${d.index}`],
    [chip(d.status, "")],
    [d.segment === null ? "—" : `${d.segment} (steps ${d.steps[0]}–${d.steps[1]})`],
    [hash(d.filer)],
    [`${energy(d.bond)} ENERGY`, h("br"), coin(d.opening_bond)],
    [d.open ? `${awaited(d)} ${until(d.deadline, now)}` : when(d.filed.time)],
  ];
}

export async function render(place, { status }) {
  const [{ items, more }, beasts] = await Promise.all([list("/v1/disputes", MOST), list("/v1/beasts", BEASTS)]);
  const top = lead(
    "Disputes",
    "Who says that a window is wrong puts up two bonds. Its trainer has to open everything that it was computed from; then anybody can have the contract re-execute it, and one of the two loses.",
  );
  if (!items.length) {
    show(
      place,
      top,
      notice(
        "Nobody has disputed anything",
        "Either all trainers are honest, or nobody looks. A validator replays every window and disputes what is wrong by itself:",
        ["chainbeasts validator run", "chainbeasts validator run --dry-run   # only watches"],
      ),
    );
    return;
  }
  const now = status().indexed?.time ?? 0;
  const dnas = new Map(beasts.items.map(({ id, dna }) => [id, dna]));
  show(
    place,
    top,
    table(
      "Disputes, newest first",
      HEADS,
      items.map((d) => row(d, dnas, now)),
      "stack docket",
    ),
    more ? h("p", { class: "hint" }, `The newest ${MOST} are shown; all: /v1/disputes`) : null,
  );
}
