// Light, dark, or as the system is; the choice stays in this browser.
import { h, icon, show } from "./dom.js";

const KEY = "chainbeasts-theme";
const THEMES = { auto: "As the system", light: "Light", dark: "Dark" };
const PICTURE = { auto: "auto", light: "sun", dark: "moon" };

function read() {
  try {
    return localStorage.getItem(KEY) || "auto";
  } catch {
    return "auto"; // a browser that keeps nothing
  }
}

function apply(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Make `button` go through the themes; `changed` is called after each change. */
export function startTheme(button, changed) {
  let theme = read() in THEMES ? read() : "auto";
  const draw = () => {
    apply(theme);
    show(button, icon(PICTURE[theme]), h("span", {}, THEMES[theme]));
    button.setAttribute("aria-label", `Colours: ${THEMES[theme].toLowerCase()}. Change`);
  };
  button.addEventListener("click", () => {
    const names = Object.keys(THEMES);
    theme = names[(names.indexOf(theme) + 1) % names.length];
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // kept for this visit only
    }
    draw();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  draw();
}

const registered = new Set();

/** The colour of a CSS variable, for what is drawn on a canvas. */
export function ink(name) {
  if (!registered.has(name)) {
    // Only a property that is known to be a colour is computed: another would be the text of the pair.
    CSS.registerProperty({ name: `--${name}`, syntax: "<color>", inherits: true, initialValue: "transparent" });
    registered.add(name);
  }
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
