// One match of the cases that test_kernel.py writes, and the server that has its states.
import { readFileSync } from "node:fs";

import { fromHex, toBig, toHex } from "../../backend/api/page/kernel/bytes.js";

export const [bout] = JSON.parse(readFileSync(process.env.CHAINBEASTS_PAGE_CASES, "utf-8")).matches;
const tables = readFileSync(new URL("../../backend/kernel/tables.json", import.meta.url));
const vector = new URL("../../docs/spec/vectors/features.json", import.meta.url);
export const KERNEL = JSON.parse(readFileSync(vector)).kernelId;

/** What the server answers with, by address. */
export function answers(stateA = fromHex(bout.stateA), stateB = fromHex(bout.stateB)) {
  const found = { "/kernel/tables.json": tables };
  [stateA, stateB].forEach((state, i) => {
    const word = (k) => state.subarray(32 * k, 32 * k + 32);
    const [beast, , global_step, active_mask, window_loss] = [0, 1, 2, 3, 4].map((k) => toBig(word(k)));
    const header = { beast: String(beast), parent: toHex(word(1)), arena: toHex(word(5)) };
    const numbers = {
      global_step: Number(global_step),
      active_mask: Number(active_mask),
      window_loss: Number(window_loss),
    };
    found[`/v1/states/${bout.hashes[i]}`] = JSON.stringify({ ...header, ...numbers });
    found[`/v1/states/${bout.hashes[i]}/weights`] = state.slice(192);
  });
  return found;
}

/** Let the page's modules ask a server that has these answers. */
export function serve(found) {
  globalThis.fetch = async (path) =>
    new Response(found[path] ?? '{"detail":"There is none.","hint":""}', { status: path in found ? 200 : 404 });
}
