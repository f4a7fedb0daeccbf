// Where the reader is on the way of an action.
import { h } from "../dom.js";

const STEPS = [
  ["choose", "Choose"],
  ["check", "Check"],
  ["sign", "Sign"],
  ["result", "Result"],
];

/** @returns {{element, at}} `at(step)` marks "choose", "check", "sign" or "result" as the present one */
export function progress() {
  const items = STEPS.map(([name, label]) => h("li", { class: name }, label));
  const at = (step) =>
    items.forEach((item, i) => {
      const here = STEPS.findIndex(([name]) => name === step);
      item.classList.toggle("done", i < here);
      if (i === here) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
  at("choose");
  return { element: h("ol", { class: "progress-steps", "aria-label": "Steps" }, items), at };
}
