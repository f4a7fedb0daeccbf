// Where a dispute stands, what each end pays, and what is said of segments; amounts are those of the specification's
// example (docs/spec/protocol.md §8).
import assert from "node:assert/strict";
import test from "node:test";

import { actualFlows, possibleEnds } from "../../backend/api/page/case/ends.js";
import { layout } from "../../backend/api/page/case/money.js";
import { differences, headOf, labelText, weightName } from "../../backend/api/page/case/steps.js";
import { kindsOf, verdict } from "../../backend/api/page/case/strip.js";
import { phaseOf, sentence } from "../../backend/api/page/case/turn.js";

/** "0.064" as wei. */
const wei = (text) => {
  const [whole, rest = ""] = text.split(".");
  return BigInt(whole + rest.padEnd(18, "0"));
};
const PAID = "0.00385328";
const OPENING = "0.01597472";

const owed = (name, paid = "0") => ({ opening: name, made: paid !== "0", paid: String(wei(paid)), waiting: "0" });
const dispute = (more = {}) => ({
  open: true,
  status: "filed",
  missing: ["segments", "state", "records"],
  openings: ["segments", "state", "records"].map((name) => owed(name)),
  bond: String(wei("0.256")),
  opening_bond: String(wei(OPENING)),
  opening_surplus: "0",
  response_deadline: 100,
  head_start_end: null,
  proof_deadline: null,
  checkpoint: { state: "disputed" },
  ...more,
});
const opened = dispute({
  status: "opened",
  missing: [],
  openings: [owed("segments", PAID), owed("state"), owed("records")],
  head_start_end: 150,
  proof_deadline: 300,
});
const risk = (debts) => ({
  lock: String(wei("0.64")),
  own_lock: String(wei("0.64")),
  stake: String(wei("0.07")),
  debts: String(wei(debts)),
  filing_bps: 1000,
  proof_bps: 3000,
});
const end = (name, d, r) => possibleEnds(d, r).find((one) => one.name === name);

/** What `to` gets out of a pot, as the specification writes it. */
const got = ({ flows }, pot, to) =>
  flows.filter((one) => one.pot === pot && one.to === to).map((one) => String(one.wei));
const weis = (...texts) => texts.map((text) => String(wei(text)));

test("silence pays the filer both shares, and half of everything burns", () => {
  const silence = end("timeout", dispute(), risk("0"));
  assert.deepEqual(got(silence, "lock", "filer"), weis("0.064", "0.192"));
  assert.deepEqual(got(silence, "lock", "burned"), weis("0.384"));
  assert.deepEqual(got(silence, "stake", "filer"), weis("0.007", "0.021"));
  assert.deepEqual(got(silence, "stake", "burned"), weis("0.042"));
  assert.deepEqual(got(silence, "opening", "filer"), weis(OPENING));
  assert.deepEqual(got(silence, "bond", "filer"), weis("0.256"));
});

test("a proof repays openings out of the stake first", () => {
  const proved = end("proved", opened, risk(PAID));
  assert.deepEqual(got(proved, "stake", "filers"), weis(PAID));
  assert.deepEqual(got(proved, "stake", "filer"), weis("0.006614672"));
  assert.deepEqual(got(proved, "stake", "prover"), weis("0.019844016"));
  assert.deepEqual(got(proved, "stake", "burned"), weis("0.039688032"));
  assert.equal(wei(OPENING) - BigInt(got(proved, "opening", "filer")[0]), wei(PAID));
  assert.equal(end("timeout", opened, risk(PAID)), undefined);
});

test("a right window costs its filer the bond and what openings took", () => {
  const dismissed = end("dismissed", opened, risk(PAID));
  assert.deepEqual(got(dismissed, "bond", "burned"), weis("0.256"));
  assert.equal(wei(OPENING) - BigInt(got(dismissed, "opening", "filer")[0]), wei(PAID));
  assert.deepEqual(got(dismissed, "lock", "stays"), weis("0.64"));
});

test("of a surplus as much burns as openings took, at most what they left of it", () => {
  const waits = [{ ...owed("segments", "0.01"), waiting: String(wei("0.01")) }];
  const burned = (surplus) => {
    const d = dispute({ missing: [], openings: waits, opening_surplus: String(wei(surplus)) });
    const dismissed = end("dismissed", d, risk("0"));
    assert.deepEqual(got(dismissed, "opening", "trainer"), weis("0.01"));
    return [got(dismissed, "opening", "filer"), got(dismissed, "opening", "burned")];
  };
  assert.deepEqual(burned("0.02"), [[], weis(OPENING)]);
  assert.deepEqual(burned("0.04"), [weis("0.01597472"), weis("0.02")]);
});

test("at every end each pot is given away whole", () => {
  const held = { bond: wei("0.256"), lock: wei("0.64"), stake: wei("0.07"), opening: wei(OPENING) };
  for (const [d, r, paid] of [
    [dispute(), risk("0"), 0n],
    [opened, risk(PAID), wei(PAID)],
  ])
    for (const { name, flows } of possibleEnds(d, r))
      for (const [pot, all] of Object.entries(held)) {
        if (name === "voided" && pot === "stake") continue; // it is not at risk in this dispute
        const sum = flows.filter((one) => one.pot === pot).reduce((total, one) => total + one.wei, 0n);
        assert.equal(sum, pot === "opening" ? all - paid : all, `${name}: ${pot}`);
      }
});

