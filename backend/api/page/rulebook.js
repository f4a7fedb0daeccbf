// The season's constants as sentences, and whom a change of one concerns.
import { coin, count, energy, plural, span } from "./format.js";

const tokens = (wei) => `${energy(wei, 6)} ENERGY`;
const epochs = (v) => (v === 1 ? "epoch" : plural(v, "epoch"));
const share = (bps) => `${Number(bps) / 100} %`;

/** part → title, whom its changes concern, and for each constant a sentence made of the part's values. */
export const PARTS = {
  rules: {
    title: "Combat",
    concerns: "Matches that are accepted from then on, and training in epochs that begin from then on.",
    says: {
      damage_k: ({ damage_k: k, damage_curve }) =>
        damage_curve
          ? `A strike takes its power × (${k} − defence) ÷ ${k} of health, against a defence of ${k} or more nothing.`
          : `A strike takes its power × ${k} ÷ (${k} + defence) of health.`,
      damage_curve: ({ damage_curve }) =>
        damage_curve
          ? "Every point of defence takes as much off a strike as the one before (a straight line)."
          : "Every further point of defence takes less off a strike than the one before (a hyperbola).",
      block_gain: ({ block_gain: v }) => `A block adds ${v} to a beast's guard, which lasts until it is struck.`,
      block_cap: ({ block_cap: v }) => `However often it blocks, its guard is ${v} at most.`,
      crit_odds: ({ crit_odds: v }) => `One strike in ${v} is critical and takes twice as much.`,
      hazard_stamina: ({ hazard_stamina: v }) => `Walking into a pool takes ${v} of stamina besides the step.`,
      rest_gain: ({ rest_gain: v }) => `A turn in which a beast does nothing gives it ${v} of stamina back.`,
      max_turns: ({ max_turns: v }) =>
        `After ${v} turns a match ends, and whoever has the larger share of its health left wins.`,
      block_threshold_num: ({ block_threshold_num: n, block_threshold_den: d }) =>
        `The teacher says “block” while ${d} × the guard is less than ${n} × the enemy's power.`,
      block_threshold_den: ({ block_threshold_den: d }) => `In that comparison the guard counts ${d} times.`,
      self_play_words: ({ self_play_words: v }) =>
        `Self-play trains on ${plural(v, "position")} of each match at most.`,
    },
  },
  schedule: {
    title: "Training",
    concerns: "Each beast from its next epoch on; an epoch that has begun keeps its season.",
    says: {
      epoch_windows: ({ epoch_windows: v }) => `An epoch is ${plural(v, "window")} of 128 micro-steps.`,
      move_only_epochs: ({ move_only_epochs: v }) => `In the first ${epochs(v)} only moving is learned.`,
      attack_epochs: ({ attack_epochs: v }) =>
        `In the next ${epochs(v)} striking is learned too; after them also blocking.`,
      lr_base: ({ lr_base: v }) => `Learning begins with a shift of ${v}: updates are divided by ${2 ** v}.`,
      lr_hold_epochs: ({ lr_hold_epochs: v }) => `That lasts for ${plural(v, "epoch")}.`,
      lr_epochs_per_decay: ({ lr_epochs_per_decay: v }) =>
        `Then every ${plural(v, "epoch")} the shift grows by one, which halves the updates.`,
      lr_max: ({ lr_max: v }) => `It grows to ${v} at most.`,
    },
  },
  economics: {
    title: "Economics",
    concerns: "Windows of epochs that begin from then on. What a hatch and ENERGY cost changes for everybody at once.",
    says: {
      base_cost: ({ base_cost: v }) =>
        `A micro-step with all slots awake costs ${tokens(v)}, one with fewer as much less as it trains fewer weights.`,
      growth_cost: ({ growth_cost: v }) => `Waking a slot costs ${tokens(v)}.`,
      trainer_bond_multiple: ({ trainer_bond_multiple: v }) =>
        `A trainer locks ${v} times a window's price as a bond, and has it back when the window is final.`,
      dispute_bond_multiple: ({ dispute_bond_multiple: v }) =>
        `Whoever disputes a window puts up ${v} times its price in ENERGY, which burns if nothing is proved.`,
      stake_gas: ({ stake_gas: v }) =>
        `A trainer's stake has to pay for ${count(v)} gas at the base fee of the block that it submits in.`,
      filing_bps: ({ filing_bps: v }) => `Of what a convicted trainer loses, ${share(v)} go to who filed the dispute.`,
      proof_bps: ({ proof_bps: v }) => `Another ${share(v)} go to who proved it; what is left burns.`,
      challenge_period: ({ challenge_period: v }) =>
        `A window can be disputed for ${span(v)}; if nobody does, it may be made final.`,
      response_window: ({ response_window: v }) =>
        `Whatever a dispute asks for has to be opened within ${span(v)}; if it is not, the window falls.`,
      proof_window: ({ proof_window: v }) => `From the last opening on there are ${span(v)} to prove the window wrong.`,
      publication_age: ({ publication_age: v }) =>
        `What was published within the last ${span(v)} counts as opened; what is older does not.`,
      energy_price: ({ energy_price: v }) => (v === "0" ? "ENERGY is not sold." : `One ENERGY is sold for ${coin(v)}.`),
      hatch_cost: ({ hatch_cost: v }) => `A request to hatch burns ${tokens(v)}.`,
    },
  },
  arena: {
    title: "Arena",
    concerns: "Matches that are accepted from then on; an earlier match pays no more than the season in force.",
    says: {
      winner_reward: ({ winner_reward: v }) => `The owner of a match's winner is credited ${tokens(v)}.`,
      loser_reward: ({ loser_reward: v }) => `The loser's owner is credited ${tokens(v)}.`,
      disproof_period: ({ disproof_period: v }) =>
        `A recorded match can be disproved for ${span(v)}; then it may be made final.`,
      reward_cooldown: ({ reward_cooldown: v }) => `Within ${span(v)} a beast earns its best reward, and no more.`,
      record_bond: ({ record_bond: v }) => `Whoever records a match puts up ${tokens(v)}, and loses it with a lie.`,
      reward_cap_bps: ({ reward_cap_bps: v }) =>
        `All that a beast ever earns is at most ${share(v)} of what its own final training has burned.`,
      record_window: ({ record_window: v }) =>
        `A match whose seed is drawn has to be recorded within ${span(v)}, or it expires.`,
    },
  },
};

/** A constant in a sentence; one that is newer than this page only by its name and value. */
export function sentence(part, name, constants) {
  const says = PARTS[part]?.says[name];
  return says ? says(constants) : `${name} is ${constants[name]}.`;
}
