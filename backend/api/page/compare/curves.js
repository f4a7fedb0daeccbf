// The losses of several beasts over each other.
import { chart } from "../chart.js";
import { h, onLeave } from "../dom.js";
import { INKS, dashOf } from "./inks.js";

const HEIGHT = 260;

/** Curves of {step, loss} over one axis: [x, ...ys], null where one has no point. */
export function overlaid(curves) {
  const x = [...new Set(curves.flatMap(({ step }) => step))].sort((p, q) => p - q);
  const at = new Map(x.map((step, i) => [step, i]));
  const ys = curves.map(({ step, loss }) => {
    const y = new Array(x.length).fill(null);
    step.forEach((value, i) => (y[at.get(value)] = loss[i]));
    return y;
  });
  return [x, ...ys];
}

/** The section of curves of fighters of {name, id, curve}. */
export function curves(fighters, signal) {
  const figure = chart(
    {
      label: "Loss per micro-step, of each window",
      unit: "loss",
      series: fighters.map(({ name, id }, i) => ({ label: `${name} № ${id}`, ink: INKS[i], dash: dashOf(i) })),
      read: (value) => value.toFixed(1),
      height: HEIGHT,
      sync: "compare",
    },
    { signal },
  );
  const draw = () => figure.draw(overlaid(fighters.map(({ curve }) => curve)), { marks: [], spans: [] });
  const sized = new ResizeObserver(draw);
  sized.observe(figure.element);
  onLeave(signal, () => sized.disconnect());
  document.addEventListener("themechange", draw, { signal });
  return h(
    "section",
    { class: "compared-curves", "aria-labelledby": "compared-curves" },
    h("h2", { id: "compared-curves" }, "Learning"),
    figure.element,
    h("p", { class: "hint" }, "Each beast has its own sources and seeds: a smaller loss is not yet a better fighter."),
  );
}
