// What the page would have signed as a match's record: the reference's own match, bonded from the arena's escrow.
// test_kernel.py writes a match.
import assert from "node:assert/strict";
import test from "node:test";

import { fromHex } from "../../backend/api/page/kernel/bytes.js";
import { DEFAULT_RULES } from "../../backend/api/page/kernel/combat.js";
import { record } from "../../backend/api/page/wallet/actions/record.js";
import { Refusal } from "../../backend/api/page/wallet/refusal.js";
import { plain } from "../../backend/api/page/wallet/values.js";
import { KERNEL, answers, bout, serve } from "./served.mjs";

const ARENA = "0x" + "a1".repeat(20);
const NOW = 1_000_000;
const BOND = 20n;
const big = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, BigInt(value)]));

/** The node's word on the match, on the reporter's ENERGY, and on when the states were published. */
function plan({ escrow = BOND, held = 0n, allowed = 0n, published = NOW, kernel = KERNEL } = {}, served = answers()) {
  serve(served);
  const match = { status: 3n, season: 1n, beastA: 1n, beastB: 2n, recordUntil: BigInt(NOW + 1) };
  const [stateA, stateB] = bout.hashes;
  const values = {
    matchOf: () => ({ ...match, stateA, stateB, battleSeed: BigInt(bout.battleSeed) }),
    arena: () => ({ recordBond: BOND }),
    rules: () => big(DEFAULT_RULES),
    economics: () => ({ publicationAge: 60n }),
    publicationOf: () => ({ time: BigInt(published) }),
    birthOf: (beast) => ({ dna: beast === 1n ? bout.dnaA : bout.dnaB }),
    kernelId: () => kernel,
    escrowOf: () => escrow,
    balanceOf: () => held,
    allowance: () => allowed,
  };
  const chain = {
    contracts: { of: () => ({ address: ARENA }) },
    head: async () => ({ number: 1, time: NOW }),
    read: async (contract, name, ...given) => values[name](...given),
  };
  return record.plan(chain, "0x", { match: "7" });
}

const refused = (message, ...given) =>
  assert.rejects(plan(...given), (error) => error instanceof Refusal && message.test(error.message));

test("with the bond in escrow the record is the reference's match, word for word", async () => {
  const { step } = await plan();
  const [turns, words] = [BigInt(bout.words.length), bout.words.map(BigInt)];
  assert.deepEqual([step.to, step.call], ["Arena", "record"]);
  assert.deepEqual(step.args, [7n, BigInt(bout.battleSeed), BigInt(bout.result), turns, bout.logRoot, words]);
});

test("of the bond exactly what is missing is allowed, then deposited", async () => {
  const first = await plan({ escrow: 3n, held: 17n });
  assert.deepEqual([first.step.to, first.step.call, first.step.args], ["Energy", "approve", [ARENA, 17n]]);
  const second = await plan({ escrow: 3n, held: 17n, allowed: 17n });
  assert.deepEqual([second.step.to, second.step.call, second.step.args], ["Arena", "deposit", [17n]]);
  await refused(/takes a bond of/, { escrow: 3n, held: 16n, allowed: 17n });
});

test("a state whose publication is too old for the record is published again first", async () => {
  assert.equal((await plan({ published: NOW - 60 })).step.call, "record");
  const { step } = await plan({ published: NOW - 61 });
  assert.deepEqual([step.to, step.call], ["StateArchive", "publish"]);
  assert.equal(step.args[0].beastId, 1n);
  assert.equal(step.check(bout.hashes[0]), null);
  assert.match(plain(step.check(bout.hashes[1])), /has the hash/);
});

test("nothing is recorded of another state, nor under another kernel", async () => {
  const changed = fromHex(bout.stateA);
  changed[changed.length - 1] ^= 1;
  await refused(/has the hash/, {}, answers(changed));
  await refused(/another kernel/, { kernel: "0x" + "00".repeat(32) });
});
