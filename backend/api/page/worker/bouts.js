// Plays bouts beside the page: told {terrains, rules, fighters, first, seeds}, tells {done, table} again and again.
import { WinTable, bouts } from "../compare/bouts.js";

const TELL_MS = 100;

addEventListener("message", ({ data: { terrains, rules, fighters, first, seeds } }) => {
  const table = new WinTable(fighters.length);
  let told = performance.now();
  for (const bout of bouts(terrains, rules, fighters, first, seeds)) {
    table.add(bout);
    if (performance.now() - told < TELL_MS) continue;
    told = performance.now();
    postMessage({ done: false, table });
  }
  postMessage({ done: true, table });
});
