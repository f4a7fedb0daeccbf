// Single turns in words of every kind against the NumPy reference; test_kernel.py writes the cases.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { fromHex, toHex } from "../../backend/api/page/kernel/bytes.js";
import { DEFAULT_RULES, activate, decode } from "../../backend/api/page/kernel/combat.js";

const cases = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf-8"));
const ANY = { direction: 0, power: 1, block: false };

test("every turn is taken, or refused, as the reference does", () => {
  for (const { word, logits, seed, action, next } of cases) {
    const before = fromHex(word);
    if (action) assert.deepEqual(decode(logits, before), action, word);
    else assert.throws(() => decode(logits, before), RangeError, word);
    const after = () => activate(before, action ?? ANY, DEFAULT_RULES, BigInt(seed));
    if (next) assert.equal(toHex(after()), next, word);
    else assert.throws(after, RangeError, word);
  }
});
