import assert from "node:assert/strict";
import test from "node:test";

import { ACCOUNT, NUMBER, wanted } from "../../backend/api/page/catalogue.js";
import { ChainClock, distance } from "../../backend/api/page/clock.js";
import { concerns, topicsOf } from "../../backend/api/page/news.js";
import { arrive, rewrite } from "../../backend/api/page/places.js";
import { PARTS, sentence } from "../../backend/api/page/rulebook.js";
import { destination } from "../../backend/api/page/search.js";
import { VIEWS, isOffered, menuAddress, parseAddress, withQuery } from "../../backend/api/page/views.js";

function clockAt(start) {
  const world = { seconds: start };
  return { world, clock: new ChainClock(() => world.seconds) };
}

test("the chain's clock goes on between blocks and starts again from each", () => {
  const { world, clock } = clockAt(50);
  assert.equal(clock.now(), 0);
  clock.tell(1000);
  world.seconds += 7;
  assert.equal(clock.now(), 1007);
  clock.tell(1000); // told of the same block again
  assert.equal(clock.now(), 1007);
  clock.tell(1005);
  assert.equal(clock.now(), 1005);
});

test("a block that is old already is counted from when it was mined", () => {
  const { clock } = clockAt(0);
  clock.tell(1000, 1030);
  assert.equal(clock.now(), 1030);
});

test("a chain whose clock is another than the world's keeps its own", () => {
  for (const world of [10, 1_000_000]) {
    const { clock } = clockAt(0);
    clock.tell(5000, world);
    assert.equal(clock.now(), 5000);
  }
});

test("a countdown says when, before and after", () => {
  assert.equal(distance(90), "in 1 min 30 s");
  assert.equal(distance(0), "0 s ago");
  assert.equal(distance(-3600), "1 h ago");
});

test("news reach those who asked for what they are about", () => {
  const message = { type: "checkpoint", beast: 3, index: 0, block: 9 };
  assert.deepEqual([...topicsOf(message)], ["checkpoint", "beast", "beast:3"]);
  assert.ok(concerns(message, null));
  assert.ok(concerns(message, ["match", "beast:3"]));
  assert.ok(!concerns(message, ["beast:33", "match"]));
  for (const type of ["reorg", "gap"]) assert.ok(concerns({ type }, ["beast:3"]));
  for (const type of ["block", "hello"]) assert.ok(!concerns({ type }, null));
});

test("an address names a view, one of a kind, and how it is shown", () => {
  const read = (hash) => {
    const { view, id, query, embedded } = parseAddress(hash);
    return [view, id, query.toString(), embedded];
  };
  assert.deepEqual(read("#/battles/3?turn=7"), ["battles", "3", "turn=7", false]);
  assert.deepEqual(read("#/embed/battles/3"), ["battles", "3", "", true]);
  assert.deepEqual(read("#/beasts/1/more"), ["", "1", "", false]);
  assert.deepEqual(read(""), read("#/"));
});

test("a query changes without the rest of the address", () => {
  assert.equal(withQuery("#/beasts", { q: "mo ra", page: 2 }), "#/beasts?q=mo+ra&page=2");
  assert.equal(withQuery("#/beasts?q=x&page=2", { q: "", page: null }), "#/beasts");
  assert.equal(withQuery("#/beasts?sort=rating", { page: 3 }), "#/beasts?sort=rating&page=3");
});

test("a search leads to an account, to something numbered, or to the beasts that it finds", () => {
  const account = `0x${"Ab".repeat(20)}`;
  assert.equal(destination(` ${account} `), `#/accounts/${account.toLowerCase()}`);
  assert.equal(destination("match 3"), "#/battles/3");
  assert.equal(destination("Case #07"), "#/disputes/7");
  assert.equal(destination("beast № 12"), "#/beasts/12");
  assert.equal(destination("12"), "#/beasts?q=12");
  assert.equal(destination("a&b"), "#/beasts?q=a%26b");
  assert.equal(destination(" "), "#/beasts");
});

test("a list asks for what fits and leaves out what is still being typed", () => {
  const fields = [{ name: "q" }, { name: "beast", ...NUMBER }, { name: "owner", ...ACCOUNT }];
  const ask = (query) => wanted(new URLSearchParams(query), fields, 48).toString();
  assert.equal(ask("q=mor&beast=3&other=1&cursor=9"), "limit=48&q=mor&beast=3&cursor=9");
  for (const typed of ["beast=03", "beast=x", "owner=0x12"]) assert.equal(ask(typed), "limit=48");
});

test("a constant is told with its value, one that is unknown by its name", () => {
  assert.equal(sentence("rules", "rest_gain", { rest_gain: 7 }).includes("7"), true);
  assert.equal(sentence("rules", "novelty", { novelty: 7 }), "novelty is 7.");
  const curves = [0, 1].map((damage_curve) => PARTS.rules.says.damage_k({ damage_k: 256, damage_curve }));
  assert.notEqual(...curves);
});

test("acting is offered only by a server that allows it, and begins with what is looked at", () => {
  assert.equal(isOffered(VIEWS.act, { wallet: false }), false);
  assert.equal(isOffered(VIEWS.act, null), false);
  assert.equal(isOffered(VIEWS.act, { wallet: true }), true);
  assert.equal(isOffered(VIEWS.beasts, { wallet: false }), true);
  assert.equal(isOffered(undefined, { wallet: true }), false);
  assert.equal(menuAddress("act", "beasts", "3"), "#/act?beast=3");
  assert.equal(menuAddress("act", "battles", "7"), "#/act?match=7");
  assert.equal(menuAddress("act", "accounts", "0x12"), "#/act");
  assert.equal(menuAddress("season", "beasts", "3"), "#/season");
  assert.equal(menuAddress("home", "act", null), "#/");
});

test("a browser that takes no more addresses of us stops no view", (t) => {
  const asked = [];
  globalThis.history = {
    state: null,
    replaceState(...given) {
      asked.push(given);
      throw new DOMException("Attempt to use history.replaceState() more than 100 times per 30 seconds");
    },
  };
  t.after(() => delete globalThis.history);
  arrive();
  rewrite(null, "#/battles/1?turn=7");
  assert.deepEqual(asked[1], [null, "", "#/battles/1?turn=7"]);
  assert.deepEqual(asked[0].slice(1), ["", null]);
});
