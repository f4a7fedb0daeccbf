// Evidence bundles in the page, against what the command line says of the same files; test_evidence.py writes them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { contradictions, verifyBundle } from "../../backend/api/page/case/bundle.js";
import { unpackDataset } from "../../backend/api/page/case/dataset.js";
import { examineBundle } from "../../backend/api/page/case/evidence.js";
import { Uncomputable } from "../../backend/api/page/case/replay.js";
import { Refused, crc32 } from "../../backend/api/page/case/zip.js";
import { readTables } from "../../backend/api/page/kernel/tables.js";

const cases = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf-8"));
const tables = readTables(
  JSON.parse(readFileSync(new URL("../../backend/kernel/tables.json", import.meta.url), "utf-8")),
);
const bytesOf = (c) => new Uint8Array(readFileSync(c.path));

for (const c of cases)
  test(c.name, () => {
    const verify = () => verifyBundle(bytesOf(c), tables, unpackDataset);
    if (c.refused) {
      assert.throws(verify, (error) => error instanceof Refused || error instanceof Uncomputable);
      return;
    }
    const { found, manifest, differences } = verify();
    assert.deepEqual(
      { right: found.right, reason: found.reason, segments: found.segments, wrong: found.wrong, differences },
      { right: c.right, reason: c.reason, segments: c.segments, wrong: c.wrong, differences: c.differences },
    );
    assert.deepEqual(contradictions(manifest, found), c.differences);
  });

test("what a worker tells of a bundle, in its order", () => {
  const told = (name) => {
    const messages = [];
    const bytes = bytesOf(cases.find((c) => c.name === name));
    examineBundle(bytes, tables, unpackDataset, (message) => messages.push(message.kind));
    return messages;
  };
  assert.deepEqual(told("curriculum"), ["opened", "replayed", "steps", "cause"]);
  assert.deepEqual(told("right"), ["opened", "replayed"]);
  assert.deepEqual(told("unanswered"), ["opened", "replayed", "end"]);
  assert.deepEqual(told("empty"), ["refused"]);
  assert.deepEqual(told("other parent"), ["opened", "uncomputable"]);
});

test("the check sum of zip files", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});
