// What is happening now: everything on the chain as it comes, who trains, what is on trial, what comes next.
import { follow, get } from "../api.js";
import { ago, gathered, inTheNews, isMajor, newestFirst, tell } from "../activity.js";
import { chip, colours, face, hash, mention } from "../beastly.js";
import { countdown } from "../clock.js";
import { h, icon, keyed, lead, notice, onLeave, show } from "../dom.js";
import { count, plural, span } from "../format.js";
import { drawBouts } from "./battles.js";
import { awaited } from "./disputes.js";

const EVENTS = 60;
/** Windows come by the minute: asked for by themselves, they do not drown everything else. */
const OTHERS = ["beast", "dispute", "match", "season", "energy"].map((kind) => `kind=${kind}`).join("&");
const LINES = 40;
const CROWD = 6;
const CASES = 5;
const MATCHES = 3;
const FEW = 5;
const TRAINING_MS = 20_000;

const piece = (one) =>
  typeof one === "string"
    ? one
    : one.account
      ? hash(one.account, { plain: true })
      : h("a", { href: one.href }, one.text);

/** An item of /v1/activity as a line. */
export function eventLine(a) {
  const { tone, pieces } = tell(a);
  const beast = a.beasts[0];
  return h(
    "li",
    { class: `event ${tone}`, vars: beast ? colours(beast.dna) : {} },
    h(
      "span",
      { class: beast ? "token" : "token sign", "aria-hidden": "true" },
      beast ? face(beast.dna, beast.id) : icon(tone === "season" ? "season" : "act"),
    ),
    h("p", {}, ...pieces.map(piece)),
    h("small", {}, countdown(a.time, ago)),
  );
}

/** A beast in the news, alive: the first thing that a spectator sees. */
const character = ({ id, dna, name, plight, tone }) =>
  h(
    "li",
    {},
    h(
      "a",
      { class: `character ${tone}`, href: `#/beasts/${id}`, vars: colours(dna) },
      h("span", { class: "niche", "aria-hidden": "true" }, face(dna, id, { alive: true })),
      h("b", {}, name),
      h("small", { class: "mood" }, plight),
    ),
  );

function tally(counts) {
  const one = (n, text, href) => h("li", {}, h("a", { href }, h("b", {}, count(n)), ` ${text}`));
  return h(
    "ul",
    { class: "tallies" },
    one(counts.beasts, counts.beasts === 1 ? "beast" : "beasts", "#/beasts"),
    one(counts.pending, "windows that can still fall", "#/beasts?sort=windows"),
    one(counts.open_disputes, counts.open_disputes === 1 ? "case on trial" : "cases on trial", "#/disputes?open=true"),
    one(counts.matches, counts.matches === 1 ? "match" : "matches", "#/battles"),
  );
}

/** A titled part of the right column; hidden while it has nothing to show. */
function part(title, id, list) {
  const element = h("section", { class: "aside", "aria-labelledby": id }, h("h2", { id }, title), list);
  element.hidden = true;
  return element;
}

/** Beasts whose trainers tell figures now; `dnas` are those that are known already. */
function trainers(list, section, signal, dnas) {
  const heard = new Map();
  function draw() {
    const since = performance.now() - TRAINING_MS;
    for (const [id, one] of heard) {
      one.at ??= performance.now(); // from when it is shown: a page that stood still may be late
      if (one.at < since) heard.delete(id);
    }
    const items = [...heard].map(([id, { step, dna }]) => ({ id, step, dna }));
    keyed(list, items, ({ id }) => id, training, retell);
    section.hidden = !items.length;
  }
  const training = ({ id, step, dna }) => h("li", {}, mention(id, dna), h("small", {}, ` step ${count(step)}`));
  function retell(element, { step, dna }, before) {
    if (dna !== before.dna) element.firstChild.replaceWith(mention(element.dataset.key, dna));
    element.querySelector(":scope > small").textContent = ` step ${count(step)}`;
  }
  let drawing = 0;
  follow(
    "/v1/metrics?past=false",
    ({ message }) => {
      if (!message) return;
      const known = heard.get(message.beast);
      const dna = known?.dna ?? dnas.get(message.beast);
      heard.set(message.beast, { dna, step: message.step, at: null });
      if (!known && !dna)
        get(`/v1/beasts/${encodeURIComponent(message.beast)}`, signal)
          .then(({ dna }) => heard.has(message.beast) && (heard.get(message.beast).dna = dna))
          .catch(() => null);
      drawing ||= requestAnimationFrame(() => {
        drawing = 0;
        if (!signal.aborted) draw();
      });
    },
    signal,
  );
  const timer = setInterval(draw, TRAINING_MS / 4);
  onLeave(signal, () => clearInterval(timer));
}

