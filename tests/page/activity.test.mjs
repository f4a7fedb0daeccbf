import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { TOLD, gathered, inTheNews, newestFirst, tell } from "../../backend/api/page/activity.js";

const { events, amounts } = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf8"));
const dna = `0x${"7a".repeat(32)}`;
const beasts = [1, 2].map((id) => ({ id, name: `Beast${id}`, dna, owner: `0x${"12".repeat(20)}` }));

/** An item of the event with everything that any event could name. */
const item = (event) => ({
  event,
  beasts,
  index: 3,
  dispute: 4,
  match: 5,
  season: 6,
  account: beasts[0].owner,
  amounts: (amounts[event] ?? []).map((name) => ({ name, wei: "96000000000000000", coin: "energy" })),
});

const said = (a) =>
  tell(a)
    .pieces.map((piece) => piece.text ?? piece.account ?? piece)
    .join("");

test("every event that the API tells of has a sentence, and no other", () => {
  assert.deepEqual([...TOLD].sort(), [...events].sort());
});

test("a sentence has every amount that it speaks of", () => {
  for (const event of events) {
    const text = said(item(event));
    assert.match(text, /^\S.+\S$/, event);
    assert.doesNotMatch(text, /undefined|NaN|\$|  | ,|burned $/, `${event}: ${text}`);
    if (/ (for|of|burned|collected|staked) (and )?$|, bond $/.test(text)) assert.fail(`${event}: ${text}`);
  }
  assert.match(said(item("CheckpointSubmitted")), /^Beast1 № 1 trained window 3 for 0.096 ENERGY$/);
});

test("an event whose beast is not known, and one that is newer than the page, are told all the same", () => {
  assert.equal(said({ ...item("Hatched"), beasts: [] }), "a beast hatched");
  assert.equal(said(item("Novelty")), "Novelty of Beast1 № 1");
});

test("a run of a beast's windows is one line, which stays the same line while the run grows", () => {
  const price = (wei) => [{ name: "price", wei, coin: "energy" }];
  const one = (id, event, index, beast, wei = "1000000000000000000") => ({
    ...item(event),
    id,
    index,
    beasts: [beast],
    amounts: event === "CheckpointSubmitted" ? price(wei) : [],
  });
  const [a, b] = beasts;
  const older = [
    one(7, "CheckpointSubmitted", 5, a, "2000000000000000000"),
    one(6, "CheckpointSubmitted", 9, b),
    one(5, "CheckpointSubmitted", 4, a),
    one(4, "CheckpointSlashed", 3, a),
    one(3, "CheckpointSubmitted", 3, a),
    one(2, "CheckpointFinalized", 1, b),
    one(1, "CheckpointFinalized", 0, b),
  ];
  const lines = gathered(older);
  assert.deepEqual(
    lines.map(({ id }) => id),
    [5, 6, 4, 3, 1],
  );
  assert.equal(said(lines[0]), "Beast1 № 1 trained windows 4 to 5 for 3 ENERGY");
  assert.equal(said(lines[1]), "Beast2 № 2 trained window 9 for 1 ENERGY");
  assert.equal(said(lines[4]), "Windows 0 to 1 of Beast2 № 2 are final");
  const grown = gathered([one(8, "CheckpointSubmitted", 6, a), ...older]);
  assert.equal(grown[0].id, 5);
  assert.equal(said(grown[0]), "Beast1 № 1 trained windows 4 to 6 for 4 ENERGY");
  // A window that fell and was trained again is a run of its own.
  assert.equal(gathered([one(9, "CheckpointSubmitted", 5, a), ...older]).length, 6);
});

test("who is in the news has its latest plight, and what is none leaves it as it was", () => {
  const [a, b] = beasts;
  const told = inTheNews([
    { ...item("Staked"), beasts: [b] },
    { ...item("MatchAccepted"), beasts: [a, b] },
    { ...item("CheckpointSlashed"), beasts: [b] },
    { ...item("EpochStarted"), beasts: [{ ...a, id: 3 }] },
  ]);
  assert.deepEqual(
    told.map(({ id, name, plight, tone }) => [id, name, plight, tone]),
    [
      [1, "Beast1", "is in the ring", "recorded"],
      [2, "Beast2", "is in the ring", "recorded"],
    ],
  );
  assert.equal(inTheNews([{ ...item("CheckpointSlashed"), beasts: [b] }])[0].plight, "was convicted");
});

test("answers are put together in the chain's order, which is not that of text", () => {
  const ids = (items) => items.map(({ id }) => id);
  assert.deepEqual(ids(newestFirst([{ id: "9-3" }, { id: "10-2" }, { id: "10-10" }])), ["10-10", "10-2", "9-3"]);
});
