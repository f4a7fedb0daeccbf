// What is said to people who listen to the page: seldom, and only the newest of what came together.

const PAUSE_MS = 3000;

let waiting = null;
let timer = null;
let silentUntil = 0;

function say() {
  timer = null;
  silentUntil = performance.now() + PAUSE_MS;
  document.getElementById("announcer").textContent = waiting;
}

/** Have a sentence read out when the reader is not busy. One that comes before the last was read takes its place. */
export function announce(text) {
  waiting = text;
  timer ??= setTimeout(say, Math.max(0, silentUntil - performance.now()));
}
