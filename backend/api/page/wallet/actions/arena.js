// Agreeing on a match: challenge, take it back, accept.
import { lastFinal } from "../records.js";
import { Refusal } from "../refusal.js";
import { parseId } from "../units.js";
import { hex } from "../values.js";
import { publicationStep } from "./publish.js";
import { BEAST, CHALLENGED, both, matchOf, matchThatIs, toMatch } from "./subject.js";

async function mine(chain, account, beast) {
  const owner = await chain.read("Beasts", "ownerOf", beast);
  if (owner !== account) throw new Refusal([`Beast ${beast} belongs to `, hex(owner), ", not to this account."]);
}

/** The step that publishes the state that a beast is to fight with; null if it need not be. */
const publishFirst = (chain, beast, record) =>
  publicationStep(chain, beast, record.payload.h128, { note: "It has to be on chain before the beast fights." });

export const challenge = {
  name: "challenge",
  title: "Challenge",
  text: "Your beast asks another owner's to a match, with the state of its last final window.",
  fields: [
    { ...BEAST, label: "Your beast" },
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
      ["The opponent belongs to", hex(other)],
    ];
    const beasts = [
      ["Your beast", beast],
      ["Its opponent", opponent],
    ];
    const before = await publishFirst(chain, beast, record);
    if (before) return { facts, beasts, step: before };
    const open = await chain.read("Arena", "openChallengeOf", opponent);
    return {
      facts,
      beasts,
      step: {
        title: `Challenge beast ${opponent} with beast ${beast}`,
        to: "Arena",
        call: "challenge",
        args: [beast, record, opponent],
        note:
          open.owner === other
            ? "The opponent takes every challenge: the match is agreed on at once."
            : "Its owner accepts, or lets it lie; until then you can take it back.",
        done: (logs) => {
          const { matchId } = logs("Arena", "MatchChallenged");
          const links = [toMatch(matchId), [`#/act/cancel?match=${matchId}`, "Take it back"]];
          return { text: `Match ${matchId} is proposed.`, links };
        },
      },
    };
  },
};

export const accept = {
  name: "accept",
  title: "Accept a challenge",
  text: "Your beast takes a challenge up, with the state of its last final window. The block that mines it seeds the match.",
  fields: [matchThatIs("challenged")],
  async plan(chain, account, values) {
    const { id, beastA, beastB, stateA, ownerA } = await matchOf(chain, values, CHALLENGED);
    await mine(chain, account, beastB);
    if ((await chain.read("Beasts", "ownerOf", beastA)) !== ownerA)
      throw new Refusal(`Beast ${beastA} has changed hands since its owner asked for this match.`);
    const record = await lastFinal(chain, beastB);
    const facts = [
      ["The challenger belongs to", hex(ownerA)],
      ["It fights with the state", hex(stateA)],
      ["Your beast fights with", `the state of window ${record.index}`],
    ];
    const beasts = [
      ["The challenger", beastA],
      ["Your beast", beastB],
    ];
    const before = await publishFirst(chain, beastB, record);
    if (before) return { facts, beasts, step: before };
    return {
      facts,
      beasts,
      step: {
        title: `Accept match ${id}`,
        to: "Arena",
        call: "accept",
        args: [id, stateA, record],
        note: "It cannot be taken back: the match is decided by its seed, which nobody knows yet.",
        done: () => ({
          text: `Match ${id} is agreed on.`,
          links: [toMatch(id), [`#/act/draw?match=${id}`, "Draw its seed"]],
        }),
      },
    };
  },
};

export const cancel = {
  name: "cancel",
  title: "Take back a challenge",
  text: "End a challenge that its opponent's owner has not accepted. The account that sent it may, whoever owns the beast now.",
  fields: [matchThatIs("challenged")],
  async plan(chain, account, values) {
    const match = await matchOf(chain, values, CHALLENGED);
    const { id, beastA, beastB, ownerA } = match;
    if (ownerA !== account) throw new Refusal([`Match ${id} was asked for by `, hex(ownerA), ", not by this account."]);
    return {
      facts: [],
      beasts: both(match),
      step: {
        title: `Take back the challenge of match ${id}`,
        to: "Arena",
        call: "cancel",
        args: [id],
        note: "Nothing was paid for it and nothing is locked: it costs you the gas alone.",
        done: () => ({
          text: `Match ${id} is taken back.`,
          links: [toMatch(id), [`#/act/challenge?beast=${beastA}&opponent=${beastB}`, "Challenge anew"]],
        }),
      },
    };
  },
};
