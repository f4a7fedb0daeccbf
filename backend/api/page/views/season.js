// The constants in force, and those on their way through the timelock.
import { get } from "../api.js";
import { hash, when } from "../beastly.js";
import { h, lead, notice, show, table } from "../dom.js";
import { coin, count, energy, plural, span } from "../format.js";

/** What each constant is for, in the order of the parts. */
const PARTS = {
  rules: [
    "Combat",
    {
      damage_k: "how little defence takes off a hit",
      damage_curve: "0 hyperbola, 1 straight line",
      block_gain: "defence that one block adds",
      block_cap: "most that blocks add up to",
      crit_odds: "one attack in so many is critical",
      hazard_stamina: "stamina that entering a hazard takes",
      rest_gain: "stamina that a rest restores",
      max_turns: "turns after which the larger share of the health wins",
      block_threshold_num: "label: block below this over the next of the enemy's power",
      block_threshold_den: "the denominator of it",
      self_play_words: "positions of one match of self-play that are trained on",
    },
  ],
  schedule: [
    "Training",
    {
      epoch_windows: "windows in an epoch",
      move_only_epochs: "first epochs, in which only moving is learned",
      attack_epochs: "epochs after them, with attacks too",
      lr_base: "learning-rate shift at first",
      lr_hold_epochs: "epochs before it grows",
      lr_epochs_per_decay: "epochs from one growth to the next",
      lr_max: "the largest shift",
    },
  ],
  economics: [
    "Economics",
    {
      base_cost: "a micro-step with all slots awake",
      growth_cost: "waking a slot",
      trainer_bond_multiple: "trainer's bond, in prices of the window",
      dispute_bond_multiple: "filer's bond in ENERGY, likewise",
      stake_gas: "gas that a trainer's stake has to pay for",
      filing_bps: "filer's share of what is slashed",
      proof_bps: "prover's share of it",
      challenge_period: "to dispute a window; then it is final",
      response_window: "to open everything that a dispute asks for",
      proof_window: "to prove a segment wrong after that",
      publication_age: "so long what was published counts as opened",
      energy_price: "native coin for one ENERGY, 0 where none is sold",
      hatch_cost: "burned by a request to hatch",
    },
  ],
  arena: [
    "Arena",
    {
      winner_reward: "minted for the winner's owner",
      loser_reward: "minted for the loser's owner",
      disproof_period: "to disprove a record of a match",
      reward_cooldown: "in which a beast earns its best reward and no more",
      record_bond: "what a reporter puts up",
      reward_cap_bps: "most that a beast ever earns, of what its final training burned",
      record_window: "to record a match whose seed is drawn",
    },
  ],
};

const PRICES = new Set(["base_cost", "growth_cost", "hatch_cost", "winner_reward", "loser_reward", "record_bond"]);
const PERIODS = /_period$|_window$|_cooldown$|_age$/;

/** A constant with its unit. */
function value(name, raw) {
  if (PRICES.has(name)) return `${energy(raw, 6)} ENERGY`;
  if (PERIODS.test(name)) return span(Number(raw));
  if (name === "energy_price") return coin(raw);
  if (name.endsWith("_gas")) return `${count(raw)} gas`;
  if (name.endsWith("_bps")) return `${Number(raw) / 100} %`;
  if (name.endsWith("_multiple")) return `${raw} ×`;
  return String(raw);
}

function part(key, constants) {
  const [title, meanings] = PARTS[key];
  return h(
    "section",
    { class: "constants" },
    h("h2", {}, title),
    h(
      "dl",
      {},
      ...Object.entries(constants).map(([name, raw]) =>
        h(
          "div",
          {},
          h("dt", {}, h("code", {}, name), h("small", {}, meanings[name] || "")),
          h("dd", {}, value(name, raw)),
        ),
      ),
    ),
  );
}

/** What a call does, in words; raw and marked where that is not known. */
function call(c) {
  const paid = c.value === "0" ? null : [" with ", coin(c.value)];
  if (c.changes?.length) {
    return table(
      "What it changes",
      ["Constant", "Part", "Now", "Then"],
      c.changes.map(({ part: key, name, now, then }) => [
        [h("code", {}, name)],
        [PARTS[key]?.[0] ?? key],
        [value(name, now)],
        [h("b", {}, value(name, then))],
      ]),
      "stack",
    );
  }
  if (c.changes) return h("p", {}, "It adds a season and changes no constant.");
  if (!c.function) {
    return h(
      "div",
      { class: "unknown" },
      h("p", {}, h("b", {}, "Unknown call"), " to ", c.contract ?? hash(c.target), paid, ":"),
      h("pre", { tabindex: 0 }, h("code", {}, c.data)),
    );
  }
  return h(
    "div",
    {},
    h("p", {}, "It calls ", h("code", {}, `${c.contract}.${c.function}`), paid, "."),
    h(
      "dl",
      { class: "arguments" },
      ...c.arguments.map((one) => h("div", {}, h("dt", {}, h("code", {}, one.name)), h("dd", {}, one.shown))),
    ),
  );
}

function proposal(p) {
  return h(
    "article",
    { class: "proposal" },
    h("h3", {}, p.seconds_left > 0 ? `Unlocks in ${span(p.seconds_left)}` : "Unlocked: anybody may execute it"),
    h(
      "p",
      { class: "hint" },
      "from ",
      when(p.ready_at),
      " · operation ",
      hash(p.operation),
      p.scheduled_by ? [" · scheduled by ", hash(p.scheduled_by)] : null,
      p.predecessor ? [" · only after operation ", hash(p.predecessor)] : null,
    ),
    ...p.calls.map(call),
    p.seconds_left > 0 ? null : h("pre", { tabindex: 0 }, h("code", {}, `chainbeasts season execute ${p.operation}`)),
  );
}

export async function render(place) {
  const season = await get("/v1/season");
  show(
    place,
    lead(
      `Season ${season.season}`,
      "in force since ",
      when(season.added.time),
      `, block ${season.added.block}. Only the timelock changes it, and a beast's epoch keeps the season that it began with.`,
    ),
    h(
      "section",
      { class: "pending" },
      h("h2", {}, "On the way"),
      season.pending.length
        ? [
            h("p", {}, `${plural(season.pending.length, "operation")} in the timelock.`),
            ...season.pending.map(proposal),
          ]
        : notice(
            "Nothing is proposed",
            "A change waits in the timelock for everybody to see before it can take effect:",
            ["chainbeasts season propose --help", "chainbeasts season pending"],
          ),
    ),
    h(
      "div",
      { class: "parts" },
      ...Object.keys(PARTS)
        .filter((key) => season[key])
        .map((key) => part(key, season[key])),
    ),
  );
}
