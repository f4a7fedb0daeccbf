// When the next step of a match or a hatch is offered, and what is said where it is not: to the block and to the second.
import assert from "node:assert/strict";
import test from "node:test";

import { cancel } from "../../backend/api/page/wallet/actions/arena.js";
import { hatch } from "../../backend/api/page/wallet/actions/hatch.js";
import { draw, expire, settle } from "../../backend/api/page/wallet/actions/match.js";
import { record } from "../../backend/api/page/wallet/actions/record.js";
import { WalletError } from "../../backend/api/page/wallet/provider.js";
import { Refusal } from "../../backend/api/page/wallet/refusal.js";
import { seedOf } from "../../backend/api/page/battle/seed.js";

const ARENA = "0x" + "a1".repeat(20);
const HASH = "0x" + "5e".repeat(32);
const SEED_BLOCK = 100n;
const LAST_DRAW = 100 + 8191;
const [CHALLENGED, ACCEPTED, SEEDED, RECORDED, FINAL] = [1n, 2n, 3n, 4n, 5n];

/** A node with one match, and its newest block. */
function chainOf(match, head) {
  const values = {
    matchOf: { beastA: 1n, beastB: 2n, seedBlock: SEED_BLOCK, recordUntil: 0n, finalAt: 0n, season: 1n, ...match },
    arena: { recordBond: 1n },
    requestOf: { requester: ARENA, requestBlock: SEED_BLOCK },
  };
  return {
    contracts: { of: () => ({ address: ARENA }) },
    head: async () => ({ number: 0, time: 0, ...head }),
    hashOf: async (block) => (block === Number(SEED_BLOCK) ? HASH : null),
    read: async (contract, name) => values[name],
  };
}

const plan = (action, match, head) => action.plan(chainOf(match, head), "0x", { match: "7" });

test("a hatch that was asked for comes with the next block, and lapses with its block's hash", async () => {
  const asked = (number) => hatch.plan(chainOf({}, { number }), "0x", { beast: "3" });
  assert.match((await asked(100)).wait, /next block/);
  for (const number of [101, LAST_DRAW - 1]) assert.equal((await asked(number)).step.call, "hatch");
  await assert.rejects(asked(LAST_DRAW), (error) => error instanceof Refusal && /has lapsed/.test(error.message));
});

/** A chain on which an account has asked for beasts 3 to 5, of which 3 has hatched; `events` may fail. */
function hatchery(events) {
  const asked = [];
  const values = {
    requestOf: { requester: ARENA, requestBlock: 9_000n },
    effectiveSeason: 1n,
    economics: { hatchCost: 1n },
    balanceOf: 1n,
    allowance: 1n,
  };
  const chain = {
    contracts: { of: () => ({ address: ARENA }) },
    head: async () => ({ number: 9_010, time: 0 }),
    read: async (contract, name) => values[name],
    events: async (...given) => (asked.push(given), events(given[2])),
  };
  return { asked, plan: () => hatch.plan(chain, ARENA, { beast: "" }) };
}

test("a hatch goes on with the oldest request of the account that has not hatched, and can still do so", async () => {
  const found = { HatchRequested: [3n, 4n, 5n], Hatched: [3n] };
  const { asked, plan } = hatchery((name) => found[name].map((beastId) => ({ beastId })));
  const { step, facts } = await plan();
  assert.deepEqual([step.call, step.args], ["hatch", [4n]]);
  assert.deepEqual(facts[0], ["Not hatched yet", "beast 4, which you have requested"]);
  assert.deepEqual(asked, [
    [[9_010 - 8_190, 9_010], "Beasts", "HatchRequested", null, ARENA],
    [[9_010 - 8_190, 9_010], "Beasts", "Hatched", null, ARENA],
  ]);
});

test("without such a request, or where the node gives no events, a hatch begins; and the latter is told", async () => {
  const none = await hatchery(() => []).plan();
  assert.deepEqual([none.step.call, none.facts.length], ["requestHatch", 3]);
  const refusing = await hatchery(() => {
    throw new WalletError("eth_getLogs", { message: "range too large" });
  }).plan();
  assert.equal(refusing.step.call, "requestHatch");
  assert.match(refusing.facts[0][1], /does not tell/);
});

const refused = (action, match, head, message) =>
  assert.rejects(plan(action, match, head), (error) => error instanceof Refusal && message.test(error.message));

test("a seed is drawn from the block after its own on, for as long as the chain knows the hash", async () => {
  const match = { status: ACCEPTED };
  assert.match((await plan(draw, match, { number: 100 })).wait, /next block/);
  for (const number of [101, LAST_DRAW - 1]) {
    const { step, facts } = await plan(draw, match, { number });
    assert.deepEqual([step.call, step.args], ["drawSeed", [7n]]);
    assert.deepEqual(facts.at(-1), ["The seed", String(seedOf(HASH, ARENA, 7n))]);
  }
  await refused(draw, match, { number: LAST_DRAW }, /forgotten/); // the next block would be one too late
});

test("a draw that was mined too late is told as what it was", async () => {
  const { step } = await plan(draw, { status: ACCEPTED }, { number: 101 });
  const logs = (found) => (contract, name) => found[name] ?? null;
  assert.match(step.done(logs({ MatchSeeded: { battleSeed: 9n, recordUntil: 60n } })).text, /has the seed 9\./);
  assert.match(step.done(logs({ MatchExpired: { matchId: 7n } })).text, /has expired/);
});

test("a challenge is taken back by who sent it, and only until it is accepted", async () => {
  const { step } = await plan(cancel, { status: CHALLENGED, ownerA: "0x" }, {});
  assert.deepEqual([step.to, step.call, step.args], ["Arena", "cancel", [7n]]);
  await refused(cancel, { status: CHALLENGED, ownerA: ARENA }, {}, /asked for by 0xa1/);
  await refused(cancel, { status: ACCEPTED, ownerA: "0x" }, {}, /Match 7 is accepted/);
});

test("a match expires when neither seed nor record can come any more, and not before", async () => {
  await refused(expire, { status: ACCEPTED }, { number: LAST_DRAW - 1 }, /can be drawn up to block 8291/);
  await refused(expire, { status: SEEDED, recordUntil: 60n }, { time: 59 }, /can be recorded until/);
  for (const [match, head] of [
    [{ status: ACCEPTED }, { number: LAST_DRAW }],
    [{ status: SEEDED, recordUntil: 60n }, { time: 60 }],
  ]) {
    const { step } = await plan(expire, match, head);
    assert.deepEqual([step.call, step.args], ["expire", [7n]]);
  }
});

test("what comes too late or too early, or for a match that stands elsewhere, is refused in words", async () => {
  await refused(record, { status: SEEDED, recordUntil: 60n }, { time: 60 }, /could be recorded until/);
  await refused(settle, { status: RECORDED, finalAt: 60n }, { time: 59 }, /can be disproved until/);
  await refused(record, { status: ACCEPTED }, {}, /Match 7 is accepted/);
  await refused(draw, { status: SEEDED }, {}, /Match 7 is seeded/);
  await refused(expire, { status: FINAL }, {}, /Match 7 is final/);
  await refused(settle, { status: 0n }, {}, /no match 7/);
  await assert.rejects(draw.plan(chainOf({}, {}), "0x", { match: "x" }), /Which match/);
});
