// One dispute: what it opens, its moves with their deadlines, where the window went wrong, who paid and who was paid.
import { get } from "../api.js";
import { chip, figure, hash, mention, opennessBadge, until, when } from "../beastly.js";
import { h, notice, show } from "../dom.js";
import { coin, energy, plural } from "../format.js";

const SEGMENTS = 16;

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

const CONVICTIONS = {
  timeout: "Something that the window was computed from was not opened in time.",
  segment: "The contract re-executed one segment from an opened state and came to another state than the trainer.",
  advance: "The contract re-executed the whole window and came to another state than the trainer.",
  header: "The committed state contradicts the checkpoint's own figures.",
};

/** What has to be open so that everybody can compute the window again. */
function openings(d, now) {
  return h(
    "section",
    { class: "openings", "aria-labelledby": "openings" },
    h("h2", { id: "openings" }, "What the dispute opens"),
    h(
      "ul",
      {},
      ...d.openings.map((o) => {
        const [name, by] = OPENINGS[o.opening];
        const kind = o.made ? "made" : d.open && d.response_deadline >= now ? "owed" : "missed";
        const paid = BigInt(o.paid) + BigInt(o.waiting);
        return h(
          "li",
          { class: kind },
          h("b", {}, name),
          h(
            "span",
            {},
            kind === "made"
              ? ["open", o.published_at === null ? null : [" since ", when(o.published_at)]]
              : kind === "owed"
                ? [`due ${until(d.response_deadline, now)}, ${by}: `, when(d.response_deadline)]
                : "not opened in time",
          ),
          paid
            ? h(
                "span",
                { class: "hint" },
                `its trainer is paid ${coin(paid)}`,
                BigInt(o.waiting) ? `, ${coin(o.waiting)} of it when the dispute ends` : null,
              )
            : null,
        );
      }),
    ),
  );
}

function segments(d) {
  return h(
    "section",
    { class: "segments", "aria-labelledby": "segments" },
    h("h2", { id: "segments" }, "The window, in 16 segments of 8 steps"),
    h(
      "ol",
      {},
      ...Array.from({ length: SEGMENTS }, (_, k) => {
        const wrong = d.segment === k;
        const before = d.segment === null || k < d.segment;
        const done = 8 * (k + 1) <= d.steps_done;
        const kind = wrong
          ? "wrong"
          : d.segment !== null && !before
            ? "after"
            : done
              ? "done"
              : d.segments.length
                ? "said"
                : "";
        const name = `steps ${8 * k}–${8 * k + 7}`;
        return h(
          "li",
          { class: kind, title: d.segments[k] ? `${name}, opened as ${d.segments[k]}` : name },
          h("span", {}, String(k)),
          h("span", { class: "unseen" }, wrong ? `: wrong, ${name}` : ""),
        );
      }),
    ),
    h(
      "p",
      {},
      d.segment !== null
        ? [
            "Segment ",
            h("b", {}, String(d.segment)),
            ` is where it departs from the truth: micro-steps ${d.steps[0]} to ${d.steps[1]} of the window. `,
            "The very step, head and layer: ",
            h("code", {}, `chainbeasts dispute explain ${d.id}`),
          ]
        : d.steps_done
          ? `${d.steps_done} of 128 micro-steps have been re-executed on chain.`
          : "No segment has been proved wrong.",
    ),
  );
}

function timeline(d, now) {
  return h(
    "section",
    { class: "moves", "aria-labelledby": "moves" },
    h("h2", { id: "moves" }, "Moves"),
    h(
      "ol",
      { class: "timeline" },
      ...d.timeline.map((m) =>
        h(
          "li",
          { class: m.kind },
          h("h3", {}, MOVES[m.kind], m.opening ? `: ${m.opening}` : null),
          h(
            "p",
            {},
            when(m.time),
            ` · block ${m.block}`,
            m.by ? [" · by ", hash(m.by)] : null,
            m.steps_done !== null ? ` · ${m.steps_done} of 128 steps` : null,
            m.counted === false ? " · not committed to before, so not paid" : null,
          ),
          m.deadline !== null
            ? h(
                "p",
                { class: "deadline" },
                "sets a deadline: ",
                when(m.deadline),
                d.open ? ` (${until(m.deadline, now)})` : null,
              )
            : null,
          h("p", { class: "hint" }, "transaction ", hash(m.tx)),
        ),
      ),
      d.open
        ? h(
            "li",
            { class: "next" },
            h("h3", {}, d.missing.length ? `Awaited: ${d.missing.join(", ")}` : "Proofs are awaited"),
            h("p", { class: "deadline" }, `the deadline is ${until(d.deadline, now)}: `, when(d.deadline)),
            d.head_start_end !== null && d.head_start_end > now
              ? h("p", {}, `a proof pays the filer alone, whoever sends it, until ${until(d.head_start_end, now)}`)
              : null,
          )
        : null,
    ),
  );
}

