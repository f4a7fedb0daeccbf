// The constants in force, and those on their way through the timelock.
import { get } from "../api.js";
import { hash, when } from "../beastly.js";
import { h, notice, show, table } from "../dom.js";
import { energy, plural, span } from "../format.js";

/** What each constant is for, in the order of the parts. */
const PARTS = {
  rules: [
    "Combat",
    {
      damageK: "how little defence takes off a hit",
      damageCurve: "0 hyperbola, 1 straight line",
      blockGain: "defence that one block adds",
      blockCap: "most that blocks add up to",
      critOdds: "one attack in so many is critical",
      hazardStamina: "stamina that entering a hazard takes",
      restGain: "stamina that a rest restores",
      maxTurns: "turns after which more hp wins",
      blockThresholdNum: "label: block below this over the next of the enemy's power",
      blockThresholdDen: "the denominator of it",
    },
  ],
  schedule: [
    "Training",
    {
      epochWindows: "windows in an epoch",
      moveOnlyEpochs: "first epochs, in which only moving is learned",
      attackEpochs: "epochs after them, with attacks too",
      lrBase: "learning-rate shift at first",
      lrHoldEpochs: "epochs before it grows",
      lrEpochsPerDecay: "epochs from one growth to the next",
      lrMax: "the largest shift",
    },
  ],
  economics: [
    "Economics",
    {
      baseCost: "a micro-step with all slots awake",
      growthCost: "waking a slot",
      trainerBondMultiple: "trainer's bond, in prices of the window",
      disputeBondMultiple: "challenger's bond, likewise",
      rewardBps: "challenger's share of what is slashed",
      proverBps: "prover's share of it",
      challengePeriod: "until an undisputed window is final",
      responseWindow: "to answer a dispute",
      proofWindow: "to prove a segment",
    },
  ],
  arena: [
    "Arena",
    {
      winnerReward: "minted for the winner's owner",
      loserReward: "minted for the loser's owner",
      disproofPeriod: "to disprove a record of a match",
      rewardCooldown: "between two rewards of a beast",
      recordBond: "what a reporter puts up",
    },
  ],
};

const PRICES = new Set(["baseCost", "growthCost", "winnerReward", "loserReward", "recordBond"]);
const PERIODS = /Period$|Window$|Cooldown$/;

/** A constant with its unit. */
function value(name, raw) {
  if (PRICES.has(name)) return `${energy(raw, 6)} ENERGY`;
  if (PERIODS.test(name)) return span(Number(raw));
  if (name.endsWith("Bps")) return `${Number(raw) / 100} %`;
  if (name.endsWith("Multiple")) return `${raw} ×`;
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

function proposal(p) {
  const rows = p.changes.map(({ part: key, name, now, then }) => [
    [h("code", {}, name)],
    [PARTS[key]?.[0] ?? key],
    [value(name, now)],
    [h("b", {}, value(name, then))],
  ]);
  return h(
    "article",
    { class: "proposal" },
    h("h3", {}, p.seconds_left > 0 ? `Unlocks in ${span(p.seconds_left)}` : "Unlocked: anybody may execute it"),
    h("p", { class: "hint" }, "from ", when(p.ready_at), " · operation ", hash(p.operation)),
    rows.length
      ? table("What it changes", ["Constant", "Part", "Now", "Then"], rows, "stack")
      : h("p", {}, "It changes no constant."),
    p.seconds_left > 0 ? null : h("pre", { tabindex: 0 }, h("code", {}, `chainbeasts season execute ${p.operation}`)),
  );
}

export async function render(place) {
  const season = await get("/v1/season");
  show(
    place,
    h(
      "header",
      { class: "lead" },
      h("h1", {}, `Season ${season.season}`),
      h(
        "p",
        {},
        "in force since ",
        when(season.added.time),
        `, block ${season.added.block}. Only the timelock changes it, and a beast's epoch keeps the season that it began with.`,
      ),
    ),
    h(
      "section",
      { class: "pending" },
      h("h2", {}, "On the way"),
      season.pending.length
        ? [h("p", {}, `${plural(season.pending.length, "change")} proposed.`), ...season.pending.map(proposal)]
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
