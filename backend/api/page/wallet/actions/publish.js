// Putting a state on chain, which the arena asks for before a beast fights.
import { bytes, get } from "../../api.js";
import { toHex } from "../../kernel/bytes.js";
import { lastFinal } from "../records.js";
import { told } from "../units.js";
import { hex } from "../values.js";
import { BEAST, beastOf } from "./subject.js";

/** Seconds that a publication must have left, so that the match itself finds it young enough. */
const MARGIN = 3600n;

/**
 * The step that publishes a state; null if it stands in the archive, and long enough.
 * @param season whose publication age counts; null is the one in force
 * @param margin seconds for which it must still count
 * @param note why it has to be there
 */
export async function publicationStep(chain, beast, state, { season = null, margin = MARGIN, note = "" } = {}) {
  const whose = season ?? (await chain.read("SeasonRegistry", "effectiveSeason"));
  const [{ publicationAge }, published, { time }] = await Promise.all([
    chain.read("SeasonRegistry", "economics", whose),
    chain.read("StateArchive", "publicationOf", state),
    chain.head(),
  ]);
  if (published.time && published.time + publicationAge >= BigInt(time) + margin) return null;
  const [header, weights] = await Promise.all([get(`/v1/states/${state}`), bytes(`/v1/states/${state}/weights`)]);
  return {
    title: `Publish the state of beast ${beast}`,
    to: "StateArchive",
    call: "publish",
    args: [headerOf(header), toHex(weights)],
    note: `${note} It shows the brain, not the dataset, and stays in public for ever.`.trim(),
    // The contract hashes what it is given, so the server's bytes need not be believed.
    check: (hash) =>
      hash === state ? null : ["What this server gives as the state ", hex(state), " has the hash ", hex(hash), "."],
    done: () => ({ text: ["The state ", hex(state), " is on chain."], next: {} }),
  };
}

const headerOf = ({ beast, parent, global_step, active_mask, window_loss, arena }) => ({
  beastId: BigInt(beast),
  parent,
  globalStep: BigInt(global_step),
  activeMask: BigInt(active_mask),
  windowLoss: BigInt(window_loss),
  arena: BigInt(arena),
});

export const publish = {
  name: "publish",
  title: "Publish a state",
  text: "Put the state of a beast's last final window on chain, so that everybody can replay and disprove its matches. Anybody may.",
  fields: [BEAST],
  async plan(chain, account, values) {
    const beast = beastOf(values);
    const record = await lastFinal(chain, beast);
    const step = await publicationStep(chain, beast, record.payload.h128);
    const facts = [
      ["State", hex(record.payload.h128)],
      ["Of window", String(record.index)],
    ];
    const beasts = [["Its brain", beast]];
    if (step) return { facts, beasts, step };
    const { time } = await chain.read("StateArchive", "publicationOf", record.payload.h128);
    return { facts, beasts, done: `It is on chain since ${told(time, "time")}.` };
  },
};
