// Portraits and nicknames of any DNA; that the shapes are the contract's is tested against a live token.
import assert from "node:assert/strict";
import test from "node:test";

import { creature, hues, nickname, svgText } from "../../backend/api/page/portrait.js";

const dnas = Array.from({ length: 256 }, (_, k) => Uint8Array.from({ length: 32 }, (_, i) => (k * 37 + i * 101) & 255));

test("every DNA has a portrait of whole numbers and a name", () => {
  for (const dna of dnas) {
    const text = svgText(dna);
    assert.doesNotMatch(text, /NaN|undefined|Infinity/);
    assert.match(nickname(dna), /^[A-Z][a-z]+$/);
    assert.ok(hues(dna).hue < 360 && hues(dna).other < 360);
  }
});

test("eyes and limbs count the slots awake at hatch", () => {
  for (const dna of dnas) {
    const { eyes, behind } = creature(dna);
    assert.equal(eyes.length / 3, 1 + (dna[4] % 4));
    assert.equal(behind.length - 1, 2 * (1 + (dna[5] % 4)));
  }
});
