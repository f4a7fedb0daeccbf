import assert from "node:assert/strict";
import test from "node:test";

import { Live } from "../../backend/api/page/live.js";

function told(...steps) {
  const live = new Live();
  for (const step of steps) live.add({ step, loss: step / 128, move_accuracy: 0.5, block_accuracy: null });
  return live;
}

test("a step that lies back takes nothing away", () => {
  const live = told(128, 256, 384, 0);
  assert.deepEqual(live.column("step"), [0, 128, 256, 384]);
});

test("a step that comes again replaces its point", () => {
  const live = told(128, 256, 384);
  live.add({ step: 256, loss: 9, move_accuracy: 1, block_accuracy: 0 });
  assert.deepEqual(live.column("step"), [128, 256, 384]);
  assert.deepEqual(live.column("loss"), [1, 9, 3]);
  assert.deepEqual(live.column("block"), [null, 0, null]);
});

test("what fell is forgotten", () => {
  const live = told(128, 256, 384);
  live.upTo(256);
  assert.deepEqual(live.column("step"), [128, 256]);
});

test("only so many points are kept", () => {
  const live = told(...Array.from({ length: 4100 }, (_, i) => i));
  assert.equal(live.points.length, 4000);
  assert.equal(live.points[0].step, 100);
});
