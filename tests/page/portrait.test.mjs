// Portraits of 200 DNAs against the server's, which are the contract's; and names for all of them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { fromHex } from "../../backend/api/page/kernel/bytes.js";
import { stats } from "../../backend/api/page/kernel/combat.js";
import { creature, nickname, svgText } from "../../backend/api/page/portrait.js";

const cases = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf-8"));

test("every portrait is the token's, byte for byte", () => {
  for (const { dna, svg } of cases) assert.equal(svgText(fromHex(dna)), svg);
});

test("the hardier is broader, the stronger has the taller crest", () => {
  for (const { dna } of cases) {
    const bytes = fromHex(dna);
    const { hp, power } = stats(bytes);
    const { body } = creature(bytes);
    const trunk = body.find(({ tag }) => tag === "ellipse");
    assert.equal(trunk.rx, 50 + Math.floor(((hp - 116) * 5) / 26));
    assert.ok(trunk.rx >= 50 && trunk.rx <= 69);
    const [, foot, tip] = body[0].d.match(/^M\S+ (\d+)L\S+ (\d+)L/).map(Number);
    const off = Math.abs(100 - Number(body[0].d.match(/L(\d+) /)[1]));
    assert.equal(foot - 6 - tip + Math.floor(off / 4), 14 + Math.floor(((power - 48) * 3) / 8));
  }
});

test("eyes and limbs count the slots awake at hatch", () => {
  for (const { dna } of cases) {
    const bytes = fromHex(dna);
    const { eyes, behind } = creature(bytes);
    assert.equal(eyes.length / 3, 1 + (bytes[4] % 4));
    assert.equal(behind.length - 1, 2 * (1 + (bytes[5] % 4)));
  }
});

test("every DNA has a name, and the server calls it the same", () => {
  for (const { dna, name } of cases) {
    assert.match(nickname(fromHex(dna)), /^[A-Z][a-z]+$/);
    assert.equal(nickname(fromHex(dna)), name);
  }
});
