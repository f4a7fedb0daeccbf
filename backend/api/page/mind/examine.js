// How good a brain is, measured here: on the held-out boards, which are the same for every beast and which hardly anyone
// trains on. The same boards and counts as `chainbeasts beast progress`.
import { adjacent, enemyOf, selfOf } from "../kernel/board.js";
import { features } from "../kernel/features.js";
import { label, optimalSteps } from "../kernel/labels.js";
import { ALL_HEADS, lossOf, outputErrors } from "../kernel/loss.js";
import { logits } from "../kernel/network.js";
import { heldOut } from "../kernel/samples.js";

/** As many boards as the command takes by default. */
export const BOARDS = 256;

/** The boards with their inputs and labels, by a season's rules. */
export const exam = (rules, count = BOARDS) =>
  heldOut(count, rules).map((word) => ({
    inputs: features(word),
    wanted: label(word, rules),
    optimal: optimalSteps(word, rules),
    reach: adjacent(selfOf(word).pos, enemyOf(word).pos),
  }));

const greatest = (z) => [1, 2, 3].reduce((best, d) => (z[d] > z[best] ? d : best), 0);
const share = (part, whole) => (whole ? part / whole : null);

/**
 * What a brain {mask, weights} gets right on an exam. All but `loss` are shares of 1, null where there is no such board:
 * `exact`, the very move of the label; `optimal`, any first step of a cheapest path; `block`. `strike` is how far the
 * strikes in reach are off, in power. `loss` is a board's mean with all three heads, in the chain's unit: 1024 is 1.0.
 */
export function examine({ mask, weights }, boards, exp) {
  let [loss, moves, exact, optimal, blocks, strikes, off] = [0, 0, 0, 0, 0, 0, 0];
  for (const board of boards) {
    const z = logits(weights, mask, board.inputs);
    loss += lossOf(outputErrors(z, board.wanted, ALL_HEADS, exp));
    blocks += Number(z[5] > 0 === Boolean(board.wanted.block));
    if (board.reach) {
      strikes += 1;
      off += Math.abs(z[4] / 4 - board.wanted.attack);
    }
    if (board.wanted.move === null) continue;
    const move = greatest(z);
    moves += 1;
    exact += Number(move === board.wanted.move);
    optimal += Number(board.optimal.includes(move));
  }
  return {
    loss: loss / boards.length,
    exact: share(exact, moves),
    optimal: share(optimal, moves),
    block: share(blocks, boards.length),
    strike: share(off, strikes),
  };
}
