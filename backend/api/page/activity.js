// What happens on the chain, told in sentences. Pieces are text and links; who draws them need not know the events.
import { coin, energy, span } from "./format.js";

const beastLink = (beast) => ({ text: `${beast.name} № ${beast.id}`, href: `#/beasts/${beast.id}` });
const caseLink = (a) => ({ text: `case ${a.dispute}`, href: `#/disputes/${a.dispute}` });
const matchLink = (a) => ({ text: `match ${a.match}`, href: `#/battles/${a.match}` });

/** The amount of a name, as text. */
function paid(a, name) {
  const found = a.amounts.find((one) => one.name === name);
  if (!found) return "";
  return found.coin === "energy" ? `${energy(found.wei)} ENERGY` : coin(found.wei);
}

const worth = (a, name) => BigInt(a.amounts.find((one) => one.name === name)?.wei ?? 0) > 0n;

const indices = (a) => (a.first === undefined ? a.index : `${a.first} to ${a.index}`);
const windows = (a) => `${a.first === undefined ? "window" : "windows"} ${indices(a)}`;

/** event → its tone and its pieces: `$a`, `$b` the beasts, `$who` the account. */
const TELLS = {
  HatchRequested: (a) => ["plain", ["$who", ` asked for a hatch and burned ${paid(a, "burned")}`]],
  Hatched: () => ["birth", ["$a", " hatched"]],
  Transfer: () => ["plain", ["$a", " went to ", "$who"]],
  TrainerSet: () => ["plain", ["$who", " changed who may train ", "$a"]],
  RecordsPublished: () => ["plain", ["Records of ", "$a", " were published"]],
  DatasetRevealed: () => ["plain", ["The dataset of ", "$a", " was revealed"]],
  StagedDatasetRevealed: () => ["plain", ["The dataset of ", "$a", " was revealed"]],
  SecretRevealed: () => ["plain", ["The owner's secret of ", "$a", " was revealed"]],
  CheckpointSubmitted: (a) => ["pending", ["$a", ` trained ${windows(a)} for ${paid(a, "price")}`]],
  CheckpointFinalized: (a) => [
    "final",
    [
      `${a.first === undefined ? "Window" : "Windows"} ${indices(a)} of `,
      "$a",
      ` ${a.first === undefined ? "is" : "are"} final`,
    ],
  ],
  CheckpointSlashed: (a) => ["slashed", [`Window ${a.index} of `, "$a", ` was slashed, ${paid(a, "burned")} burned`]],
  EpochStarted: () => ["plain", ["$a", " began an epoch"]],
  Staked: (a) => ["plain", ["$who", ` staked ${paid(a, "stake")} on `, "$a"]],
  StakeWithdrawalAnnounced: () => ["plain", ["$who", " wants the stake on ", "$a", " back"]],
  StakeWithdrawalCancelled: () => ["plain", ["$who", " leaves the stake on ", "$a"]],
  StakeWithdrawn: (a) => ["plain", ["$who", ` took back ${paid(a, "stake")} from `, "$a"]],
  DisputeFiled: (a) => [
    "disputed",
    ["$who", ` says that window ${a.index} of `, "$a", " is wrong: ", caseLink(a), `, bond ${paid(a, "bond")}`],
  ],
  FilingIgnored: (a) => ["plain", ["$who", " filed ", caseLink(a), " again"]],
  OpeningAccepted: (a) => ["pending", ["In ", caseLink(a), " something was opened"]],
  OpeningPaid: (a) => ["plain", ["$who", ` was paid ${paid(a, "paid")} for an opening in `, caseLink(a)]],
  ProofWindowOpened: (a) => ["pending", ["In ", caseLink(a), " all is open: now it can be proved"]],
  DisputeAdvanced: (a) => ["pending", ["$who", " had steps re-executed in ", caseLink(a)]],
  DisputeUpheld: (a) => ["slashed", [`Window ${a.index} of `, "$a", " was wrong: ", caseLink(a), " is upheld"]],
  DisputeDismissed: (a) => ["void", ["Nobody proved anything in ", caseLink(a), ": it is dismissed"]],
  DisputeProven: (a) => ["final", [`Window ${a.index} of `, "$a", " was re-executed and is right: ", caseLink(a)]],
  DisputeVoided: (a) => ["void", [caseLink(a), " fell with an earlier window of ", "$a"]],
  StakeTaken: (a) => ["slashed", ["$who", ` lost a stake of ${paid(a, "stake")} on `, "$a"]],
  RewardSettled: () => ["plain", ["The rewards for convicting the trainer of ", "$a", " are settled"]],
  StepsClaimed: (a) => ["plain", ["$who", ` was paid for steps re-executed in `, caseLink(a)]],
  OpenChallengeSet: () => ["recorded", ["$a", " takes on anybody"]],
  OpenChallengeClosed: () => ["plain", ["$a", " takes on nobody any more"]],
  MatchChallenged: (a) => ["recorded", ["$a", " challenged ", "$b", ": ", matchLink(a)]],
  MatchAccepted: (a) => ["recorded", ["$b", " accepted ", matchLink(a), " with ", "$a"]],
  MatchSeeded: (a) => ["recorded", ["A block hash decided ", matchLink(a), ", ", "$a", " against ", "$b"]],
  MatchRecorded: (a) => ["recorded", [matchLink(a), " of ", "$a", " and ", "$b", " was recorded"]],
  MatchDisproved: (a) => ["slashed", ["The record of ", matchLink(a), " was a lie, ", "$who", " disproved it"]],
  MatchFinalized: (a) => [
    "final",
    [
      matchLink(a),
      " of ",
      "$a",
      " and ",
      "$b",
      " is final",
      worth(a, "reward_a") || worth(a, "reward_b")
        ? `: ${paid(a, "reward_a")} and ${paid(a, "reward_b")} for the owners`
        : "",
    ],
  ],
  MatchCancelled: (a) => ["plain", [matchLink(a), " of ", "$a", " and ", "$b", " was taken back"]],
  MatchExpired: (a) => ["plain", [matchLink(a), " of ", "$a", " and ", "$b", " expired"]],
  RewardsClaimed: (a) => ["plain", ["$who", ` collected ${paid(a, "rewards")}`]],
  SeasonAdded: (a) => ["season", [{ text: `Season ${a.season}`, href: "#/season" }, " is in force"]],
  CallScheduled: () => ["season", [{ text: "A change", href: "#/season" }, " was put into the timelock"]],
  CallExecuted: () => ["season", ["An operation of the timelock was executed"]],
  Cancelled: () => ["season", ["An operation of the timelock was taken back"]],
  EnergyBought: (a) => ["plain", ["$who", ` bought ${paid(a, "bought")} for ${paid(a, "paid")}`]],
};

