// Asking the server: JSON answers, bytes, and two streams that come back by themselves.

/** An answer that is an error, in the server's two sentences. */
export class Problem extends Error {
  constructor(status, error, hint) {
    super(error);
    this.status = status;
    this.hint = hint;
  }
}

async function ask(path) {
  let answer;
  try {
    answer = await fetch(path);
  } catch {
    throw new Problem(0, "The server does not answer.", "Is it still running? Start it again with: chainbeasts serve");
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Problem(answer.status, said.error || `The server answered ${answer.status}.`, said.hint || "");
}

/** A JSON answer of the API; throws a Problem. */
export const get = async (path) => (await ask(path)).json();

/** The bytes at an address; throws a Problem. */
export const bytes = async (path) => new Uint8Array(await (await ask(path)).arrayBuffer());

/** Up to `most` items of a paged list, and whether there are more. */
export async function list(path, most = 200) {
  const items = [];
  const join = path.includes("?") ? "&" : "?";
  let next = null;
  do {
    const page = await get(
      `${path}${join}limit=${Math.min(most, 200)}${next ? `&cursor=${encodeURIComponent(next)}` : ""}`,
    );
    items.push(...page.items);
    next = page.next;
  } while (next && items.length < most);
  return { items, more: next !== null };
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/**
 * Read a stream of JSON messages for as long as `signal` is not aborted, connecting again whenever it ends.
 * `told(open)` hears of every change.
 */
export function follow(path, message, signal, told = () => {}) {
  let wait = FIRST_WAIT;
  const connect = () => {
    if (signal.aborted) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${path}`);
    const stop = () => socket.close();
    signal.addEventListener("abort", stop, { once: true });
    socket.onopen = () => {
      wait = FIRST_WAIT;
      told(true);
    };
    socket.onmessage = ({ data }) => message(JSON.parse(data));
    socket.onclose = () => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) return;
      told(false);
      setTimeout(connect, wait);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    };
  };
  connect();
}
