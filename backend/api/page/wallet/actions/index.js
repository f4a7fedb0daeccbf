// All that can be done here. An action has `fields`, and a `plan(chain, account, values)` that reads how things stand and
// gives {facts, step} with the next transaction, {facts, done} if there is none, or {facts, wait}; or throws a Refusal.
// With `beasts`, [[role, number], …], it says whom it is about. What is told is text, or text and values (values.js).
import { accept, cancel, challenge } from "./arena.js";
import { finalize } from "./finalize.js";
import { hatch } from "./hatch.js";
import { draw, expire, settle } from "./match.js";
import { buy, claim } from "./money.js";
import { publish } from "./publish.js";
import { record } from "./record.js";

/** What belongs together, in the order in which it is done. */
export const GROUPS = [
  ["Begin", [buy, hatch]],
  ["A match, from its challenge to its end", [challenge, cancel, accept, draw, record, settle, expire]],
  ["At any time", [claim, finalize, publish]],
];

export const ACTIONS = GROUPS.flatMap(([, actions]) => actions);
