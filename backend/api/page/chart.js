// Curves over micro-steps, drawn by uPlot, which is loaded when the first one has something to show. Several of them share
// one cursor and one zoom; each ends with the signal that it was given.
import { h, onLeave, show } from "./dom.js";
import { count } from "./format.js";
import { ink } from "./theme.js";

/** Pixels between the epochs that are drawn, and between what is written beside marks: where life is dense, some is left out. */
const EPOCHS_APART = 36;
const WORDS_APART = 64;

let library = null;

function load() {
  if (!library) {
    document.head.append(h("link", { rel: "stylesheet", href: "/vendor/uplot.css" }));
    library = import("/vendor/uplot.js");
    library.catch(() => (library = null)); // the next chart asks again
  }
  return library;
}

const present = (value) => value !== null && value !== undefined;

/** Vertical lines of `marks` = [{step, kind, ink, text}], and at the foot a band of `spans` = [{from, to, ink}]. */
function drawMarks(plot, { marks, spans }) {
  const { ctx, bbox } = plot;
  const at = (step) => Math.round(plot.valToPos(step, "x", true));
  const ratio = devicePixelRatio || 1;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { from, to, ink: name } of spans) {
    ctx.fillStyle = ink(name);
    ctx.fillRect(at(from), bbox.top + bbox.height - 4 * ratio, Math.max(at(to) - at(from), ratio), 4 * ratio);
  }
  ctx.font = `${10 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  let [epoch, written] = [-Infinity, -Infinity];
  for (const { step, kind, ink: name, text } of marks) {
    if (kind === "epoch" && at(step) - epoch < EPOCHS_APART * ratio) continue;
    if (kind === "epoch") epoch = at(step);
    ctx.strokeStyle = ctx.fillStyle = ink(name);
    ctx.lineWidth = kind === "now" ? 2 * ratio : ratio;
    ctx.setLineDash(kind === "epoch" ? [2 * ratio, 4 * ratio] : []);
    ctx.beginPath();
    ctx.moveTo(at(step), bbox.top);
    ctx.lineTo(at(step), bbox.top + bbox.height);
    ctx.stroke();
    if (!text || Math.abs(at(step) - written) < WORDS_APART * ratio) continue;
    written = at(step);
    ctx.fillText(text, written + 3 * ratio, bbox.top + 10 * ratio);
  }
  ctx.restore();
}

function options(spec, width, hooks) {
  const { series, read, top, unit, height, sync } = spec;
  const axis = { stroke: ink("muted"), grid: { stroke: ink("line"), width: 1 }, ticks: { stroke: ink("line") } };
  const say = (value) => (present(value) ? read(value) : "—");
  return {
    width,
    height,
    scales: { x: { time: false }, y: top ? { range: [0, top] } : { range: (_, low, high) => [0, (high || 1) * 1.08] } },
    legend: { live: true },
    cursor: { y: false, sync: { key: sync, scales: ["x", null] }, drag: { x: true, y: false } },
    hooks,
    axes: [
      { ...axis, label: "micro-steps", labelSize: 16, size: 34, values: (_, ticks) => ticks.map(count) },
      { ...axis, size: 58, label: unit, labelSize: 18, values: (_, ticks) => ticks.map(read) },
    ],
    series: [
      { label: "step", value: (_, value) => (present(value) ? count(value) : "—") },
      ...series.map(({ label, ink: name, points, dash, width: line = 2 }) => ({
        label,
        stroke: ink(name),
        width: line,
        dash,
        spanGaps: true,
        points: { show: Boolean(points), size: 5, fill: ink(name) },
        value: (_, value) => say(value),
      })),
    ],
  };
}

/**
 * A figure with `spec` = {label, unit, series, read, top, height, sync}; a series is {label, ink, points, dash, width}.
 * @param onPick given the step that the reader clicks on
 * @param onZoom given [from, to] in steps whenever the reader draws one
 * @returns {{element, draw, zoom, remark}} `draw([x, ...ys], extras)` shows the columns with marks and spans, and says in
 *   words how they end; `remark(extras)` only the marks; `zoom([from, to])` a part, null all of it
 */
export function chart(spec, { signal, onPick = () => {}, onZoom = () => {} }) {
  const area = h("div", { class: "plot", "aria-hidden": "true", vars: { height: `${spec.height}px` } });
  const text = h("p", { class: "ends" });
  const element = h("figure", {}, h("figcaption", {}, spec.label), area, text);
  let [plot, colours, extras, range, setting] = [null, "", { marks: [], spans: [] }, null, false];

  function close() {
    plot?.destroy();
    plot = null;
  }
  onLeave(signal, close);

  const hooks = {
    draw: [(u) => drawMarks(u, extras)],
    setScale: [
      (u, key) => {
        if (key !== "x" || setting || !u.data[0].length) return;
        const { min, max } = u.scales.x;
        const all = min <= u.data[0][0] && max >= u.data[0].at(-1);
        range = all ? null : [min, max];
        onZoom(range);
      },
    ],
    ready: [
      (u) => {
        let pressed = 0;
        u.over.addEventListener("mousedown", ({ clientX }) => (pressed = clientX));
        u.over.addEventListener("mouseup", ({ clientX, offsetX }) => {
          if (Math.abs(clientX - pressed) < 3) onPick(u.posToVal(offsetX, "x"));
        });
      },
    ],
  };

  function scale() {
    if (!plot) return;
    const x = plot.data[0];
    const [min, max] = range ?? [x[0], x.at(-1)];
    setting = true; // what is set by the page is not told back to it
    if (min < max) plot.setScale("x", { min, max });
    else plot.setData(plot.data); // the axis of a single point has no length: uPlot gives it one
    setting = false;
  }

  async function draw(columns, found) {
    extras = found;
    const [x, ...ys] = columns;
    const last = ys.map((y) => y.findLast(present));
    const ends = spec.series.flatMap(({ label }, i) => (present(last[i]) ? [`${label} ${spec.read(last[i])}`] : []));
    show(text, ends.length ? `Now: ${ends.join(", ")}.` : "Nothing measured yet.");
    element.dataset.points = String(ys[0].filter(present).length);
    if (!ends.length) {
      close();
      return show(area);
    }
    const { default: UPlot } = await load();
    if (signal.aborted) return;
    const width = Math.max(area.clientWidth, 200);
    const now = ink("muted") + ink("accent");
    setting = true;
    if (plot && colours === now) {
      if (plot.width !== width) plot.setSize({ width, height: spec.height });
      plot.setData(columns, range === null);
      if (range) plot.redraw();
    } else {
      close();
      colours = now;
      show(area);
      plot = new UPlot(options(spec, width, hooks), columns, area);
      if (range) scale();
    }
    setting = false;
  }

  return {
    element,
    draw,
    zoom(to) {
      range = to;
      scale();
    },
    remark(found) {
      extras = found;
      plot?.redraw(false);
    },
  };
}