const docket = (d) =>
  h(
    "li",
    {},
    h("a", { href: `#/disputes/${d.id}` }, `Case ${d.id}`),
    " ",
    chip(d.status, ""),
    h("small", {}, awaited(d)),
  );

const waiting = (p) =>
  h(
    "li",
    {},
    h("a", { href: "#/season" }, "A change of the season"),
    h(
      "small",
      {},
      countdown(p.ready_at, (left) => (left > 0 ? `unlocks in ${span(left)}` : "may be executed by anybody")),
    ),
  );

const strong = (r) => h("li", {}, mention(r.beast, r.dna), h("small", {}, `#${r.rank} · ${r.rating.toFixed(1)}`));

const open = (c) =>
  h("li", {}, mention(c.id, c.dna), h("small", {}, c.rating ? `#${c.rating.rank}` : "has not fought yet"));

async function read(signal) {
  const [windows, others, cases, accepted, seeded, season, ranks, takers] = await Promise.all([
    get(`/v1/activity?limit=${EVENTS}&kind=checkpoint`, signal),
    get(`/v1/activity?limit=${EVENTS}&${OTHERS}`, signal),
    get(`/v1/disputes?open=true&limit=${CASES}`, signal),
    get(`/v1/matches?status=accepted&limit=${MATCHES}`, signal),
    get(`/v1/matches?status=seeded&limit=${MATCHES}`, signal),
    get("/v1/season", signal),
    get(`/v1/leaderboard?limit=${FEW}`, signal),
    get(`/v1/open-challenges?limit=${FEW}`, signal),
  ]);
  const items = newestFirst([...windows.items, ...others.items]);
  const next = [...seeded.items, ...accepted.items].slice(0, MATCHES);
  return {
    events: gathered(items.filter(isMajor)).slice(0, LINES),
    crowd: inTheNews(items).slice(0, CROWD),
    cases: cases.items,
    next,
    proposals: season.pending,
    ranks: ranks.items,
    takers: takers.items,
  };
}

const quiet = () =>
  notice("No beast has hatched yet", "The first hatch will be told of here:", [
    "chainbeasts beast hatch",
    "chainbeasts trainer run 1 --windows 4",
  ]);

export async function render(place, { signal, status, onNews }) {
  const [counts, still] = [h("div"), h("div")];
  const feed = h("ol", { class: "feed" });
  const crowd = h("ul", { class: "crowd", "aria-label": "In the news" });
  const lists = Object.fromEntries(
    ["training", "next", "cases", "proposals", "takers", "ranks"].map((name) => [name, h("ul")]),
  );
  lists.next.className = "bouts";
  const parts = {
    training: part("Training now", "training", lists.training),
    next: part("The next match", "next", lists.next),
    cases: part("On trial", "cases", lists.cases),
    proposals: part("In the timelock", "proposals", lists.proposals),
    takers: part("Take on anybody", "takers", lists.takers),
    ranks: part("The strongest", "ranks", lists.ranks),
  };
  const dnas = new Map();
  let tallied = "";

  function draw({ events, crowd: characters, cases, next, proposals, takers, ranks }) {
    const now = JSON.stringify(status().counts);
    if (now !== tallied) show(counts, tally(status().counts));
    tallied = now;
    show(still, status().counts.beasts ? null : quiet());
    keyed(feed, events, ({ id }) => id, eventLine);
    for (const { id, dna } of characters) dnas.set(String(id), dna);
    keyed(crowd, characters, ({ id }) => id, character);
    keyed(lists.cases, cases, ({ id }) => id, docket);
    keyed(lists.proposals, proposals, ({ operation }) => operation, waiting);
    keyed(lists.takers, takers, ({ id }) => id, open);
    keyed(lists.ranks, ranks, ({ beast }) => beast, strong);
    drawBouts(lists.next, next);
    for (const [name, items] of Object.entries({ cases, next, proposals, takers, ranks }))
      parts[name].hidden = !items.length;
  }

  const found = await read(signal);
  show(
    place,
    lead(
      "Creatures whose brains are trained in public",
      "Watch them learn, fight and stand trial. Everything here is on the chain, and whatever is wrong can be proved wrong by anybody.",
    ),
    crowd,
    counts,
    h(
      "div",
      { class: "now" },
      h("section", { "aria-labelledby": "feed" }, h("h2", { id: "feed" }, "As it comes"), still, feed),
      h("div", { class: "asides" }, ...Object.values(parts)),
    ),
  );
  draw(found);
  trainers(lists.training, parts.training, signal, dnas);
  onNews(async () => draw(await read(signal)));
}
