// Asking the server: JSON answers, bytes, and two streams that come back by themselves.

/** An answer that is an error: a problem document (RFC 9457) in the server's two sentences, with its code. */
export class Problem extends Error {
  constructor(status, detail, hint, code = null) {
    super(detail);
    this.status = status;
    this.hint = hint;
    this.code = code;
  }
}

/** Milliseconds in which an answer must have come whole: a server that hangs is told of like one that is away. */
const DEADLINE_MS = 20_000;

const RESTART = "Is it still running? Start it again with: chainbeasts serve";
const BUSY = "It may be busy, or the way to it slow. Try again.";

/** What `read` makes of the answer at an address; every request of the page is made here. */
async function ask(path, signal, read, deadline = DEADLINE_MS) {
  const late = AbortSignal.timeout(deadline);
  try {
    const answer = await fetch(path, { signal: signal ? AbortSignal.any([signal, late]) : late });
    if (answer.ok) return await read(answer);
    const said = await answer.json().catch(() => ({}));
    throw new Problem(
      answer.status,
      said.detail || `The server answered ${answer.status}.`,
      said.hint || "",
      said.code,
    );
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Problem) throw error;
    if (late.aborted) throw new Problem(0, `The server did not answer within ${deadline / 1000} s.`, BUSY);
    throw new Problem(0, "The server does not answer.", RESTART);
  }
}

/** A JSON answer of the API; throws a Problem, or the signal's reason once the reader has left. */
export const get = (path, signal = null, deadline = DEADLINE_MS) =>
  ask(path, signal, (answer) => answer.json(), deadline);

/** A JSON answer, and the server's time in seconds when it was given. */
export const dated = (path) =>
  ask(path, null, async (answer) => ({
    body: await answer.json(),
    time: Date.parse(answer.headers.get("date")) / 1000 || Date.now() / 1000,
  }));

const body = async (answer) => new Uint8Array(await answer.arrayBuffer());

/** The bytes at an address; throws as `get` does. */
export const bytes = (path, signal = null) => ask(path, signal, body);

/** The same, and whether the server has been kept waiting for a part of them. */
export const parts = (path) =>
  ask(path, null, async (answer) => ({ served: await body(answer), late: answer.headers.has("retry-after") }));

/** Up to `most` items of a paged list, and whether there are more. */
export async function list(path, most = 200, signal = null) {
  const items = [];
  const join = path.includes("?") ? "&" : "?";
  let next = null;
  do {
    const page = await get(
      `${path}${join}limit=${Math.min(most, 200)}${next ? `&cursor=${encodeURIComponent(next)}` : ""}`,
      signal,
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
 * @param path an address, or what gives it at each connection
 */
export function follow(path, message, signal, told = () => {}) {
  let wait = FIRST_WAIT;
  const connect = () => {
    if (signal.aborted) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const address = typeof path === "function" ? path() : path;
    const socket = new WebSocket(`${scheme}://${location.host}${address}`);
    const stop = () => socket.close();
    signal.addEventListener("abort", stop, { once: true });
    socket.onopen = () => told(true);
    socket.onmessage = ({ data }) => {
      wait = FIRST_WAIT; // not before: a server that has too many takes a listener, too, and then hangs up
      message(JSON.parse(data));
    };
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