/** Steps of something that other events tell better, for where there is little room. */
const MINOR = new Set([
  "HatchRequested",
  "FilingIgnored",
  "OpeningAccepted",
  "OpeningPaid",
  "EpochStarted",
  "StakeWithdrawalAnnounced",
  "StakeWithdrawalCancelled",
  "RewardSettled",
]);

export const isMajor = ({ event }) => !MINOR.has(event);

/** What comes for one window after another, and is told of a whole run of them at once. */
const RUNS = new Set(["CheckpointSubmitted", "CheckpointFinalized"]);

/** Two amounts of the same names, added up. */
const added = (more, amounts) =>
  amounts.map((one) => {
    const other = more.find(({ name }) => name === one.name);
    return { ...one, wei: String(BigInt(one.wei) + BigInt(other?.wei ?? 0)) };
  });

/**
 * Items, the newest first, with each run of a beast's windows as one: the newest of them, which then has the `first` index
 * as well, all amounts together, and the oldest's `id`, so that it stays the same line while the run grows. Another event
 * of the beast ends its run; those of others do not.
 */
export function gathered(items) {
  const lines = [];
  const runs = new Map(); // beast → where its run is among the lines
  for (const a of items) {
    const [at, beast] = [runs.get(a.beasts[0]?.id), a.beasts[0]?.id];
    const run = lines[at];
    if (run && run.event === a.event && a.index === (run.first ?? run.index) - 1) {
      lines[at] = { ...run, id: a.id, first: a.index, amounts: added(a.amounts, run.amounts) };
      continue;
    }
    for (const one of a.beasts) runs.delete(one.id);
    if (RUNS.has(a.event) && beast !== undefined) runs.set(beast, lines.length);
    lines.push(a);
  }
  return lines;
}

/** Items of several answers in the order in which the chain has them. */
export function newestFirst(items) {
  const place = ({ id }) => id.split("-").map(Number);
  const later = ([block, log], [otherBlock, otherLog]) => otherBlock - block || otherLog - log;
  return items
    .map((a) => [place(a), a])
    .sort(([one], [other]) => later(one, other))
    .map(([, a]) => a);
}

/** event → what a beast goes through by it, in two or three words. */
const PLIGHTS = {
  Hatched: "just hatched",
  CheckpointSubmitted: "is learning",
  CheckpointFinalized: "has learned",
  CheckpointSlashed: "was convicted",
  DisputeFiled: "is on trial",
  ProofWindowOpened: "is on trial",
  DisputeUpheld: "was convicted",
  DisputeDismissed: "was not disproved",
  DisputeProven: "was found right",
  OpenChallengeSet: "takes on anybody",
  MatchChallenged: "is in the ring",
  MatchAccepted: "is in the ring",
  MatchSeeded: "is in the ring",
  MatchRecorded: "has fought",
  MatchFinalized: "has fought",
};

/** Who is in the news: the beasts of items, the latest first, each with its last `plight` and the `tone` of that. */
export function inTheNews(items) {
  const found = new Map();
  for (const a of items) {
    const plight = PLIGHTS[a.event];
    if (!plight) continue;
    const { tone } = tell(a);
    for (const { id, dna, name } of a.beasts) if (!found.has(id)) found.set(id, { id, dna, name, plight, tone });
  }
  return [...found.values()];
}

/** The events that this page has a sentence for. */
export const TOLD = Object.keys(TELLS);

/**
 * An item of /v1/activity as {tone, pieces}: pieces are texts, `{text, href}`, or `{account}`. An event that is newer
 * than this page is told by its name.
 */
export function tell(a) {
  const [tone, pieces] = TELLS[a.event]?.(a) ?? ["plain", [a.event, a.beasts.length ? " of " : "", "$a"]];
  const [first, second] = a.beasts;
  const filled = pieces.map((piece) => {
    if (piece === "$a") return first ? beastLink(first) : a.beasts.length || !TELLS[a.event] ? "" : "a beast";
    if (piece === "$b") return second ? beastLink(second) : "another beast";
    if (piece === "$who") return a.account ? { account: a.account } : "Somebody";
    return piece;
  });
  return { tone, pieces: filled.filter((piece) => piece !== "") };
}

/** How long ago, in words short enough for the end of a line. */
export const ago = (left) => (left >= -1 ? "now" : `${span(-left).split(" ").slice(0, 2).join(" ")} ago`);
