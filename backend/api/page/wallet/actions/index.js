// All that can be done here. An action has `fields`, and a `plan(chain, account, values)` that reads how things stand and
// gives {facts, step} with the next transaction, {facts, done} if there is none, or {facts, wait}; or throws a Refusal.
import { accept, challenge } from "./arena.js";
import { finalize } from "./finalize.js";
import { hatch } from "./hatch.js";
import { draw, expire, settle } from "./match.js";
import { buy, claim } from "./money.js";
import { publish } from "./publish.js";
import { record } from "./record.js";

export const ACTIONS = [buy, hatch, challenge, accept, draw, record, settle, claim, expire, publish, finalize];
