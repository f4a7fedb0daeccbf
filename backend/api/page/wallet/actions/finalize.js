// Making windows final that nobody has disputed in time.
import { MOST, due } from "../records.js";
import { energy } from "../values.js";
import { BEAST, beastOf, toBeast } from "./subject.js";

export const finalize = {
  name: "finalize",
  title: "Finalize windows",
  text: "Make a beast's oldest pending windows final: their ENERGY burns, their trainers' bonds go back. Anybody may.",
  fields: [BEAST],
  async plan(chain, account, values) {
    const beast = beastOf(values);
    const { records, next } = await due(chain, beast);
    const beasts = [["Its windows", beast]];
    if (!records.length) return { facts: [], beasts, done: next };
    const sum = (pick) => records.reduce((all, one) => all + pick(one), 0n);
    const [first, last] = [records[0].index, records.at(-1).index];
    const which = first === last ? `window ${first}` : `windows ${first} to ${last}`;
    return {
      beasts,
      facts: [
        ["Burns", energy(sum(({ payload }) => payload.energyBurn))],
        ["Goes back to the trainers' escrow", energy(sum(({ bond }) => bond))],
        ["Afterwards", next ?? `at most ${MOST} at once: there may be more`],
      ],
      step: {
        title: `Make ${which} of beast ${beast} final`,
        to: "CheckpointLedger",
        call: "finalize",
        args: [beast, records],
        note: "What burns was locked when the windows were submitted; it costs you the gas alone.",
        done: () => ({ text: `Final: ${which} of beast ${beast}.`, links: [toBeast(beast)] }),
      },
    };
  },
};
