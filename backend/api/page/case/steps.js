// The wrong segment, step by step as it has to be, and what was done instead: sample, label, claimed against computed
// weights.
import { h, table } from "../dom.js";
import { count, plural } from "../format.js";
import { enemyOf, invalidReason, selfOf } from "../kernel/board.js";
import { ALL_HEADS, HEAD_ATTACK, HEAD_BLOCK, HEAD_MOVE } from "../kernel/loss.js";
import { LAYERS } from "../kernel/network.js";
import { STARTS } from "../kernel/train.js";
import { boardPicture, directionName } from "./board.js";

const LISTED = 10;
const HEAD_OF = ["move north", "move south", "move east", "move west", "attack", "block", "nothing", "nothing"];

/** "W3[12][4]" of a flat index. */
export function weightName(index) {
  const layer = STARTS.findLastIndex((start) => start <= index);
  const [row, column] = [
    Math.floor((index - STARTS[layer]) / LAYERS[layer + 1]),
    (index - STARTS[layer]) % LAYERS[layer + 1],
  ];
  return `W${layer + 1}[${row}][${column}]`;
}

/** The head that a weight of the last layer serves; null below, where it serves all. */
export const headOf = (index) => (index >= STARTS[3] ? HEAD_OF[(index - STARTS[3]) % LAYERS[4]] : null);

/** Weights in which two states differ, the furthest apart first: [{index, before, computed, claimed}]. */
export function differences({ before, computed, claimed }) {
  const found = [];
  for (let i = 0; i < computed.length; i++)
    if (computed[i] !== claimed[i])
      found.push({ index: i, before: before[i], computed: computed[i], claimed: claimed[i] });
  const by = ({ computed: right, claimed: wrong }) => Math.abs(wrong - right);
  return found.sort((a, b) => by(b) - by(a) || a.index - b.index);
}

/** A label as far as the unlocked heads learn it. */
export function labelText(label, heads = ALL_HEADS) {
  if (label === null) return "none: a null step";
  const parts = [
    heads & HEAD_MOVE ? `move ${directionName(label.move)}` : null,
    heads & HEAD_ATTACK ? `attack ${label.attack}` : null,
    heads & HEAD_BLOCK ? `block ${label.block ? "yes" : "no"}` : null,
  ];
  return parts.filter(Boolean).join(", ");
}

/** The logits' own choice, as labels are written. */
const moved = (logits) => directionName([0, 1, 2, 3].reduce((best, d) => (logits[d] > logits[best] ? d : best)));

const signed = (n) => (n > 0 ? `+${n}` : n < 0 ? `−${-n}` : "0");

function stepsTable({ first, heads, steps }, cause) {
  return table(
    "The micro-steps of the wrong segment, as they have to be",
    ["Step", "Label", "Logits' own move", "Errors", "Loss"],
    steps.map((step, i) => [
      cause?.step === first + i ? h("b", { class: "culprit" }, `${first + i} ←`) : String(first + i),
      labelText(step.label, heads),
      step.logits ? moved(step.logits) : "—",
      step.errors ? h("code", {}, [...step.errors].slice(0, 6).map(signed).join(" ")) : "null step",
      String(step.loss),
    ]),
    "steps",
  );
}

const CAUSES = {
  label: (cause, heads) => [
    "learned the label ",
    h("b", {}, labelText(cause.wrong, heads)),
    " instead of ",
    h("b", {}, labelText(cause.right, heads)),
    ".",
  ],
  sample: (cause) => ["trained on ", h("b", {}, cause.name), "."],
  weight: (cause) => [
    cause.last > cause.step ? `to ${cause.last}: after one of them ` : "was followed by a change: ",
    h("b", {}, weightName(cause.weight)),
    ` was set to ${cause.claimed[cause.weight]} instead of ${cause.computed[cause.weight]}.`,
  ],
};

const creature = (name, { pos, hp, stamina, tempDef, power, defense }) =>
  `${name}: tile ${pos}, hp ${hp}, stamina ${stamina}, guard ${tempDef}, power ${power}, defence ${defense}`;

