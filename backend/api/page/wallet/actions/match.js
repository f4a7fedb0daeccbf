// A match that two owners have agreed on: its seed, its end without a record, and its finality.
import { seedOf } from "../../battle/seed.js";
import { BLOCK_HASHES } from "../chain.js";
import { Refusal } from "../refusal.js";
import { told } from "../units.js";
import { energy, hex } from "../values.js";
import { ACCEPTED, RECORDED, RESULTS, SEEDED, both, matchOf, matchThatIs, toMatch } from "./subject.js";

const CLAIM = ["#/act/claim?what=rewards", "Claim rewards"];

/** The last block whose transactions still find the hash of a match's seed block. */
const lastDraw = ({ seedBlock }) => Number(seedBlock) + BLOCK_HASHES;

export const draw = {
  name: "draw",
  title: "Draw a seed",
  text: "Fix the seed of a match that is agreed on, from the hash of the block that accepted it. Whoever draws it chooses nothing. Anybody may.",
  fields: [matchThatIs("accepted")],
  async plan(chain, account, values) {
    const match = await matchOf(chain, values, ACCEPTED);
    const [{ id, seedBlock }, { number }] = [match, await chain.head()];
    const facts = [
      ["Drawn from", `the hash of block ${seedBlock}`],
      ["It can be drawn", `up to block ${lastDraw(match)}; the newest is ${number}`],
    ];
    if (number <= Number(seedBlock))
      return { facts, beasts: both(match), wait: "The hash is known with the next block." };
    if (number >= lastDraw(match))
      throw new Refusal(`The chain has forgotten the hash that would seed match ${id}.`, "It can only expire.");
    const seed = seedOf(await chain.hashOf(Number(seedBlock)), chain.contracts.of("Arena").address, id);
    return {
      facts: [...facts, ["The seed", String(seed)]],
      beasts: both(match),
      step: {
        title: `Draw the seed of match ${id}`,
        to: "Arena",
        call: "drawSeed",
        args: [id],
        note: "From then on the match is decided, and has to be recorded before its record window ends.",
        done: (logs) => drawn(id, logs("Arena", "MatchSeeded")),
      },
    };
  },
};

/** Too late a draw is not refused: it lets the match expire. */
const drawn = (id, seeded) =>
  seeded
    ? {
        text: `Match ${id} has the seed ${seeded.battleSeed}. It can be recorded until ${told(seeded.recordUntil, "time")}.`,
        links: [toMatch(id), [`#/act/record?match=${id}`, "Record it"]],
      }
    : { text: `Match ${id} has expired: its hash was forgotten before the draw was mined.`, links: [toMatch(id)] };

export const expire = {
  name: "expire",
  title: "Let a match expire",
  text: "End a match whose seed nobody drew while the chain knew its hash, or that nobody recorded in time. Anybody may.",
  fields: [matchThatIs("seeded")],
  async plan(chain, account, values) {
    const match = await matchOf(chain, values, ACCEPTED, SEEDED);
    const { id, beastA, beastB, status, recordUntil } = match;
    const { number, time } = await chain.head();
    if (status === SEEDED && BigInt(time) < recordUntil)
      throw new Refusal(`Match ${id} can be recorded until ${told(recordUntil, "time")}.`, "Record it instead.");
    if (status === ACCEPTED && number < lastDraw(match))
      throw new Refusal(`The seed of match ${id} can be drawn up to block ${lastDraw(match)}.`, "Draw it instead.");
    const late =
      status === SEEDED
        ? `nobody recorded it until ${told(recordUntil, "time")}`
        : `nobody drew its seed up to block ${lastDraw(match)}`;
    return {
      facts: [["Why", late]],
      beasts: both(match),
      step: {
        title: `Let match ${id} expire`,
        to: "Arena",
        call: "expire",
        args: [id],
        note: "Nobody is paid for it and nobody loses anything; the beasts can fight anew.",
        done: () => ({
          text: `Match ${id} has expired.`,
          links: [toMatch(id), [`#/act/challenge?beast=${beastA}&opponent=${beastB}`, "Challenge anew"]],
        }),
      },
    };
  },
};

export const settle = {
  name: "settle",
  title: "Finalize a match",
  text: "Make a record final that nobody has shown wrong in time: both owners' rewards are earned, the reporter's bond goes back. Anybody may.",
  fields: [matchThatIs("recorded")],
  async plan(chain, account, values) {
    const [match, { time }] = await Promise.all([matchOf(chain, values, RECORDED), chain.head()]);
    const { id, finalAt, bond, reporter, result } = match;
    if (BigInt(time) < finalAt) throw new Refusal(`Match ${id} can be disproved until ${told(finalAt, "time")}.`);
    return {
      facts: [
        ["Recorded", RESULTS[result]],
        ["The bond goes back to the reporter", energy(bond)],
        ["Who is", hex(reporter)],
      ],
      beasts: both(match),
      step: {
        title: `Make match ${id} final`,
        to: "Arena",
        call: "finalize",
        args: [id],
        note: "What the owners are credited follows from the season, their beasts' cooldowns and caps.",
        done: (logs) => {
          const { rewardA, rewardB } = logs("Arena", "MatchFinalized");
          return {
            text: [`Match ${id} is final: `, energy(rewardA), " to A's owner, ", energy(rewardB), " to B's."],
            links: [toMatch(id), CLAIM],
          };
        },
      },
    };
  },
};
