// The kernel's tables, fetched once from the file that Python and Solidity take them from, and its identity.
import { concat, fromHex, uint } from "./bytes.js";
import { keccak } from "./keccak.js";

const VERSION = "chainbeasts-kernel-1";

/** Tables of a parsed tables.json: terrains of 8 big-endian bytes a board, and kernelId (docs/spec/state.md §1). */
export function readTables({ exp, templates }) {
  const terrains = templates.map(({ name, walls, hazards }) => ({
    name,
    walls: fromHex("0x" + walls),
    hazards: fromHex("0x" + hazards),
  }));
  const kernelId = keccak(
    concat(
      new TextEncoder().encode(VERSION),
      ...exp.map((value) => uint(value, 2)),
      ...terrains.flatMap(({ walls, hazards }) => [walls, hazards]),
    ),
  );
  return { terrains, kernelId };
}