test("what an ended dispute paid is what its answer says", () => {
  const shares = { filing: "1", proof: "3", burned: "6" };
  const flows = actualFlows({
    bond: "9",
    bond_outcome: "returned",
    step_pay: "0",
    slashing: {
      filer: "a",
      prover: "b",
      energy: { taken: "10", ...shares },
      stake: { taken: "12", debts: "2", ...shares },
      reward: "held",
    },
    opening_outcome: { returned: "5", kept: "0", burned: "0" },
  });
  const said = flows.map(({ pot, to, wei: amount }) => [pot, to, Number(amount)]);
  assert.deepEqual(said, [
    ["bond", "filer", 9],
    ["lock", "filer", 1],
    ["lock", "prover", 3],
    ["lock", "burned", 6],
    ["stake", "filer", 1],
    ["stake", "prover", 3],
    ["stake", "filers", 2],
    ["stake", "burned", 6],
    ["opening", "filer", 5],
  ]);
  const proven = { bond: "9", bond_outcome: "burned", step_pay: "4", slashing: null, opening_outcome: null };
  assert.deepEqual(
    actualFlows(proven).map(({ to, wei: amount }) => [to, Number(amount)]),
    [
      ["steps", 4],
      ["burned", 5],
    ],
  );
});

test("the diagram draws every share to the measure of its pot", () => {
  const { left, right, bands } = layout(end("proved", opened, risk(PAID)).flows);
  assert.deepEqual(
    left.map(({ name }) => name),
    ["bond", "opening", "lock", "stake"],
  );
  for (const { name } of left) {
    const height = bands.filter(({ pot }) => pot === name).reduce((all, band) => all + band.height, 0);
    assert.ok(Math.abs(height - 46) < 0.01, name);
  }
  const tops = right.map(({ top }) => top);
  assert.deepEqual(
    tops,
    [...tops].sort((a, b) => a - b),
  );
});

test("whose move it is follows the chain's clock to the second", () => {
  assert.deepEqual(
    [100, 101].map((now) => phaseOf(dispute(), now)),
    ["openings", "missed"],
  );
  assert.deepEqual(
    [150, 151, 300, 301].map((now) => phaseOf(opened, now)),
    ["head_start", "proofs", "proofs", "dismissible"],
  );
  assert.equal(phaseOf(dispute({ checkpoint: { state: "void" } }), 5), "fallen");
  assert.equal(phaseOf(dispute({ open: false, status: "upheld" }), 5), "upheld");
  assert.equal(sentence(["a", "b", "c"]), "a, b and c");
});

test("a segment is green only where it was computed and the claim is the same", () => {
  const posted = Array.from({ length: 16 }, (_, k) => `p${k}`);
  const claim = { segments: posted, h128: "p15" };
  const none = { segments: [], h128: "p15" };
  const found = (wrong, right = false) => ({ segments: posted, wrong, right, lie: null });
  const tally = (kinds) =>
    Object.fromEntries([...new Set(kinds)].map((k) => [k, kinds.filter((one) => one === k).length]));
  assert.deepEqual(tally(kindsOf(none, null)), { closed: 16 });
  assert.deepEqual(tally(kindsOf(claim, null)), { claimed: 16 });
  assert.deepEqual(tally(kindsOf(claim, null, 0, 4)), { claimed: 15, wrong: 1 });
  assert.deepEqual(tally(kindsOf(claim, null, 20)), { executed: 2, claimed: 14 });
  assert.deepEqual(tally(kindsOf(claim, found(4), 20)), { agreed: 4, wrong: 1, after: 11 });
  assert.deepEqual(tally(kindsOf(claim, found(null, true))), { agreed: 16 });
  assert.deepEqual(tally(kindsOf(none, found(null, true))), { computed: 15, agreed: 1 });
  assert.deepEqual(tally(kindsOf({ ...none, h128: "other" }, found(null))), { computed: 15, wrong: 1 });
  assert.match(verdict(claim, null), /proves nothing/);
  assert.match(verdict(claim, found(4)), /first 4 segments are as claimed; segment 4 \(steps 32 to 39\) is not/);
  assert.match(verdict(claim, found(0)), /Segment 0 \(steps 0 to 7\) is not/);
  assert.match(verdict(claim, { ...found(null), lie: "the state's mask is 1, the payload claims 3" }), /mask is 1/);
  assert.match(verdict(none, found(null)), /another state/);
});

test("weights have their places' names, and those that differ most come first", () => {
  assert.equal(weightName(0), "W1[0][0]");
  assert.equal(weightName(4095), "W1[31][127]");
  assert.equal(weightName(4096), "W2[0][0]");
  assert.equal(weightName(16_895), "W4[63][7]");
  assert.deepEqual([headOf(16_384 + 4), headOf(16_384 + 3), headOf(5)], ["attack", "move west", null]);
  const states = { before: [1, 1, 1], computed: [1, 2, 3], claimed: [1, 4, -5] };
  assert.deepEqual(
    differences(states).map(({ index }) => index),
    [2, 1],
  );
  assert.equal(labelText({ move: null, attack: 3, block: 1 }, 3), "move none, attack 3");
  assert.equal(labelText(null), "none: a null step");
});
