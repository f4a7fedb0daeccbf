// What a request comes to: an answer, a problem in the server's words, a server that hangs or is away, a reader who left.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import test, { after, before } from "node:test";

import { Problem, follow, get } from "../../backend/api/page/api.js";

const SHORT_MS = 50;
const PATIENCE_MS = 240_000;

let at = "";
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://127.0.0.1");
  if (pathname === "/answer") response.end('{"found": 3}');
  else if (pathname === "/refusal") {
    response.statusCode = 404;
    response.end('{"detail": "There is no beast 9.", "hint": "Look at /v1/beasts.", "code": "not_found"}');
  } else if (pathname === "/half") response.write('{"found":'); // and never the rest
});
before(async () => {
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  at = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const problem = (message, status) => (error) =>
  error instanceof Problem && error.status === status && message.test(error.message);

test("an answer, and a refusal in the server's words", async () => {
  assert.deepEqual(await get(`${at}/answer`, null, PATIENCE_MS), { found: 3 });
  await assert.rejects(get(`${at}/refusal`, null, PATIENCE_MS), problem(/^There is no beast 9\.$/, 404));
});

test("a server that says nothing, or stops in the middle, is not waited for for ever", async () => {
  for (const path of ["/silence", "/half"])
    await assert.rejects(get(at + path, null, SHORT_MS), problem(/did not answer within 0\.05 s/, 0));
});

test("a server that is away is told from one that is slow", async () => {
  await assert.rejects(get("http://127.0.0.1:9/", null, PATIENCE_MS), problem(/^The server does not answer\.$/, 0));
});

test("who leaves is told of nothing", async () => {
  const visit = new AbortController();
  const asked = get(`${at}/silence`, visit.signal);
  visit.abort();
  await assert.rejects(asked, { name: "AbortError" });
});

/** Sockets that are opened, and the milliseconds that were waited before each of them but the first. */
function streams(t) {
  const [opened, waits] = [[], []];
  t.mock.method(globalThis, "setTimeout", (again, wait) => (waits.push(wait), again()));
  globalThis.location = { protocol: "http:", host: "here" };
  globalThis.WebSocket = class {
    constructor() {
      opened.push(this);
    }
  };
  t.after(() => {
    delete globalThis.location;
    delete globalThis.WebSocket;
  });
  return { opened, waits };
}

test("a server that takes a listener and hangs up is asked ever more seldom, until it says something", (t) => {
  const { opened, waits } = streams(t);
  follow("/v1/events", () => {}, new AbortController().signal);
  const hangUp = (...said) => {
    const socket = opened.at(-1);
    socket.onopen();
    for (const one of said) socket.onmessage({ data: JSON.stringify(one) });
    socket.onclose();
  };
  for (let times = 0; times < 6; times++) hangUp();
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 10_000]);
  hangUp({ type: "hello" });
  assert.equal(waits.at(-1), 500);
});
