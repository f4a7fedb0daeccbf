// The verdict on a record: verified when all is right, else the first difference; test_kernel.py writes a match.
import assert from "node:assert/strict";
import test from "node:test";

import { concat, fromHex, toHex } from "../../backend/api/page/kernel/bytes.js";
import { DEFAULT_RULES } from "../../backend/api/page/kernel/combat.js";
import { verify } from "../../backend/api/page/verify.js";
import { KERNEL, answers, bout as c, serve } from "./served.mjs";

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

async function judge(changes = {}, served = answers(), kernel = KERNEL) {
  serve(served);
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
