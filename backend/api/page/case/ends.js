// What each end of a dispute pays to whom (docs/spec/protocol.md §8), and what an end that has come did pay. A flow is
// {pot, coin, to, wei, note}: coin "energy" or "coin", wei a BigInt above 0.
const TEN_THOUSAND = 10_000n;

const sum = (values) => values.reduce((total, value) => total + BigInt(value), 0n);
const most = (a, b) => (a > b ? a : b);
const least = (a, b) => (a < b ? a : b);

/** What lies where, as far as it is known. */
function pots(dispute, risk) {
  const paid = sum(dispute.openings.map((one) => one.paid));
  const waiting = sum(dispute.openings.map((one) => one.waiting));
  const [base, surplus] = [BigInt(dispute.opening_bond), BigInt(dispute.opening_surplus)];
  return {
    bond: BigInt(dispute.bond),
    base,
    surplus,
    paid,
    waiting,
    unpaid: most(base + surplus - paid, 0n),
    own: BigInt(risk.own_lock),
    above: BigInt(risk.lock) - BigInt(risk.own_lock),
    stake: BigInt(risk.stake),
    debts: least(BigInt(risk.debts), BigInt(risk.stake)),
  };
}

const noted = (...parts) => parts.filter(Boolean).join("; ");
const flow = (pot, coin, to, wei, note = "") => ({ pot, coin, to, wei, note });
const there = (flows) => flows.filter(({ wei }) => wei > 0n);

/** An amount cut into the filer's share, the prover's, and what burns; rounding falls to the burn. */
function cut(pot, coin, wei, { filing_bps, proof_bps }, prover, note = "") {
  const share = (bps) => (wei * BigInt(bps)) / TEN_THOUSAND;
  const [filing, proof] = [share(filing_bps), share(proof_bps)];
  return [
    flow(pot, coin, "filer", filing, noted("for filing", note)),
    flow(pot, coin, prover, proof, noted(prover === "filer" ? "in the prover's place" : "for the proof", note)),
    flow(pot, coin, "burned", wei - filing - proof),
  ];
}

const HELD = "held until no earlier window can fall";

function upheld(p, risk, prover) {
  return [
    flow("bond", "energy", "filer", p.bond, "goes back"),
    ...cut("lock", "energy", p.own, risk, prover),
    flow("lock", "energy", "burned", p.above, "of the windows above, which fall with it"),
    flow("stake", "coin", "filers", p.debts, "for openings that they paid"),
    ...cut("stake", "coin", p.stake - p.debts, risk, prover, HELD),
    flow("opening", "coin", "filer", p.unpaid, "goes back"),
  ];
}

/** The opening bond where openings stay paid: of the surplus as much burns as they took, and the filer has the rest. */
function kept(p) {
  const spent = p.paid + p.waiting;
  const burned = least(p.surplus - most(spent - p.base, 0n), spent);
  return [
    flow("opening", "coin", "trainer", p.waiting, "for openings made"),
    flow("opening", "coin", "filer", p.unpaid - p.waiting - burned, "goes back"),
    flow("opening", "coin", "burned", burned),
  ];
}

const stays = (p) => [
  flow("lock", "energy", "stays", p.own + p.above, "until the windows are final"),
  flow("stake", "coin", "stays", p.stake),
];

/**
 * The ends that an open dispute may still come to, each {name, title, when, flows}.
 * @param risk what /v1/disputes/{id}/risk answers
 */
export function possibleEnds(dispute, risk) {
  const p = pots(dispute, risk);
  const ends = [];
  const add = (name, title, when, flows) => ends.push({ name, title, when, flows: there(flows) });
  if (dispute.missing.length) add("timeout", "Silence", "something is not opened in time", upheld(p, risk, "filer"));
  add(
    "proved",
    "Proved wrong",
    "one segment, or the header, is shown to be wrong (in the head start the prover's share is the filer's)",
    upheld(p, risk, "prover"),
  );
  add("proven", "Re-executed, right", "all 128 steps are done on chain and end in the claimed state", [
    flow("bond", "energy", "steps", p.bond, "at most the gas of the steps; the rest burns"),
    ...stays(p),
    ...kept(p),
  ]);
  add("dismissed", "Dismissed", "nobody proves anything in time", [
    flow("bond", "energy", "burned", p.bond),
    ...stays(p),
    ...kept(p),
  ]);
  add("voided", "Voided", "an earlier window falls, and this one with it", [
    flow("bond", "energy", "filer", p.bond, "goes back"),
    flow("lock", "energy", "burned", p.own + p.above, "with the window that fell"),
    flow("opening", "coin", "trainer", p.waiting, "for openings made, unless it is the one who was slashed"),
    flow("opening", "coin", "filer", most(p.unpaid - p.waiting, 0n), "goes back"),
  ]);
  return ends;
}

/** What an ended dispute did pay. */
export function actualFlows(dispute) {
  const { slashing, opening_outcome: opening } = dispute;
  const pay = BigInt(dispute.step_pay);
  const flows =
    dispute.bond_outcome === "returned"
      ? [flow("bond", "energy", "filer", BigInt(dispute.bond), "went back")]
      : [flow("bond", "energy", "steps", pay), flow("bond", "energy", "burned", BigInt(dispute.bond) - pay)];
  if (slashing) {
    const prover = slashing.prover === null ? "steps" : slashing.prover === slashing.filer ? "filer" : "prover";
    const parts = (pot, coin, shares, note) => [
      flow(pot, coin, "filer", BigInt(shares.filing), noted("for filing", note)),
      flow(pot, coin, prover, BigInt(shares.proof), noted("for the proof", note)),
      flow(pot, coin, "filers", BigInt(shares.debts ?? 0), "for openings that they had paid"),
      flow(pot, coin, "burned", BigInt(shares.burned)),
    ];
    flows.push(
      ...parts("lock", "energy", slashing.energy, ""),
      ...parts("stake", "coin", slashing.stake, REWARDS[slashing.reward]),
    );
  }
  if (opening)
    flows.push(
      flow("opening", "coin", "filer", BigInt(opening.returned), "went back"),
      flow("opening", "coin", "trainer", BigInt(opening.kept), "for openings made"),
      flow("opening", "coin", "burned", BigInt(opening.burned)),
    );
  return there(flows);
}

const REWARDS = {
  none: "",
  held: HELD,
  settled: "credited",
  taken_over: "went to who convicted an earlier window",
};
