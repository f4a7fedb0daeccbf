// Building the document. Text only ever becomes text nodes and attributes, never markup: whatever the chain says
// cannot become part of the page.

import { keepFocus, keepOpen } from "./patch.js";

export { keepFocus, keepOpen, keyed } from "./patch.js";

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "max", "min", "step"]);

const present = (children) =>
  children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "vars") for (const [name, v] of Object.entries(value)) element.style.setProperty(`--${name}`, v);
    else if (PROPERTIES.has(key)) element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...present(children));
  return element;
}

/** An element: `h("p", { class: "x", onclick: f, vars: { hue: 3 } }, "text", other)`; absent children are left out. */
export const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/** The same for SVG. */
export const s = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

const ICONS = {
  power: "M13 2 4 14h6l-1 8 9-12h-6z",
  defense: "M12 2 4 5v6c0 5 3.4 9 8 11 4.6-2 8-6 8-11V5z",
  hp: "M12 21C5 15 2.5 11.5 2.5 8A4.8 4.8 0 0 1 12 6.4 4.8 4.8 0 0 1 21.5 8c0 3.5-2.5 7-9.5 13z",
  stamina: "M12 2c1 4 6 6 6 12a6 6 0 0 1-12 0c0-3 1.6-4.6 3-6 .3 2 1 3 2 3.4C10.600 8 10.800 5 12 2z",
  beasts:
    "M5 20c-1.500-5-1-10 1-15l4 3h4l4-3c2 5 2.500 10 1 15-4 2.600-10 2.600-14 0zM9 12v2M15 12v2M10 17.500c1.300 1 2.700 1 4 0",
  battles: "M4 4l12 12M20 4 8 16M4 20l4-4M20 20l-4-4M6 14l4 4M18 14l-4 4",
  disputes: "M12 3v18M7 21h10M4 7h16M4 7l-2.500 7h5zM20 7l-2.500 7h5z",
  leaderboard: "M7 4h10v5a5 5 0 0 1-10 0zM7 6H3c0 3 1.500 5 4.500 5M17 6h4c0 3-1.500 5-4.500 5M12 14v4M8 21h8",
  season:
    "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 1v3M12 20v3M1 12h3M20 12h3M4.200 4.200l2 2M17.800 17.800l2 2M4.200 19.800l2-2M17.800 6.200l2-2",
  home: "M4 11 12 4l8 7M6 9.500V20h12V9.500M10 20v-6h4v6",
  search: "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM15.500 15.500 21 21",
  duplicate: "M9 9h11v11H9zM5 15H4V4h11v1",
  act: "M3 8h15a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3zM3 8l11-5 2 5M16.500 14h1",
  sun: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 1v3M12 20v3M1 12h3M20 12h3",
  moon: "M20 14A8.500 8.500 0 0 1 10 4a8.500 8.500 0 1 0 10 10z",
  auto: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
};
const SOLID = new Set(["power", "defense", "hp", "stamina", "moon"]);

/** A picture that repeats what the text beside it says. */
export function icon(name) {
  const kind = SOLID.has(name) ? "icon solid" : "icon";
  return s(
    "svg",
    { class: `${kind} ${name}`, viewBox: "0 0 24 24", "aria-hidden": "true" },
    s("path", { d: ICONS[name] }),
  );
}

/** Put children in an element's place of its former ones. */
export const show = (element, ...children) => element.replaceChildren(...present(children));

/** The same for news: focus, open parts and scrolling stay as the reader left them. */
export const redraw = (element, ...children) =>
  keepFocus(element, () => keepOpen(element, () => show(element, ...children)));

/** What a view is about: its heading, and a sentence below. */
export const lead = (title, ...text) => h("header", { class: "lead" }, h("h1", {}, title), h("p", {}, ...text));

/**
 * An empty or failed view: what is so, what to do next, and the commands for it.
 * @param level of its heading: 1 where it is all that a view has
 */
export function notice(title, text, commands = [], kind = "empty", level = 2) {
  return h(
    "section",
    { class: `notice ${kind}`, role: kind === "error" ? "alert" : null },
    h(`h${level}`, {}, title),
    text ? h("p", {}, text) : null,
    commands.length ? h("pre", { tabindex: 0 }, h("code", {}, commands.join("\n"))) : null,
  );
}

/** A table with a caption for readers; `rows` hold cells, a cell is text, an element, or {head: …} for a row's name. */
export function table(caption, heads, rows, kind = "") {
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      { class: kind },
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, ...heads.map((head) => (head ? h("th", { scope: "col" }, head) : h("td"))))),
      h(
        "tbody",
        {},
        ...rows.map((cells) =>
          h(
            "tr",
            {},
            ...cells.map((cell, i) => h(i ? "td" : "th", i ? { "data-head": heads[i] } : { scope: "row" }, cell)),
          ),
        ),
      ),
    ),
  );
}

/**
 * Call `end` when the reader leaves a view, or at once if that has happened: what was asked for in between goes on after
 * the answer, and what it starts then would never end.
 */
export function onLeave(signal, end) {
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
}
