// One dispute: whose move it is, what is at risk, the window computed again here, and how it ended.
import { get } from "../api.js";
import { chip, colours, face, hash, mention, opennessBadge } from "../beastly.js";
import { chainNow } from "../clock.js";
import { h, notice, onLeave, redraw, show } from "../dom.js";
import { Examination, examineWindow } from "../case/examination.js";
import { jobOf } from "../case/inputs.js";
import { paidCard, stakesCard } from "../case/money.js";
import { endCard, stepsCard } from "../case/steps.js";
import { strip, verdict } from "../case/strip.js";
import { openingsCard, timelineCard } from "../case/timeline.js";
import { phaseOf, turnCard } from "../case/turn.js";

const LOOK_MS = 1000;

const CONVICTIONS = {
  timeout: "Something that the window was computed from was not opened in time.",
  segment: "The contract re-executed one segment from an opened state and came to another state than the trainer.",
  advance: "The contract re-executed the whole window and came to another state than the trainer.",
  header: "The committed state contradicts the checkpoint's own figures.",
};

const ENDS = {
  dismissed: "Nobody proved the window wrong in time. It stands, unless it fell otherwise.",
  proven: "The contract re-executed all 128 steps and came to the claimed state.",
  voided: "The window fell with an earlier one, so there was nothing left to judge.",
};

function headCard(d, beast) {
  return h(
    "section",
    { class: `case ${d.status}` },
    beast
      ? h("span", { class: "niche accused", vars: colours(beast.dna), "aria-hidden": "true" }, face(beast.dna, d.beast))
      : null,
    h("h1", {}, `Case ${d.id}`),
    h("p", { class: "stamp" }, d.status),
    h(
      "p",
      { class: "versus" },
      hash(d.filer),
      " says that window ",
      h("b", {}, String(d.index)),
      " of ",
      mention(d.beast, beast?.dna),
      " is wrong.",
    ),
    d.conviction || ENDS[d.status] ? h("p", { class: "finding" }, CONVICTIONS[d.conviction] ?? ENDS[d.status]) : null,
    h(
      "p",
      { class: "marks" },
      d.trainer ? h("span", {}, "trained by ", hash(d.trainer)) : null,
      d.checkpoint ? [chip(d.checkpoint.state), opennessBadge(d.checkpoint.openness)] : null,
      d.conviction === "segment" || d.steps_done
        ? h(
            "span",
            {},
            d.conviction === "segment" ? `segment ${d.segment}` : `${d.steps_done} of 128 steps`,
            " re-executed on chain",
          )
        : null,
      d.prover ? h("span", {}, "proved by ", hash(d.prover)) : null,
    ),
  );
}

/** The window in segments, with what this browser found of it. */
function windowCard(d, examination) {
  const { found, problem, busy } = examination;
  const claim = { segments: d.segments, h128: d.checkpoint?.h128 };
  return h(
    "section",
    { class: "segments", "aria-labelledby": "segments" },
    h("h2", { id: "segments" }, "The window, in 16 segments of 8 steps"),
    h(
      "p",
      { class: "verdict", role: "status" },
      verdict(claim, found),
      problem
        ? ` It could not be computed here. ${problem}`
        : busy && !found
          ? " Your browser computes it again…"
          : null,
    ),
    strip(claim, found, d.steps_done, d.segment),
    h(
      "details",
      { id: "believed" },
      h("summary", {}, "What the server is believed for"),
      h(
        "p",
        { class: "hint" },
        "States, private records and logs are checked by their hashes. For DNA, epoch seed, rules and the claim itself the server is believed; a node of your own tells the same.",
      ),
    ),
  );
}

function evidenceCard(d) {
  const file = `case-${d.id}.zip`;
  const commands = [`chainbeasts dispute verify-bundle ${file}`];
  if (!d.bundle) commands.unshift(`chainbeasts dispute bundle ${d.id} -o ${file}`);
  return h(
    "section",
    { class: "evidence", "aria-labelledby": "evidence" },
    h("h2", { id: "evidence" }, "Evidence"),
    d.bundle
      ? h(
          "p",
          {},
          "All of it is in one file: ",
          h("a", { href: `/v1/disputes/${d.id}/bundle`, download: file }, "download the bundle"),
          ".",
        )
      : h("p", {}, "No bundle is published here. Anybody with the window's states can write one."),
    h("p", {}, "It needs no node and no server: ", h("a", { href: "#/evidence" }, "drop it onto this page"), ", or"),
    h("pre", { tabindex: 0 }, h("code", {}, commands.join("\n"))),
  );
}

/** What has to be computed again when it changes. */
const claimOf = (d) => JSON.stringify([d.checkpoint?.h128, d.segments, d.openings.map(({ made }) => made)]);

export async function render(place, { id, signal, retitle, onNews }) {
  const fetchAll = async () => {
    const path = `/v1/disputes/${encodeURIComponent(id)}`;
    const dispute = await get(path, signal);
    return [dispute, dispute.open ? await get(`${path}/risk`, signal) : null];
  };
  let [d, risk] = await fetchAll();
  const beast = await get(`/v1/beasts/${d.beast}`, signal).catch(() => null);
  signal.throwIfAborted();
  retitle(`Case ${d.id}`);

  const chosen = { end: null };
  let [examination, stop] = [null, new AbortController()];
  const parts = {
    head: () => headCard(d, beast),
    turn: () => turnCard(d, chainNow()),
    window: () => (d.status === "voided" ? null : windowCard(d, examination)),
    steps: () => {
      const { steps, cause, end, problem } = examination;
      return steps && !problem ? stepsCard(steps, cause) : end ? endCard(end) : null;
    },
    openings: () => openingsCard(d, chainNow()),
    money: () => (d.open ? stakesCard(d, risk, chosen) : paidCard(d)),
    moves: () => timelineCard(d),
    evidence: () => evidenceCard(d),
  };
  const places = Object.fromEntries(Object.keys(parts).map((name) => [name, h("div", { class: "part" })]));
  const again = (...names) => names.forEach((name) => redraw(places[name], parts[name]()));

  const examine = () => {
    stop.abort();
    stop = new AbortController();
    examination = new Examination(() => again("window", "steps"));
    if (d.status !== "voided") examineWindow(() => jobOf(d), examination, AbortSignal.any([signal, stop.signal]));
  };
  examine();
  again(...Object.keys(parts));
  const { head, turn, window: strips, steps, openings, money, moves, evidence } = places;
  show(
    place,
    h("p", { class: "back" }, h("a", { href: "#/disputes" }, "← all disputes")),
    head,
    turn,
    d.status === "voided" ? notice("There was nothing left to judge", "The window fell with an earlier one.") : null,
    strips,
    steps,
    money,
    openings,
    h("div", { class: "columns" }, moves, evidence),
  );

  let phase = phaseOf(d, chainNow());
  const timer = setInterval(() => {
    const now = phaseOf(d, chainNow());
    if (now === phase) return;
    phase = now;
    again("turn", "openings");
  }, LOOK_MS);
  onLeave(signal, () => clearInterval(timer));

  onNews(async () => {
    const before = claimOf(d);
    [d, risk] = await fetchAll();
    phase = phaseOf(d, chainNow());
    if (claimOf(d) !== before) examine();
    again(...Object.keys(parts));
  }, [`dispute:${d.id}`, `beast:${d.beast}`]);
}
