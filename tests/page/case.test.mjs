// A disputed window computed again: segments agreed and wrong, and what was done instead; test_kernel.py writes the opening.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { findCause, otherLabels } from "../../backend/api/page/case/cause.js";
import { openRecords } from "../../backend/api/page/case/records.js";
import { Uncomputable, parentOf, recordsOf, replay } from "../../backend/api/page/case/replay.js";
import { examine } from "../../backend/api/page/case/examine.js";
import { fromHex, toHex } from "../../backend/api/page/kernel/bytes.js";
import { DEFAULT_RULES } from "../../backend/api/page/kernel/combat.js";
import { label } from "../../backend/api/page/kernel/labels.js";
import { readTables } from "../../backend/api/page/kernel/tables.js";
import { SEGMENTS, hashOf, learn, openWindow, stepWindow, writeState } from "../../backend/api/page/kernel/window.js";
import { sample } from "../../backend/api/page/kernel/sources.js";

const read = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf-8"));
const { opening } = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf-8"));
const tables = readTables(read("backend/kernel/tables.json"));
const vector = read("docs/spec/vectors/windows.json").cases[0];
const LIE_STEP = 77;
const WRONG = 9;

/** The first window of a vector's beast, as its trainer claims it: right, or with `lie(state, step)` after each step. */
function jobWith({ lie = null, heads = vector.windows[0].heads, published = true } = {}) {
  const w = vector.windows[0];
  const job = {
    beastId: BigInt(vector.beastId),
    index: 0,
    mask: w.mask,
    parentHash: null,
    parent: null,
    records: null,
    posted: [],
    published: null,
    context: {
      dna: fromHex(vector.dna),
      epochSeed: fromHex(w.epochSeed),
      heads,
      lrShift: w.lrShift,
      source: 0,
      rules: { ...DEFAULT_RULES, selfPlayWords: 2 },
      secretFold: 0n,
      length: 0,
    },
  };
  const { state: parent, hash } = parentOf(job, tables);
  const state = openWindow(parent, job.mask, hash);
  const posted = [];
  for (let step = 0; step < 128; step++) {
    if (!lie?.instead?.(job, state, step)) stepWindow(job.context, state, tables, recordsOf(job));
    lie?.after?.(state, step);
    if (step % 8 === 7) posted.push(toHex(hashOf(state, tables)));
  }
  const { globalStep, mask, windowLoss } = state.header;
  return {
    ...job,
    posted,
    published: published ? writeState(state) : null,
    claim: { h128: posted[SEGMENTS - 1], globalStep, mask, windowLoss },
  };
}

test("a right window is agreed on to its end", () => {
  const found = replay(jobWith(), tables);
  assert.deepEqual(found.segments, vector.windows[0].segments);
  assert.deepEqual([found.right, found.wrong, found.lie, found.reason], [true, null, null, "recomputed, same hash"]);
});

test("a changed weight is named with its step, from the published end, however slow the machine is", (context) => {
  let hours = 0;
  context.mock.method(performance, "now", () => (hours += 3_600_000));
  const weight = 12_345;
  const lie = { after: (state, step) => step === LIE_STEP && (state.weights[weight] += 9) };
  const job = jobWith({ lie });
  const found = replay(job, tables);
  assert.deepEqual([found.right, found.wrong], [false, WRONG]);
  const cause = findCause(job, found, tables);
  assert.deepEqual([cause.kind, cause.weight], ["weight", weight]);
  assert.ok(cause.step <= LIE_STEP && LIE_STEP <= cause.last, `${cause.step} to ${cause.last}`);
  const apart = cause.claimed.map((claimed, i) => claimed - cause.computed[i]);
  assert.deepEqual(
    [...apart.entries()].filter(([, by]) => by),
    [[weight, 9]],
  );
});

test("a changed weight is named that training moved far after the change", () => {
  const [weight, by] = [16_576, 1_500]; // of a move's logit; 81 less of it are left at the end
  const job = jobWith({
    heads: 1,
    lie: { after: (state, step) => step === LIE_STEP && (state.weights[weight] += by) },
  });
  const cause = findCause(job, replay(job, tables), tables);
  assert.deepEqual([cause?.kind, cause?.weight], ["weight", weight]);
  assert.ok(cause.step <= LIE_STEP && LIE_STEP <= cause.last, `${cause.step} to ${cause.last}`);
  assert.equal(cause.claimed[weight] - cause.computed[weight], by);
});

