// A beast's curves in one chart: loss as the chain has it, what it masters as measured here, and of the metrics stream only
// what is not on chain yet.
import { follow } from "../api.js";
import { chart } from "../chart.js";
import { h, onLeave, show } from "../dom.js";
import { count, percent } from "../format.js";
import { Live } from "../live.js";
import { aligned, changesOf, marksOf, smoothed, spansOf } from "../mind/history.js";

const QUIET_MS = 20_000;
const SMOOTHINGS = [0, 2, 8];

/** What is told in words of a life in which more happened: the latest. */
const MOST_TOLD = 100;

const LOSS = {
  label: "Loss per micro-step (1024 is an error of one)",
  unit: "loss",
  height: 210,
  read: (value) => value.toFixed(0),
  series: [
    { label: "chain, per window", ink: "accent", points: true, width: 1 },
    { label: "smoothed", ink: "accent", width: 2.5 },
    { label: "held-out boards, measured here", ink: "steel" },
    { label: "told, not on chain yet", ink: "moss", dash: [4, 4] },
  ],
};
const SKILL = {
  label: "What it gets right on 256 held-out boards",
  unit: "share",
  height: 190,
  read: percent,
  top: 1,
  series: [
    { label: "moves that are optimal", ink: "accent" },
    { label: "the very move taught", ink: "gold", width: 1.2 },
    { label: "guards", ink: "steel" },
    { label: "told: moves", ink: "moss", dash: [4, 4] },
    { label: "told: guards", ink: "moss", dash: [1, 4] },
  ],
};

/** The lamp and the sentence that say whether the metrics stream is there. */
function lampOf(beast) {
  const lamp = h("span", { class: "lamp", role: "status" });
  const say = h("p", { class: "hint" });
  return {
    lamp,
    say,
    tell(state, hint = "") {
      lamp.dataset.state = state;
      show(lamp, { live: "live", quiet: "connected, nothing trains", away: "no metrics server" }[state]);
      const text = {
        live: "",
        quiet: "What is not on chain yet shows as soon as a trainer runs for this beast: ",
        away: hint || "Everything above is checked. What is not on chain yet would come from a metrics server: ",
      }[state];
      const command = {
        live: "",
        quiet: `chainbeasts trainer run ${beast.id}`,
        away: hint ? "" : "chainbeasts metrics serve",
      }[state];
      show(say, text, command ? h("code", {}, command) : null);
    },
  };
}

/** What the marks of a life mean, oldest first. */
function told(marks) {
  if (!marks.length) return h("li", {}, "Nothing but learning yet.");
  const before = Math.max(marks.length - MOST_TOLD, 0);
  return [
    before ? h("li", {}, `${count(before)} events before these are marked on the curves.`) : null,
    marks.slice(before).map(({ step, words }) => h("li", {}, `step ${count(step)}: ${words}`)),
  ];
}

/**
 * The section of curves of a beast.
 * @param onPick given the step that a reader picks on a curve
 * @returns {{element, chain, exams, now}} the section; `chain(curve, changes)` as the API tells them, `exams` the
 *   marks measured here as [{step, loss, exact, optimal, block}], `now` the step that the film shows
 */
