// Where the reader was: how far down each entry of the tab's history was scrolled.

const KEY = "chainbeasts-scrolled";
const KEPT = 100;

const heights = new Map();
let [entry, settled, made] = ["", false, 0];

function load() {
  try {
    for (const [name, y] of JSON.parse(sessionStorage.getItem(KEY) || "[]")) heights.set(name, y);
  } catch {
    // a browser that keeps nothing, or something else under our key
  }
}

function save() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...heights]));
  } catch {
    // kept for this document only
  }
}

/** The entries that were scrolled last are the ones kept. */
function note(y) {
  heights.delete(entry);
  heights.set(entry, y);
  if (heights.size > KEPT) heights.delete(heights.keys().next().value);
}

/** Write down an entry or its address; a browser may refuse who does so too often, and what is lost is worth no view. */
export function rewrite(state, address = null) {
  try {
    history.replaceState(state, "", address);
  } catch {
    // it stays as it was
  }
}

/** Take over from the browser, which restores before there is anything to scroll. */
export function startPlaces() {
  history.scrollRestoration = "manual";
  load();
  addEventListener("scroll", () => settled && note(scrollY), { passive: true });
  addEventListener("pagehide", save);
}

/** Name the entry that the tab is at now; nothing is noted until `settle`. */
export function arrive() {
  settled = false;
  entry = history.state?.entry;
  if (!entry) {
    entry = `${Date.now()}-${made++}`;
    rewrite({ ...history.state, entry });
  }
}

/** Scroll to where the reader was in this entry, or to the top of a new one. */
export function settle() {
  scrollTo(0, heights.get(entry) ?? 0);
  settled = true;
}
