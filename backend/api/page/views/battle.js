// One match: fought again in this browser, compared with the record, and shown turn by turn; one that nobody has
// recorded is fought here first.
import { Problem, get } from "../api.js";
import { record } from "../battle/record.js";
import { seal } from "../battle/seal.js";
import { seedOf } from "../battle/seed.js";
import { colours, face } from "../beastly.js";
import { Difference } from "../brains.js";
import { camelRules } from "../case/rules.js";
import { chainNow } from "../clock.js";
import { h, notice, show } from "../dom.js";
import { fromHex } from "../kernel/bytes.js";
import { nickname } from "../portrait.js";
import { fight, verify } from "../verify.js";
import { WAITS } from "./battles.js";
import { player } from "./player.js";

const NEXT = {
  challenged: (m) => [`chainbeasts battle accept ${m.id}`],
  accepted: (m) => [`chainbeasts battle record ${m.id}`],
  seeded: (m) => [`chainbeasts battle ${m.record_until > chainNow() ? "record" : "expire"} ${m.id}`],
  expired: (m) => [`chainbeasts battle challenge ${m.beast_a} ${m.beast_b}`],
  cancelled: (m) => [`chainbeasts battle challenge ${m.beast_a} ${m.beast_b}`],
};

/** The match's seed as a BigInt, drawn or not; null while no block has it, and where no match will be. */
function seedKnown(m, { addresses }) {
  if (m.battle_seed) return BigInt(m.battle_seed);
  return m.status === "accepted" && m.seed_hash ? seedOf(m.seed_hash, addresses.Arena, m.id) : null;
}

/** A match that nobody has recorded, as this browser fights it; null if it cannot. */
async function premiere(m, seed, kernelId) {
  const checks = [];
  try {
    const fought = await fight(m, seed, kernelId, (check) => checks.push(check));
    return { verdict: "premiere", checks, ...fought };
  } catch (error) {
    if (error instanceof Difference || error instanceof RangeError)
      return { verdict: "not verified", reason: error.message, checks, played: null, brains: null };
    if (error instanceof Problem)
      return { verdict: "unavailable", reason: error.message, checks, played: null, brains: null };
    throw error;
  }
}

/** What is known of a match: an outcome with the match to be shown and its seed; null if there is nothing to show. */
async function find(m, status) {
  const seed = ["cancelled", "expired"].includes(m.status) ? null : seedKnown(m, status);
  if (seed === null) return null;
  if (!m.log.length) {
    const outcome = await premiere(m, seed, status.kernel_id);
    return { ...outcome, seed, shown: outcome.played };
  }
  const outcome = await verify(m, status.kernel_id);
  const log = m.log.map(fromHex);
  const told = { words: log.slice(0, -1), thoughts: [], last: log.at(-1), result: null };
  return { ...outcome, seed, shown: outcome.played ?? told };
}

/** What makes one match of two answers: as long as it stays, so does its course. */
const nature = (m, seed) => [m.state_a, m.state_b, String(seed), JSON.stringify(m.rules)].join();

/** Names for both, told apart even if they are the same. */
function namesOf(dnaA, dnaB) {
  const names = { a: nickname(dnaA), b: nickname(dnaB) };
  if (names.a === names.b) for (const side of ["a", "b"]) names[side] += ` (${side.toUpperCase()})`;
  return names;
}

/** A fighter in the title, as a link to its view. */
const named = (id, dna, name) =>
  h(
    "a",
    { href: `#/beasts/${id}`, title: `${name}, beast ${id}`, vars: colours(dna) },
    h("span", { class: "token", "aria-hidden": "true" }, face(dna, id)),
    name,
  );

function title(m, names) {
  return h(
    "header",
    { class: "bout-title" },
    h(
      "h1",
      {},
      named(m.beast_a, m.dna_a, names.a),
      h("em", {}, " vs "),
      named(m.beast_b, m.dna_b, names.b),
      h("small", {}, ` match ${m.id}`),
    ),
    h("a", { class: "whole", href: `#/battles/${m.id}`, target: "_blank", rel: "noopener" }, "The whole story"),
  );
}

export async function render(place, { id, query, signal, status, retitle, setQuery, onNews }) {
  const path = `/v1/matches/${encodeURIComponent(id)}`;
  const m = await get(path, signal);
  const [dnaA, dnaB] = [fromHex(m.dna_a), fromHex(m.dna_b)];
  const names = namesOf(dnaA, dnaB);
  retitle(`${names.a} vs ${names.b}`);
  const sealed = h("div", {}, seal({ verdict: "checking" }, m));
  const recorded = h("div", {}, record(m));
  const room = h("div", { class: "player room" });
  show(place, title(m, names), sealed, room, recorded);
  const found = await find(m, status());
  if (signal.aborted) return; // the reader has left: the address is another view's
  if (!found) {
    const next = NEXT[m.status]?.(m) ?? [];
    const say =
      m.status === "challenged"
        ? "It will be fought here as soon as it is accepted. What can be done next:"
        : "What can be done next:";
    show(sealed, notice(`This match ${WAITS[m.status]}`, next.length ? say : "", next));
    room.remove();
  } else {
    show(sealed, seal(found, m));
    if (!found.shown) room.remove();
    else
      room.replaceWith(
        player({
          fighters: {
            a: { beast: m.beast_a, dna: dnaA, name: names.a },
            b: { beast: m.beast_b, dna: dnaB, name: names.b },
          },
          match: found.shown,
          brains: found.brains,
          battleSeed: found.seed,
          rules: m.rules && camelRules(m.rules),
          start: query.has("turn") ? Number(query.get("turn")) || 0 : found.verdict === "premiere" ? null : 0,
          veiled: found.verdict === "premiere" && !query.has("turn"),
          setQuery,
          link: (turn) => new URL(`#/battles/${m.id}${turn ? `?turn=${turn}` : ""}`, location.href).href,
          signal,
        }),
      );
  }

  onNews(async () => {
    const now = await get(path, signal);
    const seed = seedKnown(now, status());
    if (!found?.played || seed === null || nature(now, seed) !== nature(m, found.seed)) return false;
    const outcome = await find(now, status());
    if (!outcome?.played) return false;
    show(sealed, seal(outcome, now));
    show(recorded, record(now));
  }, [`match:${m.id}`]);
}