export function learning(beast, signal, onPick) {
  const live = new Live();
  let [curve, marks, spans, exams, now, smoothing, range] = [
    { step: [], loss: [] },
    [],
    [],
    [],
    null,
    SMOOTHINGS[1],
    null,
  ];
  const { lamp, say, tell } = lampOf(beast);
  // A metrics server also remembers windows that fell since: what it recalls up to the last of them is not on its way.
  const recalled = new Set();
  let fallen = 0;
  const plots = [];
  const onZoom = (to) => {
    range = to;
    for (const plot of plots) plot.zoom(to);
  };
  for (const spec of [LOSS, SKILL])
    plots.push(chart({ ...spec, sync: `beast-${beast.id}` }, { signal, onPick, onZoom }));
  const happened = h("ol", { class: "happened" });

  const extras = () => ({
    spans,
    marks: now === null ? marks : [...marks, { step: now, kind: "now", ink: "ink", text: "" }],
  });

  function draw() {
    const head = curve.step.at(-1) ?? 0;
    const told = live.points.filter(({ step }) => step > head && !(recalled.has(step) && step <= fallen));
    const points = (list, key) =>
      list.flatMap((one) => (one[key] === null ? [] : [{ step: one.step, value: one[key] }]));
    const chain = curve.step.map((step, i) => ({ step, value: curve.loss[i] }));
    const loss = aligned(chain, chain, points(exams, "loss"), points(told, "loss"));
    loss[2] = smoothing ? smoothed(loss[1], smoothing) : loss[1].map(() => null);
    plots[0].draw(loss, extras());
    const series = ["optimal", "exact", "block"].map((key) => points(exams, key));
    plots[1].draw(aligned(...series, points(told, "move"), points(told, "block")), extras());
  }

  let waiting = false;
  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (!signal.aborted) draw();
    });
  }

  let quiet = null;
  onLeave(signal, () => clearTimeout(quiet));
  function heard() {
    tell("live");
    clearTimeout(quiet);
    quiet = setTimeout(() => tell("quiet"), QUIET_MS);
  }

  tell("away");
  follow(
    `/v1/metrics?beast=${beast.id}`,
    ({ type, message, past, hint }) => {
      if (type === "away") tell("away", hint || "");
      else if (type === "connected") tell("quiet");
      else if (message?.beast === String(beast.id)) {
        live.add(message);
        if (past) recalled.add(message.step);
        else {
          recalled.delete(message.step);
          heard();
        }
        soon();
      }
    },
    signal,
    (open) => open || tell("away"),
  );
  document.addEventListener("themechange", soon, { signal });
  addEventListener("resize", soon, { signal });

  /** Show a part as long as `factor` times the present one, around the film's step. */
  function zoom(factor) {
    const [first, last] = [0, Math.max(curve.step.at(-1) ?? 0, 1)];
    const [from, to] = range ?? [first, last];
    const length = Math.min((to - from) * factor, last - first);
    const middle = now ?? (from + to) / 2;
    const start = Math.min(Math.max(middle - length / 2, first), last - length);
    onZoom(length >= last - first ? null : [start, start + length]);
  }

  const smooth = h(
    "select",
    {
      onchange: () => {
        smoothing = Number(smooth.value);
        soon();
      },
    },
    ...SMOOTHINGS.map((n) =>
      h("option", { value: n, selected: n === smoothing }, n ? `over ${n} points` : "not smoothed"),
    ),
  );
  const button = (text, label, onclick) =>
    h("button", { type: "button", "aria-label": label, title: label, onclick }, text);
  const element = h(
    "section",
    { class: "learning", "aria-labelledby": "learning" },
    h("h2", { id: "learning" }, "Learning ", lamp),
    h(
      "div",
      { class: "toolbar" },
      h("label", { class: "pick" }, h("span", {}, "Loss "), smooth),
      h(
        "span",
        { class: "zooms" },
        button("+", "Zoom in", () => zoom(0.5)),
        button("−", "Zoom out", () => zoom(2)),
        button("All", "All of its life", () => onZoom(null)),
      ),
      h("span", { class: "hint" }, "Drag over a curve to zoom, click to see its mind at that step."),
    ),
    h("div", { class: "curves" }, ...plots.map((plot) => plot.element)),
    h(
      "p",
      { class: "hint" },
      "The chain's loss rises where another head begins to learn: moving first, then striking, then guarding. ",
      "What it gets right is measured in this browser on published states; nobody's word is needed for it.",
    ),
    say,
    h("details", { id: "happened" }, h("summary", {}, "What happened, in words"), happened),
  );
  return {
    element,
    chain(found, changes) {
      const [before, after] = [curve, found].map(({ step }) => step.at(-1) ?? 0);
      if (after < before) live.upTo(after); // a window fell
      curve = found;
      const checkpoints = changesOf(changes);
      [marks, spans] = [marksOf(checkpoints), spansOf(checkpoints)];
      const fell = checkpoints.filter(({ state }) => state === "slashed" || state === "void");
      fallen = Math.max(0, ...fell.map(({ global_step }) => global_step));
      show(happened, told(marks));
      soon();
    },
    exams(found) {
      exams = found;
      soon();
    },
    now(step) {
      now = step;
      for (const plot of plots) plot.remark(extras());
    },
  };
}
