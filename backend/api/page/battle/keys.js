// The replay's keys, unless what has the focus needs them itself, or is a control outside the player.
const OWN_KEYS = "input, select, textarea, summary, pre, .scroll";

/** What keys do, for people. */
export const KEYS = "Keys: space plays, ← and → step, Home and End go to the ends, F fills the screen.";

/** Listen until `signal` is aborted; `actions` are by the key that they are called with. */
export function listen(actions, player, signal) {
  addEventListener(
    "keydown",
    (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest(OWN_KEYS)) return;
      if (event.key === " " && event.target.closest("button, a")) return;
      // Where nothing has it, the focus is on what the player is in.
      if (!player.contains(event.target) && !event.target.contains(player)) return;
      const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!action) return;
      event.preventDefault();
      action();
    },
    { signal },
  );
}
