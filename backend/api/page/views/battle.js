// One match: fought again in this browser, compared with the record, and shown turn by turn.
import { get } from "../api.js";
import { chip, figure, hash, mention, when } from "../beastly.js";
import { h, notice, show } from "../dom.js";
import { energy } from "../format.js";
import { fromHex } from "../kernel/bytes.js";
import { nickname } from "../portrait.js";
import { verify } from "../verify.js";
import { WAITS, runs, standing, verdictOf } from "./battles.js";
import { player } from "./player.js";

const NEXT = {
  challenged: (m) => [`chainbeasts battle accept ${m.id}`],
  accepted: (m) => [`chainbeasts battle record ${m.id}`],
  seeded: (m, now) => [`chainbeasts battle ${m.record_until > now ? "record" : "expire"} ${m.id}`],
  expired: (m) => [`chainbeasts battle challenge ${m.beast_a} ${m.beast_b}`],
  cancelled: (m) => [`chainbeasts battle challenge ${m.beast_a} ${m.beast_b}`],
};

const LIES = {
  first_word: "it began with another word than the match",
  turn: "a turn led to another word than the beast's own act",
  over: "it went on after the match was over",
  end: "it ended otherwise than recorded",
};

const SAYS = {
  verified: "Your browser fought this match again and came to the chain's record, word for word.",
  "not verified":
    "Your browser fought this match again and came to something else. Do not believe the record that is shown.",
  refused:
    "Your browser did not fight this match again: what it was given does not belong to it. Do not believe the record that is shown.",
  unavailable: "Your browser could not fight this match again, so nothing is known about the record.",
};

function seal({ verdict, reason, checks, played }, m) {
  return h(
    "section",
    { class: "seal", id: "seal", "data-verdict": verdict, role: "status" },
    h("h2", {}, verdict),
    h("p", {}, SAYS[verdict === "not verified" && !played ? "refused" : verdict]),
    reason ? h("p", { class: "reason" }, reason) : null,
    verdict === "unavailable"
      ? h(
          "p",
          { class: "hint" },
          "Who has the state can publish it to the server's folder of snapshots. To see for yourself: ",
          h("code", {}, `chainbeasts battle replay ${m.id}`),
        )
      : null,
    verdict === "not verified"
      ? h(
          "p",
          { class: "hint" },
          played
            ? "Either the record is a lie, which anybody may disprove while it is not final (a validator does so by itself), or this server misquotes the chain: "
            : "Ask a node of your own: ",
          h("code", {}, `chainbeasts battle replay ${m.id}`),
        )
      : null,
    checks.length
      ? h(
          "details",
          { id: "checks", open: matchMedia("(width >= 760px)").matches },
          h("summary", {}, `${checks.length} comparisons held`),
          h("ul", { class: "checks" }, ...checks.map((check) => h("li", {}, check))),
        )
      : null,
  );
}

function record(m, now) {
  return h(
    "section",
    { class: "record", "aria-labelledby": "record" },
    h("h2", { id: "record" }, "The record"),
    h(
      "dl",
      { class: "figures" },
      figure("Status", chip(m.status, WAITS[m.status]), runs(m) ? standing(m, now) : null),
      figure("Result", m.result === null ? "—" : verdictOf(m)),
      figure(
        "Seed",
        m.battle_seed ? h("code", {}, m.battle_seed) : "—",
        m.seed_block ? `from block ${m.seed_block}` : null,
      ),
      figure("Reporter", m.reporter ? hash(m.reporter) : "—", m.bond ? `bond ${energy(m.bond)} ENERGY` : null),
      m.status === "final"
        ? figure("Rewards", `${energy(m.reward_a)} and ${energy(m.reward_b)}`, "ENERGY for the owners of A and B")
        : null,
      figure("State of A", hash(m.state_a)),
      figure("State of B", m.state_b ? hash(m.state_b) : "—"),
      figure("Merkle root", m.log_root ? hash(m.log_root) : "—"),
      figure("Season", m.season === null ? "—" : String(m.season)),
    ),
    m.disproofs.length
      ? h(
          "ul",
          { class: "disproofs" },
          ...m.disproofs.map((d) =>
            h(
              "li",
              {},
              "A record by ",
              hash(d.reporter),
              " was disproved by ",
              hash(d.challenger),
              `: ${LIES[d.lie]} (turn ${d.turn}). ${energy(d.reward)} ENERGY went to the challenger, ${energy(d.burned)} burned. `,
              when(d.time),
            ),
          ),
        )
      : null,
  );
}

export async function render(place, { id, query, signal, status, retitle, onNews }) {
  const path = `/v1/matches/${encodeURIComponent(id)}`;
  const m = await get(path);
  const now = status().indexed?.time ?? 0;
  const [dnaA, dnaB] = [fromHex(m.dna_a), fromHex(m.dna_b)];
  const names = { a: nickname(dnaA), b: nickname(dnaB) };
  if (names.a === names.b) for (const side of ["a", "b"]) names[side] += ` (${side.toUpperCase()})`;
  retitle(`${names.a} vs ${names.b}`);
  const head = [
    h("p", { class: "back" }, h("a", { href: "#/battles" }, "← all battles")),
    h(
      "header",
      { class: "lead bout-title" },
      h("h1", {}, names.a, h("em", {}, " vs "), names.b, h("small", {}, ` match ${m.id}`)),
      h("p", {}, mention(m.beast_a, m.dna_a), mention(m.beast_b, m.dna_b)),
    ),
  ];
  if (!m.log.length) {
    const next = NEXT[m.status]?.(m, now) ?? [];
    show(
      place,
      head,
      notice(`This match ${WAITS[m.status]}`, next.length ? "What can be done next:" : "", next),
      record(m, now),
    );
    return;
  }
  const outcome = await verify(m, status().kernel_id);
  const log = m.log.map(fromHex);
  const shown = outcome.played ?? { words: log.slice(0, -1), thoughts: [], last: log.at(-1), result: null };
  show(
    place,
    head,
    seal(outcome, m),
    outcome.played
      ? null
      : h("p", { class: "warning" }, "Shown is the log as it was recorded, without the beasts' thoughts."),
    player({
      id: m.id,
      dnaA,
      dnaB,
      names,
      match: shown,
      battleSeed: BigInt(m.battle_seed),
      rules: m.rules,
      start: Number(query.get("turn") || 0),
      signal,
    }),
    record(m, now),
  );
  let standing = m.status;
  onNews(async (news) => {
    if (!news.some((item) => item.match === m.id || item.type === "reorg")) return;
    const found = await get(path);
    if (found.log_root !== m.log_root || found.result !== m.result) dispatchEvent(new HashChangeEvent("hashchange"));
    else if (found.status !== standing) {
      standing = found.status;
      place.querySelector(".record").replaceWith(record(found, status().indexed?.time ?? 0));
    }
  });
}
