// The turns in words, each a button that leads to it; the list keeps the turn shown in sight.
import { h, show } from "../dom.js";
import { sentence } from "../story.js";

/**
 * @param go called with the turn that the reader wants to see
 * @returns {{element, course, at}} `course(deeds, names, from)` lists a course's turns, those from `from` on being
 *   supposed; `at(turn, reached)` marks a turn, and hides those after `reached`
 */
export function moves(go) {
  const list = h("ol");
  const element = h("div", { class: "moves scroll", tabindex: 0, role: "region", "aria-label": "All turns" }, list);
  let lines = [];
  return {
    element,
    course(deeds, names, from = Infinity) {
      lines = deeds.map((deed, i) =>
        h(
          "li",
          { class: i >= from ? "supposed" : null },
          h("button", { type: "button", onclick: () => go(i) }, deed ? sentence(deed, names) : "The log ends here."),
        ),
      );
      show(list, lines);
    },
    at(turn, reached) {
      lines.forEach((line, i) => {
        line.classList.toggle("now", i === turn);
        line.firstChild.toggleAttribute("aria-current", i === turn);
        line.hidden = i > reached;
      });
      const line = lines[Math.min(turn, lines.length - 1)];
      if (line) element.scrollTop = line.offsetTop - element.clientHeight / 2;
    },
  };
}
