import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { TOLD, tell } from "../../backend/api/page/activity.js";

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
