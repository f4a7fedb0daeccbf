// The replay's keys, wherever the reader is on the page, unless what has the focus needs them itself.
const OWN_KEYS = "input, select, textarea, summary, pre, .scroll";

/** What keys do, for people. */
export const KEYS = "Keys: space plays, ← and → step, Home and End go to the ends, F fills the screen.";

/** Listen until `signal` is aborted; `actions` are by the key that they are called with. */
export function listen(actions, signal) {
  addEventListener(
    "keydown",
    (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest(OWN_KEYS)) return;
      if (event.key === " " && event.target.closest("button, a")) return;
      const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!action) return;
      event.preventDefault();
      action();
    },
    { signal },
  );
}