/** One currency of what was taken, as a bar cut into shares: {taken, filing, proof, steps, debts, burned}. */
function shares(title, taken, parts, spell) {
  const total = Number(taken) || 1;
  const shown = parts.filter(([, wei]) => wei !== "0");
  return [
    h("h3", {}, title),
    h(
      "div",
      { class: "shares", "aria-hidden": "true" },
      ...shown.map(([kind, wei]) => h("span", { class: kind, vars: { part: Number(wei) / total } })),
    ),
    h(
      "dl",
      { class: "figures" },
      ...shown.map(([kind, wei, name, account]) =>
        h(
          "div",
          { class: `figure ${kind}` },
          h("dt", {}, name),
          h("dd", {}, spell(wei)),
          account ? h("dd", { class: "hint" }, hash(account)) : null,
        ),
      ),
    ),
  ];
}

const HELD = {
  held: "The shares of the stake are held until every window below this one is final or has fallen.",
  settled: "The shares of the stake have been credited.",
  taken_over: "The shares of the stake went to who convicted an earlier window.",
  none: null,
};

function scales(slashing) {
  const { energy: e, stake: s } = slashing;
  const proof = slashing.prover === null ? "who re-executed the steps" : "the prover";
  const parts = (p) => [
    ["filer", p.filing, "the filer", slashing.filer],
    ["prover", p.proof, proof, slashing.prover],
    ["debts", p.debts ?? "0", "filers, for openings that they paid", null],
    ["burned", p.burned, "burned", null],
  ];
  return h(
    "section",
    { class: "scales", "aria-labelledby": "scales" },
    h("h2", { id: "scales" }, "What was slashed, and who was paid"),
    h(
      "p",
      {},
      slashing.offender ? ["Taken from ", hash(slashing.offender)] : "Taken",
      slashing.voided ? `. ${plural(slashing.voided, "later window")} fell with it` : null,
      ".",
    ),
    shares(`${energy(e.taken)} ENERGY`, e.taken, parts(e), energy),
    s.taken === "0" ? null : shares(`A stake of ${coin(s.taken)}`, s.taken, parts(s), coin),
    HELD[slashing.reward] ? h("p", { class: "hint" }, HELD[slashing.reward]) : null,
  );
}

function evidence(d) {
  const file = `case-${d.id}.zip`;
  return h(
    "section",
    { class: "evidence", "aria-labelledby": "evidence" },
    h("h2", { id: "evidence" }, "Evidence"),
    d.bundle
      ? h(
          "p",
          {},
          "All of it is in one file that anybody verifies without a node: ",
          h("a", { href: `/v1/disputes/${d.id}/bundle`, download: file }, "download the bundle"),
          ".",
        )
      : h(
          "p",
          {},
          "No bundle is published here. Anybody with the window's states can write one, and anybody can verify it without a node:",
        ),
    h(
      "pre",
      { tabindex: 0 },
      h(
        "code",
        {},
        [d.bundle ? null : `chainbeasts dispute bundle ${d.id} -o ${file}`, `chainbeasts dispute verify-bundle ${file}`]
          .filter(Boolean)
          .join("\n"),
      ),
    ),
  );
}

export async function render(place, { id, status, retitle }) {
  const d = await get(`/v1/disputes/${encodeURIComponent(id)}`);
  const beast = await get(`/v1/beasts/${d.beast}`).catch(() => null);
  const now = status().indexed?.time ?? 0;
  retitle(`Case ${d.id}`);
  const bond = { locked: "locked until it ends", returned: "went back", burned: "was burned" }[d.bond_outcome];
  const opening = d.opening_outcome
    ? `${coin(d.opening_outcome.returned)} went back, the trainer kept ${coin(d.opening_outcome.kept)}`
    : "pays for openings";
  show(
    place,
    h("p", { class: "back" }, h("a", { href: "#/disputes" }, "← all disputes")),
    h(
      "section",
      { class: `case ${d.status}` },
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
      d.conviction ? h("p", { class: "finding" }, CONVICTIONS[d.conviction]) : null,
      h(
        "dl",
        { class: "figures" },
        figure("Trainer", d.trainer ? hash(d.trainer) : "—"),
        figure("Filer's bond", `${energy(d.bond)} ENERGY`, bond),
        figure("Opening bond", coin(d.opening_bond), opening),
        figure(
          "Window",
          d.checkpoint ? chip(d.checkpoint.state) : "—",
          d.checkpoint ? opennessBadge(d.checkpoint.openness) : null,
        ),
        figure("Proved by", d.prover ? hash(d.prover) : "—"),
      ),
    ),
    d.status === "voided" ? notice("There was nothing left to judge", MOVES.voided) : [openings(d, now), segments(d)],
    h("div", { class: "columns" }, timeline(d, now), h("div", {}, d.slashing ? scales(d.slashing) : null, evidence(d))),
  );
}