function position(word, caption, arrows) {
  const reason = invalidReason(word);
  if (reason) return h("figure", { class: "sample" }, h("figcaption", {}, `${caption}: no valid word (${reason})`));
  const label = `${caption}: self on tile ${selfOf(word).pos}, enemy on tile ${enemyOf(word).pos}`;
  return h(
    "figure",
    { class: "sample" },
    h("figcaption", {}, caption),
    boardPicture(word, label, arrows),
    h("p", { class: "hint" }, creature("Self", selfOf(word)), h("br"), creature("Enemy", enemyOf(word))),
  );
}

/** The step's sample with its label, and beside it what was taken instead. */
function samples(step, cause) {
  const right = { direction: step.label?.move ?? null, kind: "right" };
  if (cause.kind === "sample")
    return [position(step.word, "Its sample", [right]), position(cause.word, "What was taken instead", [])];
  const taught = cause.kind === "label" ? [{ direction: cause.wrong.move, kind: "wrong" }] : [];
  return [
    position(step.word, cause.kind === "label" ? "Its sample: right label, and the one taught" : "Its sample", [
      right,
      ...taught,
    ]),
  ];
}

function weightsTable(caption, found, kind) {
  return table(
    caption,
    ["Weight", "Before", "Computed", "Claimed", "Apart"],
    found.map(({ index, before, computed, claimed }) => [
      h("code", { title: headOf(index) }, weightName(index)),
      String(before),
      String(computed),
      h("b", {}, String(claimed)),
      signed(claimed - computed),
    ]),
    kind,
  );
}

/** How many weights are wrong, the one that is so most, and some of the others for who wants to see them. */
function weights(after, states) {
  const found = differences(states);
  const [n, all] = [plural(found.length, "weight"), count(states.computed.length)];
  const others = found.slice(1, LISTED + 1);
  return [
    h("p", {}, `${after} ${n} of ${all} ${found.length === 1 ? "is" : "are"} not what re-execution gives.`),
    weightsTable("The weight that is furthest from its computed value", found.slice(0, 1), "weights"),
    others.length
      ? h(
          "details",
          { id: "other-weights" },
          h("summary", {}, `The next ${plural(others.length, "weight")}, by how far they are apart`),
          weightsTable("Other weights that differ", others, "further"),
        )
      : null,
  ];
}

/** Of a wrong window whose segments nobody has opened: its claimed end, if that is published. */
export function endCard(end) {
  return h(
    "section",
    { class: "wrong-steps", "aria-labelledby": "wrong-steps" },
    h("h2", { id: "wrong-steps" }, "The claimed end, against the one computed here"),
    weights("After the last step", end),
    h("p", { class: "hint" }, "Which step went wrong is seen once the trainer has opened its segments."),
  );
}

/**
 * @param found {first, heads, steps} of the worker
 * @param cause what it named; undefined while it still looks, null if it found nothing
 */
export function stepsCard(found, cause) {
  const { heads, steps } = found;
  return h(
    "section",
    { class: "wrong-steps", "aria-labelledby": "wrong-steps" },
    h("h2", { id: "wrong-steps" }, "What went wrong"),
    cause === undefined
      ? h("p", { class: "hint looking", role: "status" }, "Looking for what was done instead…")
      : cause === null
        ? h(
            "p",
            {},
            "No other label, sample or weight that was tried gives the claimed hash: probably more than one thing was done.",
          )
        : h(
            "div",
            { class: "culprit-step" },
            h("div", { class: "samples" }, ...samples(steps[cause.offset], cause)),
            h(
              "div",
              {},
              h(
                "p",
                { class: "finding" },
                `${cause.last > cause.step ? "Steps" : "Step"} ${cause.step} `,
                ...CAUSES[cause.kind](cause, heads),
              ),
              h("p", { class: "hint" }, "That is what was done: repeating it here gives the claimed hash to the bit."),
              ...weights("After that step", cause),
            ),
          ),
    h(
      "details",
      { id: "all-steps" },
      h("summary", {}, `All ${plural(steps.length, "step")} of the segment, as they have to be`),
      stepsTable(found, cause),
    ),
  );
}
