// Making windows final that nobody has disputed in time.
import { MOST, due } from "../records.js";
import { Refusal } from "../refusal.js";
import { energyOf, parseId } from "../units.js";

export const finalize = {
  name: "finalize",
  title: "Finalize windows",
  text: "Make a beast's oldest pending windows final: their ENERGY burns, their trainers' bonds go back. Anybody may.",
  fields: [{ name: "beast", label: "Beast", kind: "id", example: "1" }],
  async plan(chain, account, values) {
    const beast = parseId(values.beast);
    if (!beast) throw new Refusal("Which beast?", "Name it by its number.");
    const { records, next } = await due(chain, beast);
    if (!records.length) return { facts: [], done: next };
    const sum = (pick) => records.reduce((all, one) => all + pick(one), 0n);
    const [first, last] = [records[0].index, records.at(-1).index];
    const which = first === last ? `window ${first}` : `windows ${first} to ${last}`;
    return {
      facts: [
        ["Burns", energyOf(sum(({ payload }) => payload.energyBurn))],
        ["Goes back to the trainers' escrow", energyOf(sum(({ bond }) => bond))],
        ["Afterwards", next ?? `at most ${MOST} at once: there may be more`],
      ],
      step: {
        title: `Make ${which} of beast ${beast} final`,
        to: "CheckpointLedger",
        call: "finalize",
        args: [beast, records],
        note: "What burns was locked when the windows were submitted; it costs you the gas alone.",
        done: () => ({ text: `Final: ${which} of beast ${beast}.`, link: [`#/beasts/${beast}`, `Beast ${beast}`] }),
      },
    };
  },
};
