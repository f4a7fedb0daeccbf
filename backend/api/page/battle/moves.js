// The turns in words, each a button that leads to it; the list keeps the turn shown in sight.
import { h, show } from "../dom.js";
import { sentence } from "../story.js";

/** So high a list shows this much of what came before the turn, in pixels. */
const ROOMY = 130;
const ABOVE = 40;

/**
 * @param go called with the turn that the reader wants to see
 * @returns {{element, course, at}} `course(deeds, names, end, from)` lists a course's turns and how it ended, those from
 *   `from` on being supposed; `at(turn, reached)` marks a turn, and hides those after `reached`
 */
export function moves(go) {
  const list = h("ol");
  const element = h("div", { class: "moves scroll", tabindex: 0, role: "region", "aria-label": "All turns" }, list);
  let lines = [];
  return {
    element,
    course(deeds, names, end, from = Infinity) {
      const told = deeds.map((deed) => (deed ? sentence(deed, names) : "What this led to was not recorded."));
      lines = [...told, end].map((text, i) =>
        h("li", { class: i >= from ? "supposed" : null }, h("button", { type: "button", onclick: () => go(i) }, text)),
      );
      show(list, lines);
    },
    at(turn, reached) {
      lines.forEach((line, i) => {
        line.classList.toggle("current", i === turn);
        if (i === turn) line.firstChild.setAttribute("aria-current", "true");
        else line.firstChild.removeAttribute("aria-current");
        line.hidden = i > reached;
      });
      const line = lines[Math.min(turn, lines.length - 1)];
      const before = element.clientHeight > ROOMY ? ABOVE : 0;
      if (line) element.scrollTop = line.offsetTop - before;
    },
  };
}
