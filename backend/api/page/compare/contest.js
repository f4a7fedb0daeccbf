// Bouts of everybody against everybody, played in a worker while the reader watches the table fill.
import { h, onLeave, show, table } from "../dom.js";
import { count, percent, plural } from "../format.js";
import { WinTable, pairs } from "./bouts.js";

const SEEDS = 100;
const FIRST = 1n;

/** Wins, draws and losses of `i` against `k`. */
const cell = ({ won, drawn }, i, k) => (i === k ? "—" : `${won[i][k]} – ${drawn[i][k]} – ${won[k][i]}`);

/**
 * The section of the bouts.
 * @param fighters [{id, name, dna, brain}]
 */
export function contest(fighters, terrains, rules, signal) {
  const total = pairs(fighters.length).length * 2 * SEEDS;
  const progress = h("progress", { max: total, value: 0, "aria-label": "Bouts played", hidden: true });
  const said = h("p", { class: "hint", role: "status" });
  const shown = h("div");
  const go = h("button", { type: "button", class: "more", onclick: start }, `Fight ${plural(total, "bout")}`);
  const stop = h("button", { type: "button", class: "more", onclick: () => cancel(), hidden: true }, "Cancel");
  const named = ({ name, id }) => `${name} № ${id}`;
  let worker = null;
  let latest = null;

  function end(text) {
    worker?.terminate();
    worker = null;
    [go.hidden, stop.hidden] = [false, true];
    show(said, text);
  }

  function start() {
    [go.hidden, stop.hidden, progress.hidden] = [true, false, false];
    show(said, "They fight…");
    stop.focus();
    latest = new WinTable(fighters.length);
    draw();
    worker = new Worker("/worker/bouts.js", { type: "module" });
    worker.onmessage = ({ data: { done, table: found } }) => {
      latest = found;
      draw();
      if (done)
        end(`${plural(found.bouts, "bout")} fought, ${(found.turns / found.bouts).toFixed(1)} turns each on average.`);
    };
    worker.onerror = () => end("The bouts could not be played.");
    worker.postMessage({
      terrains,
      rules,
      fighters: fighters.map(({ dna, brain: { mask, weights } }) => ({ dna, mask, weights })),
      first: FIRST,
      seeds: SEEDS,
    });
  }

  function cancel() {
    end(`Cancelled after ${plural(latest.bouts, "bout")} of ${count(total)}.`);
    go.focus();
  }

  function draw() {
    progress.value = latest.bouts;
    const rows = fighters.map((one, i) => {
      const points = WinTable.points(latest, i);
      return [
        [named(one)],
        ...fighters.map((_, k) => [cell(latest, i, k)]),
        [h("b", {}, points === null ? "—" : percent(points))],
      ];
    });
    show(
      shown,
      table(
        "Won – drawn – lost, by the row's beast against the column's",
        ["Beast", ...fighters.map(named), "Points"],
        rows,
      ),
    );
  }

  onLeave(signal, () => worker?.terminate());
  const ids = fighters.map(({ id }) => id);
  return h(
    "section",
    { class: "contest", "aria-labelledby": "contest" },
    h("h2", { id: "contest" }, "Bouts"),
    h(
      "p",
      {},
      `Each pair on the same ${SEEDS} battle seeds from both sides, by the newest season's rules, in your browser. `,
      "Rows won – drawn – lost against columns; a win is a point, a draw half a one.",
    ),
    h("p", { class: "controls" }, go, stop, progress),
    said,
    shown,
    h(
      "p",
      { class: "hint" },
      "The same bouts by the command line, if these are final: ",
      h(
        "code",
        {},
        `chainbeasts battle gauntlet ${ids[0]} --against ${ids.slice(1).join(" ")} --seeds ${SEEDS} --first ${FIRST}`,
      ),
    ),
  );
}