test("a wrong label is named, right and wrong, without the published end", () => {
  const taught = (job, state) => {
    const word = sample(job.context, state.header, tables.terrains, null);
    const right = label(word, job.context.rules);
    return { word, right, wrong: { ...right, block: 1 - right.block } };
  };
  let said = null;
  const lie = {
    instead(job, state, step) {
      if (step !== LIE_STEP) return false;
      said = taught(job, state);
      learn(job.context, state, said.word, tables.exp, said.wrong);
      return true;
    },
  };
  const job = jobWith({ lie, heads: 7, published: false });
  const found = replay(job, tables);
  const cause = findCause(job, found, tables);
  assert.deepEqual([found.wrong, cause.kind, cause.step], [WRONG, "label", LIE_STEP]);
  assert.deepEqual([cause.right, cause.wrong], [said.right, said.wrong]);
  assert.ok(cause.claimed.some((weight, i) => weight !== cause.computed[i]));
});

test("another sample is named by its step, and null where nothing fits", () => {
  const lie = {
    instead(job, state, step) {
      if (step !== LIE_STEP) return false;
      const word = sample(job.context, { ...state.header, globalStep: step - 3 }, tables.terrains, null);
      learn(job.context, state, word, tables.exp);
      return true;
    },
  };
  const job = jobWith({ lie, published: false });
  const found = replay(job, tables);
  const cause = findCause(job, found, tables);
  assert.deepEqual([cause.kind, cause.step, cause.name], ["sample", LIE_STEP, `the sample of step ${LIE_STEP - 3}`]);
  const posted = job.posted.with(WRONG, `0x${"ab".repeat(32)}`);
  assert.equal(findCause({ ...job, posted }, found, tables), null);
});

test("a header that contradicts the payload is a lie although every weight is right", () => {
  const job = jobWith();
  const found = replay({ ...job, claim: { ...job.claim, windowLoss: job.claim.windowLoss - 1 } }, tables);
  assert.deepEqual([found.right, found.wrong], [false, null]);
  assert.equal(
    found.reason,
    `the state's window loss is ${job.claim.windowLoss}, the payload claims ${job.claim.windowLoss - 1}`,
  );
});

test("what is not what its hash says is not computed from", () => {
  const job = jobWith();
  const other = writeState(replay(job, tables).before);
  other[other.length - 1] ^= 1;
  for (const wrong of [
    { parent: other, parentHash: new Uint8Array(32) },
    { published: other },
    { published: other.slice(1) },
  ])
    assert.throws(() => replay({ ...job, ...wrong }, tables), Uncomputable);
  assert.throws(() => replay({ ...job, mask: 0 }, tables), Uncomputable);
  const told = [];
  examine({ ...job, mask: 0 }, tables, (message) => told.push(message.kind));
  assert.deepEqual(told, ["uncomputable"]);
});

test("what the worker tells, in its order", () => {
  const told = [];
  const lie = { after: (state, step) => step === LIE_STEP && (state.weights[100] += 50) };
  examine(jobWith({ lie }), tables, (message) => told.push(message));
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ["replayed", "steps", "cause"],
  );
  assert.deepEqual([told[1].first, told[1].steps.length, told[2].cause.kind], [8 * WRONG, 8, "weight"]);
});

test("labels that differ in one head come before those that differ in more", () => {
  const right = { move: 2, attack: 0, block: 1 };
  const found = otherLabels(right, 7);
  assert.equal(found.length, 5 * 16 * 2 - 1);
  const differs = found.map(
    (wrong) => ["move", "attack", "block"].filter((head) => wrong[head] !== right[head]).length,
  );
  assert.deepEqual(differs, [...differs].sort());
  assert.equal(otherLabels(right, 1).length, 4);
});

test("opened records are those that the steps sample, under the committed root", () => {
  const bytes = (list) => list.map(fromHex);
  const committed = {
    secret: fromHex(opening.secret),
    secretHash: fromHex(opening.secret_hash),
    root: fromHex(opening.root),
    length: opening.length,
  };
  const given = { order: opening.order, words: bytes(opening.words), siblings: bytes(opening.siblings) };
  const place = { dna: fromHex(opening.dna), index: opening.index };
  const { records } = openRecords(committed, given, place);
  assert.deepEqual(
    [...records].map(([index, word]) => [index, toHex(word)]),
    opening.records,
  );
  const refused = [
    [{ ...committed, secret: new Uint8Array(32) }, given, place],
    [{ ...committed, root: new Uint8Array(32) }, given, place],
    [committed, { ...given, order: [...given.order.slice(1), given.order[0]] }, place],
    [committed, { ...given, words: given.words.slice(1) }, place],
    [committed, { ...given, siblings: given.siblings.slice(1) }, place],
    [committed, { ...given, siblings: [...given.siblings, new Uint8Array(32)] }, place],
    [committed, given, { ...place, index: place.index + 1 }],
  ];
  for (const one of refused) assert.throws(() => openRecords(...one), Uncomputable);
});
