// What plans and refusals are told in: text, and values of which a reader may want more than a sentence has room for. They
// are drawn by draw.js: amounts short, accounts and hashes in brief, each with the whole behind a copy button.
import { coinOf, energyOf } from "./units.js";

export const energy = (wei) => ({ kind: "energy", wei });
export const coin = (wei) => ({ kind: "coin", wei });
/** An account or a hash. */
export const hex = (value) => ({ kind: "hex", value });

const PLAIN = {
  energy: ({ wei }) => energyOf(wei),
  coin: ({ wei }) => coinOf(wei),
  hex: ({ value }) => value,
};

/** Text and values in plain words, with all their digits. */
export const plain = (parts) =>
  [parts]
    .flat()
    .map((part) => (typeof part === "string" ? part : PLAIN[part.kind](part)))
    .join("");
