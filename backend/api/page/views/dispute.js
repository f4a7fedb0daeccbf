// One dispute: its moves with their deadlines, where the window went wrong, who paid and who was paid.
import { get } from "../api.js";
import { auditBadge, chip, figure, hash, mention, until, when } from "../beastly.js";
import { h, notice, show } from "../dom.js";
import { energy, plural } from "../format.js";

const SEGMENTS = 16;

const MOVES = {
  filed: "The window is disputed",
  revealed: "A dataset was revealed",
  responded: "The trainer answered with 16 segment hashes",
  advanced: "Steps were re-executed on chain",
  demanded: "Records of a segment were demanded",
  supplied: "The records were opened",
  upheld: "Proved wrong: slashed",
  dismissed: "Dismissed: the window stands",
  voided: "Voided: the window fell with another",
};

const CONVICTIONS = {
  timeout: "The trainer did not answer in time.",
  segment: "The contract re-executed one segment from an agreed state and came to another state than the trainer.",
  advance: "The contract re-executed the whole window and came to another state than the trainer.",
  header: "The committed state contradicts the checkpoint's own figures.",
  records: "The trainer could not open the records that it says it trained on.",
};

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
          { class: kind, title: d.segments[k] ? `${name}, answered with ${d.segments[k]}` : name },
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
          h("h3", {}, MOVES[m.kind] || m.kind),
          h(
            "p",
            {},
            when(m.time),
            ` · block ${m.block}`,
            m.by ? [" · by ", hash(m.by)] : null,
            m.segment !== null ? ` · segment ${m.segment}` : null,
            m.steps_done !== null ? ` · ${m.steps_done} of 128 steps` : null,
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
            h("h3", {}, d.status === "filed" ? "The trainer's answer is awaited" : "Proofs are awaited"),
            h("p", { class: "deadline" }, `the deadline is ${until(d.deadline, now)}: `, when(d.deadline)),
          )
        : null,
    ),
  );
}

/** What was taken, as one bar cut into shares. */
function scales(slashing) {
  const shares = [
    ["challenger", slashing.challenger_reward, "the challenger", slashing.challenger],
    ["prover", slashing.prover_reward, "the prover", slashing.prover],
    ["burned", slashing.burned, "burned", null],
  ];
  const total = Number(slashing.taken) || 1;
  return h(
    "section",
    { class: "scales", "aria-labelledby": "scales" },
    h("h2", { id: "scales" }, "What was slashed, and who was paid"),
    h(
      "p",
      {},
      h("b", {}, `${energy(slashing.taken)} ENERGY`),
      " taken",
      slashing.offender ? [" from ", hash(slashing.offender)] : null,
      slashing.voided ? `. ${plural(slashing.voided, "later window")} fell with it` : null,
      ".",
    ),
    h(
      "div",
      { class: "shares", "aria-hidden": "true" },
      ...shares.map(([kind, wei]) => h("span", { class: kind, vars: { part: Number(wei) / total } })),
    ),
    h(
      "dl",
      { class: "figures" },
      ...shares.map(([kind, wei, name, account]) =>
        h(
          "div",
          { class: `figure ${kind}` },
          h("dt", {}, name),
          h("dd", {}, energy(wei)),
          account ? h("dd", { class: "hint" }, hash(account)) : null,
        ),
      ),
    ),
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
        hash(d.challenger),
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
        figure("Challenger's bond", energy(d.bond), bond),
        figure(
          "Window",
          d.checkpoint ? chip(d.checkpoint.state) : "—",
          d.checkpoint ? auditBadge(d.checkpoint.audit) : null,
        ),
        figure("Proved by", d.prover ? hash(d.prover) : "—"),
      ),
    ),
    d.status === "voided" ? notice("There was nothing left to judge", MOVES.voided) : segments(d),
    h("div", { class: "columns" }, timeline(d, now), h("div", {}, d.slashing ? scales(d.slashing) : null, evidence(d))),
  );
}
