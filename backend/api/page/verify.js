// Fights a recorded match again, here, and says whether the record tells the same. What it is given is the chain's
// side: DNAs, state hashes, seed, rules, result, Merkle root, and the log that the reporter published.
import { get, Problem } from "./api.js";
import { Difference, openState, servedState } from "./brains.js";
import { camelRules } from "./case/rules.js";
import { equal, fromHex, toHex } from "./kernel/bytes.js";
import { RESULTS, playMatch, think } from "./kernel/match.js";
import { merkleRoot } from "./kernel/merkle.js";
import { VERSION, readTables } from "./kernel/tables.js";

let tables = null;

/** The kernel's tables, fetched once; a failure is not kept, so the next who asks may have them. */
export async function loadTables() {
  tables ??= get("/kernel/tables.json")
    .then(readTables)
    .catch((error) => {
      tables = null;
      throw error;
    });
  return tables;
}

const RESULT_NAMES = { A: "A won", B: "B won", draw: "nobody won" };

/** The encoded states of A and B; a Problem that says whose is missing. */
async function fetchStates({ state_a, state_b }) {
  const fetched = async (hash, side) => {
    try {
      return await servedState(hash);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      throw new Problem(
        error.status,
        `The state that ${side} fought with cannot be fetched. ${error.message}`,
        error.hint,
      );
    }
  };
  return Promise.all([fetched(state_a, "A"), fetched(state_b, "B")]);
}

/**
 * Fight a match whose seed is known, whether or not anybody has recorded it.
 * @param match the API's MatchDetail, of which states, DNAs and rules are used
 * @param battleSeed a BigInt
 * @param check called with what was established, one sentence each
 * @returns {{played, brains}} the match as this browser fought it, and the two brains; throws a Difference, or a Problem
 *   if a state is missing
 */
export async function fight(match, battleSeed, kernelId, check = () => {}) {
  const { terrains, kernelId: own, former } = await loadTables();
  if (toHex(own) !== kernelId) {
    const known = former(kernelId);
    throw new Difference(
      `The contracts have another kernel${known ? `, ${known}` : ""}; this page has ${VERSION} and fights no match of theirs.`,
    );
  }
  check("kernel: the same tables as the contracts");
  const [a, b] = await fetchStates(match);
  const brains = {
    a: openState(own, a, match.state_a, match.beast_a, "A"),
    b: openState(own, b, match.state_b, match.beast_b, "B"),
  };
  check("states: both hash to what the chain names");
  const setup = { dnaA: fromHex(match.dna_a), dnaB: fromHex(match.dna_b), battleSeed, rules: camelRules(match.rules) };
  const played = playMatch(terrains, setup, (word, aActs) => think(aActs ? brains.a : brains.b, word));
  return { played, brains };
}

/**
 * Play a recorded match again and compare.
 * @param match the API's MatchDetail of a recorded or final match
 * @param kernelId the kernel's id as the deployment has it, in hex
 * @returns {{verdict, reason, checks, played, brains}} verdict "verified", "not verified" or "unavailable"; `reason` is
 *   the first difference or what is missing; `checks` lists what held; `played` is the own match and `brains` are those
 *   that fought it, null if it could not be played
 */
export async function verify(match, kernelId) {
  const checks = [];
  let fought = { played: null, brains: null };
  const done = (verdict, reason = "") => ({ verdict, reason, checks, ...fought });
  try {
    fought = await fight(match, BigInt(match.battle_seed), kernelId, (check) => checks.push(check));
    compare(match, fought.played, must);
    return done("verified");
  } catch (error) {
    if (error instanceof Difference || error instanceof RangeError) return done("not verified", error.message);
    if (error instanceof Problem) return done("unavailable", error.message);
    throw error;
  }

  function must(holds, difference, check) {
    if (!holds) throw new Difference(difference);
    checks.push(check);
  }
}

function compare(match, { words, result }, must) {
  const log = match.log.map(fromHex);
  const shared = Math.min(words.length, log.length);
  for (let turn = 0; turn < shared; turn++) {
    if (!equal(words[turn], log[turn]))
      throw new Difference(
        `The log differs in turn ${turn}: it says ${match.log[turn]}, the beasts' own play gives ${toHex(words[turn])}.`,
      );
  }
  must(
    log.length === words.length,
    `The log has ${log.length} turns, the beasts' own play ends after ${words.length}.`,
    `log: all ${words.length} words are the beasts' own play`,
  );
  must(
    match.turns === words.length,
    `The record says ${match.turns} turns, it was ${words.length}.`,
    `turns: ${words.length}`,
  );
  const [said, was] = [match.result, RESULTS[result].toLowerCase()];
  must(said === was, `The record says that ${outcome(said)}; it was: ${outcome(was)}.`, `result: ${outcome(was)}`);
  const root = toHex(merkleRoot(words));
  must(
    root === match.log_root,
    `The Merkle root of this match is ${root}, the chain has ${match.log_root}.`,
    "Merkle root: the chain's",
  );
}

const outcome = (result) => RESULT_NAMES[result === "draw" ? "draw" : result.toUpperCase()];
