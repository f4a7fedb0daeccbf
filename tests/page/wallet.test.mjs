// What the page signs and decodes: the same bytes as the reference encoder, over the contracts' own ABIs. test_wallet.py
// writes the cases.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { decode, encode, selector, signature } from "../../backend/api/page/wallet/abi.js";
import { Contracts } from "../../backend/api/page/wallet/contracts.js";
import { toHex } from "../../backend/api/page/kernel/bytes.js";
import { Refusal } from "../../backend/api/page/wallet/refusal.js";
import { about, exact, parseAmount, parseId, short } from "../../backend/api/page/wallet/units.js";
import { coin, energy, hex, plain } from "../../backend/api/page/wallet/values.js";

const { functions, reverts, contracts } = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf-8"));

/** Decimal strings of the cases as the BigInts that they are. */
function values(kinds, given) {
  return kinds.map((kind, i) => value(kind, given[i]));
}

function value(kind, given) {
  const array = /^(.*)\[\d*\]$/.exec(kind.type);
  if (array) return given.map((one) => value({ ...kind, type: array[1] }, one));
  if (kind.type === "tuple")
    return Object.fromEntries(kind.components.map((one, i) => [one.name, value(one, given[i])]));
  return kind.type.startsWith("uint") ? BigInt(given) : given;
}

test("every function's arguments are encoded as the reference does, and read back", () => {
  assert.ok(functions.length > 100);
  for (const { entry, given, data } of functions) {
    const wanted = values(entry.inputs, given);
    const name = signature(entry);
    assert.equal(selector(entry) + toHex(encode(entry.inputs, wanted)).slice(2), data, name);
    assert.deepEqual(decode(entry.inputs, "0x" + data.slice(10)), wanted, name);
  }
});

test("data that is cut off, or has more in a word than its type, is refused", () => {
  let [cut, dirty] = [0, 0];
  for (const { entry, data } of functions) {
    const body = data.slice(10);
    if (!body) continue;
    assert.throws(() => decode(entry.inputs, "0x" + body.slice(0, -64)), RangeError, signature(entry));
    cut++;
    if (!/^(address|bool|uint8|bytes4)$/.test(entry.inputs[0].type)) continue;
    const filled = "f".repeat(64) + body.slice(64);
    assert.throws(() => decode(entry.inputs, "0x" + filled), RangeError, signature(entry));
    dirty++;
  }
  assert.ok(cut > 100 && dirty > 10);
});

test("an offset or a length beyond the data is refused", () => {
  const many = [{ name: "all", type: "uint256[]" }];
  const good = toHex(encode(many, [[1n, 2n]])).slice(2);
  assert.deepEqual(decode(many, "0x" + good), [[1n, 2n]]);
  for (const word of [0, 1]) {
    const bad = good.slice(0, 64 * word) + "7".repeat(64) + good.slice(64 * (word + 1));
    assert.throws(() => decode(many, "0x" + bad), RangeError);
  }
});

test("what does not fit its type is not encoded", () => {
  const one = (type, value) => () => encode([{ name: "", type }], [value]);
  assert.throws(one("uint8", 256n), RangeError);
  assert.throws(one("uint256", -1n), RangeError);
  assert.throws(one("address", "0x1234"), RangeError);
  assert.throws(one("bytes32", "0x12"), RangeError);
  assert.throws(one("bool", 1n), TypeError);
  assert.throws(one("uint8[2]", [1n]), RangeError);
  assert.throws(() => encode([{ name: "", type: "bool" }], []), RangeError);
});

test("every custom error is told by its name, with its own values, in the commands' words", () => {
  const known = new Contracts(contracts);
  assert.ok(reverts.length > 100);
  for (const { name, data, names, given, sentence } of reverts) {
    const found = known.explain(data);
    assert.equal(found.code, name);
    assert.deepEqual(Object.keys(found.values), names);
    assert.deepEqual(Object.values(found.values).map(String), given.map(String), name);
    if (sentence) assert.equal(found.message, sentence);
    assert.ok(!/\{\w+\}/.test(found.message + found.hint), found.message);
  }
  const unknown = known.explain("0x12345678");
  assert.equal(unknown.code, "Unknown");
  assert.match(unknown.message, /0x12345678/);
  assert.equal(known.explain("0x").code, "Unknown");
  assert.equal(known.explain(reverts.find(({ names }) => names.length).data.slice(0, 20)).code, "Unknown");
});

test("amounts are read and shown to the last wei, and nothing else is an amount", () => {
  assert.equal(parseAmount("12.5"), 12_500_000_000_000_000_000n);
  assert.equal(parseAmount(" 0.000000000000000001 "), 1n);
  for (const text of ["", "-1", "1e3", "1,5", "0.0000000000000000001", "0x10", "."])
    assert.equal(parseAmount(text), null);
  for (const text of ["0.000000000000000001", "7", "1234.05"]) assert.equal(exact(parseAmount(text)), text);
  assert.equal(about(100n * 10n ** 18n), "about 100 coin");
  assert.equal(about(123_456n * 10n ** 9n), "about 0.000123 coin");
  assert.equal(parseId("12"), 12n);
  for (const text of ["0", "-1", "1.5", "x", ""]) assert.equal(parseId(text), null);
});

test("amounts are shortened to four decimals that count, and say so where that rounds", () => {
  for (const [text, said] of [
    ["0", "0"],
    ["2.5", "2.5"],
    ["994.12345678", "≈ 994.1235"],
    ["0.99999", "≈ 1"],
    ["0.00123456", "≈ 0.001235"],
    ["0.001234", "0.001234"],
    ["0.000000000000000001", "0.000000000000000001"],
    ["1234567.00001", "≈ 1\u202f234\u202f567"],
  ])
    assert.equal(short(parseAmount(text)), said);
});

test("a refusal says its values whole in plain text, and keeps them for the page to draw", () => {
  const said = ["It has ", energy(1_234_567_890_123_456_789n), ", sent by ", hex("0xab")];
  const refusal = new Refusal(said, "Buy some.");
  assert.equal(refusal.message, "It has 1.234567890123456789 ENERGY, sent by 0xab");
  assert.deepEqual([refusal.said, refusal.hint], [said, "Buy some."]);
  assert.equal(plain([coin(1n)]), "0.000000000000000001 coin");
});
