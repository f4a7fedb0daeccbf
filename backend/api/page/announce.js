// What is said to people who listen to the page: seldom, and of what came together the newest of each kind.

const PAUSE_MS = 3000;

const waiting = new Map();
let timer = null;
let silentUntil = 0;

function say() {
  timer = null;
  silentUntil = performance.now() + PAUSE_MS;
  document.getElementById("announcer").textContent = [...waiting.values()].join(" · ");
  waiting.clear();
}

/**
 * Have a sentence read out when the reader is not busy.
 * @param kind what it is about: it takes the place of one of its kind that was not read yet, and of no other
 */
export function announce(text, kind = "view") {
  waiting.set(kind, text);
  timer ??= setTimeout(say, Math.max(0, silentUntil - performance.now()));
}
