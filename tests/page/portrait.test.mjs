// Portraits of 200 DNAs against the server's, which are the contract's; and names for all of them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { fromHex } from "../../backend/api/page/kernel/bytes.js";
import { creature, nickname, svgText } from "../../backend/api/page/portrait.js";

const cases = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf-8"));

test("every portrait is the token's, byte for byte", () => {
  for (const { dna, svg } of cases) assert.equal(svgText(fromHex(dna)), svg);
});

test("eyes and limbs count the slots awake at hatch", () => {
  for (const { dna } of cases) {
    const bytes = fromHex(dna);
    const { eyes, behind } = creature(bytes);
    assert.equal(eyes.length / 3, 1 + (bytes[4] % 4));
    assert.equal(behind.length - 1, 2 * (1 + (bytes[5] % 4)));
  }
});

test("every DNA has a name", () => {
  for (const { dna } of cases) assert.match(nickname(fromHex(dna)), /^[A-Z][a-z]+$/);
});
