// One chart over micro-steps, drawn by uPlot, which is loaded when the first one has something to show.
import { h, show } from "./dom.js";
import { count } from "./format.js";
import { ink } from "./theme.js";

const HEIGHT = 220;
let library = null;

function load() {
  if (!library) {
    document.head.append(h("link", { rel: "stylesheet", href: "/vendor/uplot.css" }));
    library = import("/vendor/uplot.js");
  }
  return library;
}

function options({ series, read, top }, width) {
  const axis = { stroke: ink("muted"), grid: { stroke: ink("line"), width: 1 }, ticks: { stroke: ink("line") } };
  return {
    width,
    height: HEIGHT,
    scales: { x: { time: false }, y: top ? { range: [0, top] } : { range: (_, low, high) => [0, (high || 1) * 1.08] } },
    legend: { live: true },
    cursor: { y: false },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map(count) },
      { ...axis, size: 56, values: (_, ticks) => ticks.map(read) },
    ],
    series: [
      { label: "step", value: (_, value) => (value === null ? "—" : count(value)) },
      ...series.map(({ label, ink: name, points }) => ({
        label,
        stroke: ink(name),
        width: points ? 2 : 1.5,
        spanGaps: true,
        points: { show: Boolean(points), size: 6, fill: ink(name) },
        value: (_, value) => (value === null || value === undefined ? "—" : read(value)),
      })),
    ],
  };
}

/**
 * A figure with `series` of {label, ink, points} over steps.
 * @returns {{element, draw}} `draw([x, ...ys])` shows the columns, and says in words how they end
 */
export function chart(spec) {
  const area = h("div", { class: "plot", "aria-hidden": "true" });
  const text = h("p", { class: "ends" });
  const element = h("figure", {}, h("figcaption", {}, spec.label), area, text);
  let plot = null;
  let colours = "";

  async function draw(columns) {
    const [x, ...ys] = columns;
    const last = ys.map((y) => y.findLast((value) => value !== null && value !== undefined));
    const ends = spec.series.flatMap(({ label }, i) =>
      last[i] === undefined ? [] : [`${label} ${spec.read(last[i])}`],
    );
    show(text, ends.length ? `Now: ${ends.join(", ")}.` : "Nothing measured yet.");
    element.dataset.points = String(x.length);
    if (!ends.length) {
      plot?.destroy();
      plot = null;
      show(area);
      return;
    }
    const { default: UPlot } = await load();
    const width = Math.max(area.clientWidth, 200);
    const now = ink("muted") + ink("accent");
    if (plot && colours === now) {
      if (plot.width !== width) plot.setSize({ width, height: HEIGHT });
      plot.setData(columns);
      return;
    }
    plot?.destroy();
    colours = now;
    show(area);
    plot = new UPlot(options(spec, width), columns, area);
  }

  return { element, draw };
}
