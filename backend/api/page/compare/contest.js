// Bouts of everybody against everybody, played in a worker while the reader watches: a few as soon as they are seen, all
// of them when asked for.
import { face, colours } from "../beastly.js";
import { h, onLeave, show, table } from "../dom.js";
import { count, percent, plural } from "../format.js";
import { WinTable, pairs } from "./bouts.js";
import { inkVars } from "./inks.js";

/** Battle seeds of all bouts, and of the few that are fought unasked: the first of the same ones. */
const SEEDS = 100;
const FEW = 10;
const FIRST = 1n;

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Wins, draws and losses of `i` against `k`. */
const cell = ({ won, drawn }, i, k) => (i === k ? "—" : `${won[i][k]} – ${drawn[i][k]} – ${won[k][i]}`);

const token = ({ id, beast }) =>
  h("span", { class: "token", "aria-hidden": "true", vars: colours(beast.dna) }, face(beast.dna, id));

/** Two of them, and between them a bar of who has won how much so far; what it shows stands in the table. */
function duel(fighters, [i, k]) {
  const part = (kind, vars = {}) => h("span", { class: kind, vars });
  const [won, drawn, lost] = [part("won", inkVars(i)), part("drawn"), part("lost", inkVars(k))];
  return {
    element: h(
      "li",
      { "aria-hidden": "true" },
      token(fighters[i]),
      h("span", { class: "tug" }, won, drawn, lost),
      token(fighters[k]),
    ),
    draw(found) {
      const parts = [found.won[i][k], found.drawn[i][k], found.won[k][i]];
      [won, drawn, lost].forEach((one, at) => {
        one.style.flexGrow = String(parts[at]);
        show(one, parts[at] ? String(parts[at]) : null);
      });
    },
  };
}

/**
 * The section of the bouts.
 * @param fighters [{id, name, dna, beast, brain}]
 */
export function contest(fighters, terrains, rules, signal) {
  const ends = pairs(fighters.length);
  const bouts = (seeds) => ends.length * 2 * seeds;
  const duels = ends.map((pair) => duel(fighters, pair));
  const progress = h("progress", { max: bouts(FEW), value: 0, "aria-label": "Bouts played" });
  const said = h("p", { class: "hint", role: "status" });
  const shown = h("div");
  const go = h(
    "button",
    { type: "button", class: "more", onclick: () => (start(SEEDS), stop.focus()) },
    `Fight ${plural(bouts(SEEDS), "bout")}`,
  );
  const stop = h("button", { type: "button", class: "more", onclick: () => cancel(), hidden: true }, "Cancel");
  const named = ({ name, id }) => `${name} № ${id}`;
  let worker = null;
  let latest = new WinTable(fighters.length);
  let wanted = 0;

  function end(text) {
    worker?.terminate();
    worker = null;
    [go.hidden, stop.hidden] = [false, true];
    draw();
    show(said, text);
  }

  function start(seeds) {
    seen.disconnect();
    [go.hidden, stop.hidden] = [true, false];
    wanted = bouts(seeds);
    [progress.max, progress.value] = [wanted, 0];
    show(said, "They fight…");
    latest = new WinTable(fighters.length);
    worker = new Worker("/worker/bouts.js", { type: "module" });
    worker.onmessage = ({ data: { done, table: found } }) => {
      latest = found;
      progress.value = found.bouts;
      if (done)
        end(`${plural(found.bouts, "bout")} fought, ${(found.turns / found.bouts).toFixed(1)} turns each on average.`);
      else if (!still()) draw();
    };
    worker.onerror = () => end("The bouts could not be played.");
    worker.postMessage({
      terrains,
      rules,
      fighters: fighters.map(({ dna, brain: { mask, weights } }) => ({ dna, mask, weights })),
      first: FIRST,
      seeds,
    });
  }

  function cancel() {
    end(`Cancelled after ${plural(latest.bouts, "bout")} of ${count(wanted)}.`);
    go.focus();
  }

  function draw() {
    duels.forEach((one) => one.draw(latest));
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

  // Not before the reader sees it, and then not before it has been painted.
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => signal.aborted || worker || latest.bouts || start(FEW)));
  });
  draw();
  const ids = fighters.map(({ id }) => id);
  const element = h(
    "section",
    { class: "contest", "aria-labelledby": "contest" },
    h("h2", { id: "contest" }, "Bouts"),
    h("ul", { class: "duels" }, ...duels.map((one) => one.element)),
    h("p", { class: "controls" }, go, stop, progress),
    said,
    shown,
    h(
      "p",
      { class: "hint" },
      `Each pair on the same battle seeds from both sides, by the newest season's rules, in your browser: on the first ${FEW} at once, on ${SEEDS} if you ask. `,
      "Rows won – drawn – lost against columns; a win is a point, a draw half a one. By the command line, if these brains are final: ",
      h(
        "code",
        {},
        `chainbeasts battle gauntlet ${ids[0]} --against ${ids.slice(1).join(" ")} --seeds ${SEEDS} --first ${FIRST}`,
      ),
    ),
  );
  seen.observe(element);
  onLeave(signal, () => {
    seen.disconnect();
    worker?.terminate();
  });
  return element;
}
