// What the chain says of a match: its status, its record, and records that were proved wrong.
import { chip, figure, hash, when } from "../beastly.js";
import { h } from "../dom.js";
import { energy } from "../format.js";
import { WAITS, running, runs, verdictOf } from "../views/battles.js";

const LIES = {
  first_word: "it began with another word than the match",
  turn: "a turn led to another word than the beast's own act",
  over: "it went on after the match was over",
  end: "it ended otherwise than recorded",
};

const disproof = (d) =>
  h(
    "li",
    {},
    "A record by ",
    hash(d.reporter),
    " was disproved by ",
    hash(d.challenger),
    `: ${LIES[d.lie]} (turn ${d.turn}). ${energy(d.reward)} ENERGY went to the challenger, ${energy(d.burned)} burned. `,
    when(d.time),
  );

export function record(m) {
  return h(
    "section",
    { class: "record", "aria-labelledby": "record" },
    h("h2", { id: "record" }, "The record"),
    h(
      "dl",
      { class: "figures" },
      figure("Status", chip(m.status, WAITS[m.status]), runs(m) ? running(m) : null),
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
    m.disproofs.length ? h("ul", { class: "disproofs" }, ...m.disproofs.map(disproof)) : null,
  );
}
