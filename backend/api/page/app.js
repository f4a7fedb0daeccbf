// The page's frame: navigation, status, and which view the address names.
import { Problem, follow, get } from "./api.js";
import { h, icon, notice, show } from "./dom.js";
import { count, plural, span } from "./format.js";
import { startTheme } from "./theme.js";

/** name → title and module; a view is `render(place, context)`, which fills `place` or throws a Problem. */
const VIEWS = {
  beasts: { title: "Beasts", one: "./views/beast.js", all: "./views/beasts.js" },
  battles: { title: "Battles", one: "./views/battle.js", all: "./views/battles.js" },
  disputes: { title: "Disputes", one: "./views/dispute.js", all: "./views/disputes.js" },
  leaderboard: { title: "Leaderboard", all: "./views/leaderboard.js" },
  season: { title: "Season", all: "./views/season.js" },
};

const NEWS_PAUSE = 400;
const STATUS_SECONDS = 5;

const place = document.getElementById("view");
const nav = document.getElementById("nav");
const statusBar = document.getElementById("status");

let current = null;
let status = null;

/** `#/battles/3?turn=7` as {view, id, query}. */
function address() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, id] = path.split("/");
  return { view: view || "beasts", id: id || null, query: new URLSearchParams(query || "") };
}

function drawNav(view) {
  const links = Object.entries(VIEWS).map(([name, { title }]) =>
    h("a", { href: `#/${name}`, "aria-current": name === view ? "page" : null }, icon(name), h("span", {}, title)),
  );
  show(nav, links);
}

function failure(error) {
  if (!(error instanceof Problem)) console.error(error);
  const known = error instanceof Problem;
  const title = known ? error.message : "This view could not be drawn.";
  const hint = known ? error.hint : "Load the page again. If it stays so, the browser's console says more.";
  const commands = known && error.status === 0 ? ["chainbeasts serve"] : [];
  return notice(title, hint, commands, "error");
}

/** The newest block that the server has told of. */
const indexed = () => status?.indexed?.number ?? -1;

/** Draw what the address names. `again`: the same view with news, so focus and scrolling stay. */
async function draw(again = false) {
  const { view, id, query } = address();
  const known = VIEWS[view];
  const module = known && (id ? known.one : known.all);
  const before = current;
  current?.stop.abort();
  current = { stop: new AbortController(), key: location.hash.split("?")[0], seen: -1 };
  const mine = current;
  drawNav(view);
  const same = again && before?.key === mine.key;
  const target = same ? h("div", { class: `view ${view}` }) : h("div", { class: `view ${view}`, "aria-busy": "true" });
  if (!same) {
    document.title = known ? `${known.title} · ChainBeasts` : "ChainBeasts";
    show(place, target);
    window.scrollTo(0, 0);
    if (before) place.focus({ preventScroll: true });
  }
  try {
    if (!module) {
      show(target, notice("There is nothing at this address.", "The views are in the menu above.", [], "error"));
    } else {
      const { render } = await import(module);
      if (!status) status = await get("/v1/status");
      mine.seen = indexed(); // what is asked for from here on is at least as new
      await render(target, { id, query, signal: mine.stop.signal, status: () => status, retitle, onNews });
    }
  } catch (error) {
    show(target, failure(error));
  }
  if (mine !== current) return;
  target.removeAttribute("aria-busy");
  if (same) swap(target);

  function retitle(title) {
    if (mine === current) document.title = `${title} · ChainBeasts`;
  }

  /** A view that takes news in by itself (async; it fails or gives false to be drawn again instead). */
  function onNews(handler) {
    mine.news = handler;
  }
}

/** Put a redrawn view in the old one's place without moving the reader. */
function swap(target) {
  const active = document.activeElement;
  const address = place.contains(active) ? active.getAttribute("href") || active.id : null;
  const open = [...place.querySelectorAll("details[open]")].map((part) => part.id);
  show(place, target);
  for (const id of open) if (id) document.getElementById(id)?.setAttribute("open", "");
  if (address)
    [...place.querySelectorAll("a, button, [id]")]
      .find((e) => e.getAttribute("href") === address || e.id === address)
      ?.focus();
}

function drawStatus() {
  if (!status) return;
  const { chain_id, indexed, blocks_behind, seconds_behind, problem, node, counts } = status;
  const mood = problem || !node.answers ? "bad" : blocks_behind === null || blocks_behind > 2 ? "late" : "good";
  let text = "in step with the chain";
  if (problem) text = problem;
  else if (!node.answers) text = "the node does not answer: this is the chain as it was last read";
  else if (!indexed) text = "nothing has been read yet";
  else if (blocks_behind)
    text = `${plural(blocks_behind, "block")} behind${seconds_behind ? ` (${span(seconds_behind)})` : ""}`;
  show(
    statusBar,
    h("span", { class: `dot ${mood}`, "aria-hidden": "true" }),
    h("span", {}, `chain ${chain_id}`),
    h("span", {}, indexed ? `block ${count(indexed.number)}` : "no block"),
    h("span", { class: mood }, text),
    h(
      "span",
      { class: "tally" },
      [plural(counts.beasts, "beast"), plural(counts.open_disputes, "open dispute")].join(" · "),
    ),
  );
}

async function refreshStatus() {
  try {
    status = await get("/v1/status");
    drawStatus();
  } catch (error) {
    show(statusBar, h("span", { class: "dot bad", "aria-hidden": "true" }), h("span", { class: "bad" }, error.message));
  }
}

/** News come in bursts: one redraw for all of them, and for what went by while nobody listened. */
function startNews() {
  let waiting = [];
  let connections = 0;
  let timer = null;
  follow(
    "/v1/events",
    (message) => {
      waiting.push(message);
      timer ??= setTimeout(async () => {
        const news = waiting;
        [waiting, timer] = [[], null];
        await refreshStatus();
        const newest = Math.max(...news.map(({ block }) => block ?? -1));
        const opened = news.some(({ type }) => type === "hello");
        const late = newest > current.seen && (opened || current.seen < 0);
        if (late || (opened && connections > 1)) news.push({ type: "reorg" }); // anything may be another
        current.seen = Math.max(current.seen, newest);
        if (news.every(({ type }) => type === "block" || type === "hello")) return;
        if (current.news && (await current.news(news).catch(() => false)) !== false) return;
        await draw(true);
      }, NEWS_PAUSE);
    },
    new AbortController().signal,
    (open) => (open ? connections++ : refreshStatus()),
  );
}

startTheme(document.getElementById("theme"), () => document.dispatchEvent(new Event("themechange")));
addEventListener("hashchange", () => draw());
setInterval(refreshStatus, 1000 * STATUS_SECONDS);
await Promise.all([refreshStatus(), draw()]);
startNews();
