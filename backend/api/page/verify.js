// Fights a recorded match again, here, and says whether the record tells the same. What it is given is the chain's
// side: DNAs, state hashes, seed, rules, result, Merkle root, and the log that the reporter published.
import { bytes, get, Problem } from "./api.js";
import { equal, fromHex, toHex } from "./kernel/bytes.js";
import { RESULTS, playMatch, think } from "./kernel/match.js";
import { merkleRoot } from "./kernel/merkle.js";
import { STATE_BYTES, decodeState, encodeState, stateHash } from "./kernel/state.js";
import { VERSION, readTables } from "./kernel/tables.js";

let tables = null;

/** The kernel's tables, fetched once. */
export async function loadTables() {
  tables ??= get("/kernel/tables.json").then(readTables);
  return tables;
}

/** A difference between what was computed here and what the record says. */
class Difference extends Error {}

const RESULT_NAMES = { A: "A won", B: "B won", draw: "nobody won" };

/** Constants by the specification's names: `damage_k` is `damageK`. */
export function rulesOf(constants) {
  const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(constants).map(([name, value]) => [camel(name), value]));
}

async function fetchState(hash, side) {
  try {
    const [header, weights] = await Promise.all([get(`/v1/states/${hash}`), bytes(`/v1/states/${hash}/weights`)]);
    return encodeState(header, weights);
  } catch (error) {
    if (error instanceof Problem)
      return { missing: `The state that ${side} fought with cannot be fetched. ${error.message}` };
    throw error;
  }
}

function openState(kernelId, encoded, hash, beast, side) {
  if (encoded.length !== STATE_BYTES)
    throw new Difference(
      `What is served as the state of ${side} has ${encoded.length} bytes, a state has ${STATE_BYTES}.`,
    );
  const own = toHex(stateHash(kernelId, encoded));
  if (own !== hash) throw new Difference(`The state served for ${side} has the hash ${own}, the chain names ${hash}.`);
  const state = decodeState(encoded);
  if (state.beastId !== BigInt(beast))
    throw new Difference(`The state of ${side} is beast ${state.beastId}'s, not beast ${beast}'s.`);
  return state;
}

/**
 * Play a recorded match again and compare.
 * @param match the API's MatchDetail of a recorded or final match
 * @param kernelId the kernel's id as the deployment has it, in hex
 * @returns {{verdict, reason, checks, played}} verdict "verified", "not verified" or "unavailable"; `reason` is the first
 *   difference or what is missing; `checks` lists what held; `played` is the own match, null if it could not be played
 */
export async function verify(match, kernelId) {
  const { terrains, kernelId: own, former } = await loadTables();
  const checks = [];
  let played = null;
  const done = (verdict, reason = "") => ({ verdict, reason, checks, played });
  const known = former(kernelId);
  try {
    must(
      toHex(own) === kernelId,
      `The contracts have another kernel${known ? `, ${known}` : ""}; this page has ${VERSION} and fights no match of theirs.`,
      "kernel: the same tables as the contracts",
    );
    const [a, b] = await Promise.all([fetchState(match.state_a, "A"), fetchState(match.state_b, "B")]);
    for (const state of [a, b]) if (state.missing) return done("unavailable", state.missing);
    const brains = [
      openState(own, a, match.state_a, match.beast_a, "A"),
      openState(own, b, match.state_b, match.beast_b, "B"),
    ];
    checks.push("states: both hash to what the chain names");
    const setup = {
      dnaA: fromHex(match.dna_a),
      dnaB: fromHex(match.dna_b),
      battleSeed: BigInt(match.battle_seed),
      rules: rulesOf(match.rules),
    };
    played = playMatch(terrains, setup, (word, aActs) => think(brains[aActs ? 0 : 1], word));
    compare(match, played, must);
    return done("verified");
  } catch (error) {
    if (error instanceof Difference || error instanceof RangeError) return done("not verified", error.message);
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
