// The kernel's tables, fetched once from the file that Python and Solidity take them from, and its identity.
import { concat, toHex, uint } from "./bytes.js";
import { keccak } from "./keccak.js";
import { readTerrains } from "./terrains.js";

export const VERSION = "chainbeasts-kernel-2";

/** Kernels that contracts may still run, and this page does not. */
const FORMER = ["chainbeasts-kernel-1"];

/**
 * Tables of a parsed tables.json: exp (docs/spec/network.md §4), terrains of 8 big-endian bytes a board, kernelId (docs/spec/state.md §1), and
 * `former(id)`, the version of a former kernel by its id in hex, null if it is none of them.
 */
export function readTables({ exp, templates }) {
  const terrains = readTerrains({ templates });
  const tables = concat(
    ...exp.map((value) => uint(value, 2)),
    ...terrains.flatMap(({ walls, hazards }) => [walls, hazards]),
  );
  const idOf = (version) => keccak(concat(new TextEncoder().encode(version), tables));
  const former = (id) => FORMER.find((version) => toHex(idOf(version)) === id) ?? null;
  return { exp, terrains, kernelId: idOf(VERSION), former };
}
