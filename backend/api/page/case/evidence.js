// What a bundle says, and what a replay of it finds.
import { openBundle } from "./bundle.js";
import { examine } from "./examine.js";
import { Uncomputable } from "./replay.js";
import { Refused } from "./zip.js";

/** @param tell hears {kind: "refused", reason}, or {kind: "opened", manifest} and what `examine` tells */
export function examineBundle(bytes, tables, decompress, tell) {
  let opened;
  try {
    opened = openBundle(bytes, tables, decompress);
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Uncomputable)) throw error;
    tell({ kind: "refused", reason: error.message });
    return;
  }
  tell({ kind: "opened", manifest: opened.manifest });
  examine(opened.job, tables, tell);
}
