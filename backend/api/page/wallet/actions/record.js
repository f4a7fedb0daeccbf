// Recording a match: fought by the page's own kernel, from what the reader's node says of it, and bonded.
import { Difference } from "../../brains.js";
import { toBig, toHex } from "../../kernel/bytes.js";
import { merkleRoot } from "../../kernel/merkle.js";
import { fight } from "../../verify.js";
import { Refusal } from "../refusal.js";
import { short, told } from "../units.js";
import { energy, hex } from "../values.js";
import { allowance, deposit } from "./escrow.js";
import { publicationStep } from "./publish.js";
import { RESULTS, SEEDED, both, matchOf, matchThatIs, toMatch } from "./subject.js";

export const record = {
  name: "record",
  title: "Record a match",
  text:
    "State how a seeded match went. Your browser fights it, turn by turn, and publishes the whole course with a bond, which " +
    "comes back once nobody has shown it wrong in time. Anybody may.",
  fields: [matchThatIs("seeded")],
  async plan(chain, account, values) {
    const match = await matchOf(chain, values, SEEDED);
    const { id, season, recordUntil } = match;
    const [{ time }, { recordBond }] = await Promise.all([chain.head(), chain.read("SeasonRegistry", "arena", season)]);
    if (BigInt(time) >= recordUntil)
      throw new Refusal(`Match ${id} could be recorded until ${told(recordUntil, "time")}.`, "It can only expire.");
    const { words, result } = await play(chain, match);
    const root = toHex(merkleRoot(words));
    const facts = [
      ["Fought in your browser", `${RESULTS[result]} after ${words.length} turns`],
      ["Root of its log", hex(root)],
      ["It can be recorded until", told(recordUntil, "time")],
      ["Bond, lost if the record is wrong", energy(recordBond)],
    ];
    const before = (await published(chain, match)) ?? (await bonded(chain, account, recordBond));
    const beasts = both(match);
    if (before) return { facts, beasts, step: before };
    return {
      facts,
      beasts,
      step: {
        title: `Record match ${id}`,
        to: "Arena",
        call: "record",
        args: [id, match.battleSeed, BigInt(result), BigInt(words.length), root, words.map(toBig)],
        note: "It binds your bond: from the arena's escrow, until the record is final.",
        done: (logs) => {
          const { finalAt } = logs("Arena", "MatchRecorded");
          return {
            text: `Match ${id} is recorded: ${RESULTS[result]}. It can be disproved until ${told(finalAt, "time")}.`,
            links: [toMatch(id), [`#/act/settle?match=${id}`, "Make it final then"]],
          };
        },
      },
    };
  },
};

/** The match as this browser fights it. The states alone are the server's, and are held to the chain's hashes. */
async function play(chain, { beastA, beastB, stateA, stateB, season, battleSeed }) {
  const [kernelId, rules, a, b] = await Promise.all([
    chain.read("MatchReferee", "kernelId"),
    chain.read("SeasonRegistry", "rules", season),
    chain.read("Beasts", "birthOf", beastA),
    chain.read("Beasts", "birthOf", beastB),
  ]);
  const numbers = Object.fromEntries(Object.entries(rules).map(([name, value]) => [name, Number(value)]));
  const fighters = { state_a: stateA, state_b: stateB, beast_a: beastA, beast_b: beastB, dna_a: a.dna, dna_b: b.dna };
  try {
    return (await fight({ ...fighters, rules: numbers }, battleSeed, kernelId)).played;
  } catch (error) {
    if (error instanceof Difference) throw new Refusal(error.message, "Nothing is recorded.");
    throw error;
  }
}

/** The step that publishes a state whose publication has grown too old meanwhile; null if both stand. */
async function published(chain, { beastA, beastB, stateA, stateB, season }) {
  const why = { season, margin: 0n, note: "Its publication has grown too old for the match to be recorded." };
  return (await publicationStep(chain, beastA, stateA, why)) ?? publicationStep(chain, beastB, stateB, why);
}

/** The step towards a bond in the arena's escrow; null if it is there. */
async function bonded(chain, account, bond) {
  const [escrow, held, allowed] = await Promise.all([
    chain.read("Arena", "escrowOf", account),
    chain.read("Energy", "balanceOf", account),
    chain.read("Energy", "allowance", account, chain.contracts.of("Arena").address),
  ]);
  const missing = bond - escrow;
  if (missing <= 0n) return null;
  if (held < missing)
    throw new Refusal(
      [
        "A record takes a bond of ",
        energy(bond),
        "; this account has ",
        energy(held),
        ", and ",
        energy(escrow),
        " in the arena's escrow.",
      ],
      "Buy ENERGY first, or let somebody else record it: your reward is the same.",
    );
  if (allowed < missing)
    return allowance(chain, "Arena", missing, {
      title: `Allow the arena to take ${short(missing)} ENERGY`,
      note: "First of three. Exactly what the bond still needs.",
    });
  return deposit("Arena", missing, {
    title: `Put ${short(missing)} ENERGY into the arena's escrow`,
    note: "Second of three. What no record binds can be taken out again: Claim.",
  });
}
