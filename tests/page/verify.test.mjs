// The verdict on a record: verified when all is right, else the first difference; test_kernel.py writes a match.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { concat, fromHex, toBig, toHex } from "../../backend/api/page/kernel/bytes.js";
import { DEFAULT_RULES } from "../../backend/api/page/kernel/combat.js";
import { verify } from "../../backend/api/page/verify.js";

const [c] = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf-8")).matches;
const tables = readFileSync(new URL("../../backend/kernel/tables.json", import.meta.url));
const KERNEL = JSON.parse(readFileSync(new URL("../../docs/spec/vectors/features.json", import.meta.url))).kernelId;

/** The id that kernel 1 had in its specification. */
const KERNEL_1 = "0xcb485e445de339c271e4ada837057280e221655ca1c711ecafbe5412b1f803fb";

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const record = {
  beast_a: 1,
  beast_b: 2,
  dna_a: c.dnaA,
  dna_b: c.dnaB,
  state_a: c.hashes[0],
  state_b: c.hashes[1],
  battle_seed: c.battleSeed,
  rules: Object.fromEntries(Object.entries(DEFAULT_RULES).map(([name, value]) => [snake(name), value])),
  log: c.words,
  turns: c.words.length,
  result: ["a", "b", "draw"][c.result],
  log_root: c.logRoot,
};

/** What the server answers with, by address. */
function answers(stateA = fromHex(c.stateA), stateB = fromHex(c.stateB)) {
  const found = { "/kernel/tables.json": tables };
  [stateA, stateB].forEach((state, i) => {
    const word = (k) => state.subarray(32 * k, 32 * k + 32);
    const [beast, , global_step, active_mask, window_loss] = [0, 1, 2, 3, 4].map((k) => toBig(word(k)));
    const header = { beast: String(beast), parent: toHex(word(1)), arena: toHex(word(5)) };
    const numbers = {
      global_step: Number(global_step),
      active_mask: Number(active_mask),
      window_loss: Number(window_loss),
    };
    found[`/v1/states/${c.hashes[i]}`] = JSON.stringify({ ...header, ...numbers });
    found[`/v1/states/${c.hashes[i]}/weights`] = state.slice(192);
  });
  return found;
}

async function judge(changes = {}, served = answers(), kernel = KERNEL) {
  globalThis.fetch = async (path) =>
    new Response(served[path] ?? '{"detail":"There is none.","hint":""}', { status: path in served ? 200 : 404 });
  return verify({ ...record, ...changes }, kernel);
}

async function refuses(reason, ...given) {
  const found = await judge(...given);
  assert.equal(found.verdict, "not verified");
  assert.match(found.reason, reason);
}

const other = (hex) => toHex(fromHex(hex).map((byte, i) => (i === 31 ? byte ^ 1 : byte)));

test("a true record is verified, and says by what", async () => {
  const found = await judge();
  assert.deepEqual([found.verdict, found.reason], ["verified", ""]);
  assert.equal(found.checks.length, 6);
  assert.deepEqual(found.played.words.map(toHex), c.words);
});

test("every lie is named", async () => {
  const n = c.words.length;
  await refuses(/differs in turn 0/, { log: [other(c.words[0]), ...c.words.slice(1)] });
  await refuses(new RegExp(`differs in turn ${n - 1}`), { log: [...c.words.slice(0, -1), other(c.words[n - 1])] });
  await refuses(/play ends after/, { log: c.words.slice(0, -1) });
  await refuses(/play ends after/, { log: [...c.words, c.words[0]] });
  await refuses(/record says .* turns/, { turns: n - 1 });
  await refuses(/record says that/, { result: record.result === "a" ? "b" : "a" });
  await refuses(/Merkle root/, { log_root: other(c.logRoot) });
  await refuses(/differs in turn/, { battle_seed: `0x${(BigInt(c.battleSeed) ^ 1n).toString(16).padStart(16, "0")}` });
  await refuses(/differs in turn 0/, { dna_a: c.dnaB });
  await refuses(/beast 1's, not beast 7's/, { beast_a: 7 });
  await refuses(/another kernel; this page has chainbeasts-kernel-2/, {}, answers(), other(KERNEL));
  await refuses(/another kernel, chainbeasts-kernel-1; this page/, {}, answers(), KERNEL_1);
});

test("a state that is another, or none, is refused", async () => {
  const wrong = fromHex(c.stateB);
  wrong[200] ^= 1;
  await refuses(/served for B has the hash/, {}, answers(fromHex(c.stateA), wrong));
  const right = fromHex(c.stateA);
  for (const bytes of [right.subarray(0, -2), concat(right, [192, 0]), right.subarray(0, 192)])
    await refuses(new RegExp(`the state of A has ${bytes.length} bytes, a state has 33984`), {}, answers(bytes));
});

test("without a state nothing is known", async () => {
  const served = answers();
  delete served[`/v1/states/${c.hashes[1]}/weights`];
  const found = await judge({}, served);
  assert.equal(found.verdict, "unavailable");
  assert.match(found.reason, /B fought with cannot be fetched. There is none./);
  assert.equal(found.played, null);
});
