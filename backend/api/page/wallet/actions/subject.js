// What actions are about: one beast or one match, as their forms ask for it and their plans read it.
import { Refusal } from "../refusal.js";
import { parseId } from "../units.js";

export const BEAST = { name: "beast", label: "Beast", kind: "id", example: "1", offers: ["beasts"] };
const MATCH = { name: "match", label: "Match", kind: "id", example: "1" };
/** A match, of which those of the reader's that stand so are offered. */
export const matchThatIs = (status) => ({ ...MATCH, offers: ["matches", status] });

/** The beast's number; throws a Refusal without one. */
export function beastOf({ beast }) {
  const id = parseId(beast);
  if (!id) throw new Refusal("Which beast?", "Name it by its number.");
  return id;
}

/** Values of the contract's MatchStatus. */
export const CHALLENGED = 1n;
export const ACCEPTED = 2n;
export const SEEDED = 3n;
export const RECORDED = 4n;
const STATUS = ["unknown", "challenged", "accepted", "seeded", "recorded", "final", "cancelled", "expired"];

/** Values of its MatchResult. */
export const RESULTS = ["A won", "B won", "nobody won"];

/** The match as the arena has it; throws a Refusal if there is none, or it stands nowhere where the action is for. */
export async function matchOf(chain, { match }, ...wanted) {
  const id = parseId(match);
  if (!id) throw new Refusal("Which match?", "Name it by its number.");
  const found = await chain.read("Arena", "matchOf", id);
  if (!wanted.includes(found.status))
    throw new Refusal(
      found.status ? `Match ${id} is ${STATUS[found.status]}.` : `There is no match ${id}.`,
      `This is for a match that is ${wanted.map((one) => STATUS[one]).join(" or ")}.`,
    );
  return { id, ...found };
}

/** The two beasts of a match, as a plan names them. */
export const both = ({ beastA, beastB }) => [
  ["A", beastA],
  ["B", beastB],
];

export const toBeast = (id) => [`#/beasts/${id}`, `Beast ${id}`];
export const toMatch = (id) => [`#/battles/${id}`, `Match ${id}`];
