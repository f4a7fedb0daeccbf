// Matches: challenge, accept, and make a record final.
import { lastFinal } from "../records.js";
import { Refusal } from "../refusal.js";
import { energyOf, parseId, told } from "../units.js";
import { publication } from "./publish.js";

const CHALLENGED = 1n;
const RECORDED = 4n;
const STATUS = ["unknown", "challenged", "accepted", "seeded", "recorded", "final", "cancelled", "expired"];

const matchLink = (id) => [`#/battles/${id}`, `Match ${id}`];

async function mine(chain, account, beast) {
  const owner = await chain.read("Beasts", "ownerOf", beast);
  if (owner !== account) throw new Refusal(`Beast ${beast} belongs to ${owner}, not to this account.`);
}

export const challenge = {
  name: "challenge",
  title: "Challenge",
  text: "Your beast asks another owner's to a match, with the state of its last final window.",
  fields: [
    { name: "beast", label: "Your beast", kind: "id", example: "1" },
    { name: "opponent", label: "Its opponent", kind: "id", example: "2" },
  ],
  async plan(chain, account, values) {
    const [beast, opponent] = [parseId(values.beast), parseId(values.opponent)];
    if (!beast || !opponent) throw new Refusal("Which two beasts?", "Name both by their numbers.");
    await mine(chain, account, beast);
    const other = await chain.read("Beasts", "ownerOf", opponent);
    if (other === account) throw new Refusal("Two beasts of one owner do not fight on chain.");
    const record = await lastFinal(chain, beast);
    const facts = [
      ["Your beast fights with", `the state of window ${record.index}`],
      ["The opponent belongs to", other],
    ];
    const before = await publication(chain, beast, record.payload.h128);
    if (before)
      return { facts, step: { ...before, note: `It has to be on chain before the beast fights. ${before.note}` } };
    const open = await chain.read("Arena", "openChallengeOf", opponent);
    return {
      facts,
      step: {
        title: `Challenge beast ${opponent} with beast ${beast}`,
        to: "Arena",
        call: "challenge",
        args: [beast, record, opponent],
        note:
          open.owner === other
            ? "The opponent takes every challenge: the match is agreed on at once."
            : "Its owner accepts, or lets it lie; until then you can take it back: chainbeasts battle cancel MATCH",
        done: (logs) => {
          const { matchId } = logs("Arena", "MatchChallenged");
          return { text: `Match ${matchId} is proposed.`, link: matchLink(matchId) };
        },
      },
    };
  },
};

async function matchOf(chain, text, wanted) {
  const id = parseId(text);
  if (!id) throw new Refusal("Which match?", "Name it by its number.");
  const found = await chain.read("Arena", "matchOf", id);
  if (found.status !== wanted)
    throw new Refusal(
      found.status ? `Match ${id} is ${STATUS[found.status]}.` : `There is no match ${id}.`,
      `This is for a match that is ${STATUS[wanted]}.`,
    );
  return { id, ...found };
}

export const accept = {
  name: "accept",
  title: "Accept a challenge",
  text: "Your beast takes a challenge up, with the state of its last final window. The block that mines it seeds the match.",
  fields: [{ name: "match", label: "Match", kind: "id", example: "1" }],
  async plan(chain, account, values) {
    const { id, beastA, beastB, stateA, ownerA } = await matchOf(chain, values.match, CHALLENGED);
    await mine(chain, account, beastB);
    if ((await chain.read("Beasts", "ownerOf", beastA)) !== ownerA)
      throw new Refusal(`Beast ${beastA} has changed hands since its owner asked for this match.`);
    const record = await lastFinal(chain, beastB);
    const facts = [
      ["The challenger", `beast ${beastA} of ${ownerA}`],
      ["It fights with the state", stateA],
      ["Your beast", `beast ${beastB}, with the state of window ${record.index}`],
    ];
    const before = await publication(chain, beastB, record.payload.h128);
    if (before)
      return { facts, step: { ...before, note: `It has to be on chain before the beast fights. ${before.note}` } };
    return {
      facts,
      step: {
        title: `Accept match ${id}`,
        to: "Arena",
        call: "accept",
        args: [id, stateA, record],
        note: "It cannot be taken back: the match is decided by its seed, which nobody knows yet.",
        done: () => ({ text: `Match ${id} is agreed on.`, link: matchLink(id) }),
      },
    };
  },
};

export const settle = {
  name: "settle",
  title: "Finalize a match",
  text: "Make a record final that nobody has shown wrong in time: both owners' rewards are earned, the reporter's bond goes back. Anybody may.",
  fields: [{ name: "match", label: "Match", kind: "id", example: "1" }],
  async plan(chain, account, values) {
    const [{ id, finalAt, bond, reporter, result }, { time }] = await Promise.all([
      matchOf(chain, values.match, RECORDED),
      chain.head(),
    ]);
    if (BigInt(time) < finalAt) throw new Refusal(`Match ${id} can be disproved until ${told(finalAt, "time")}.`);
    return {
      facts: [
        ["Recorded", ["A won", "B won", "nobody won"][result]],
        ["Goes back to the reporter", `${energyOf(bond)} to ${reporter}`],
      ],
      step: {
        title: `Make match ${id} final`,
        to: "Arena",
        call: "finalize",
        args: [id],
        note: "What the owners are credited follows from the season, their beasts' cooldowns and caps.",
        done: (logs) => {
          const { rewardA, rewardB } = logs("Arena", "MatchFinalized");
          return {
            text: `Match ${id} is final: ${energyOf(rewardA)} to A's owner, ${energyOf(rewardB)} to B's.`,
            link: matchLink(id),
          };
        },
      },
    };
  },
};
