// The page's frame: navigation, and the view that the address names, from its arrival to its leaving.
import { Problem } from "./api.js";
import { startClock } from "./clock.js";
import { h, icon, keepFocus, keepOpen, notice, show } from "./dom.js";
import { concerns, startNews } from "./news.js";
import { arrive, rewrite, settle, startPlaces } from "./places.js";
import { currentStatus, drawStatus, indexedBlock, refreshStatus } from "./status.js";
import { allStyles } from "./styles.js";
import { startTheme } from "./theme.js";
import { VIEWS, isOffered, menuAddress, parseAddress, pathOf, withQuery } from "./views.js";

const STATUS_SECONDS = 5;
const NAME = "ChainBeasts";

const place = document.getElementById("view");
const nav = document.getElementById("nav");

/** The view that is shown: {path, seen, stop, news, topics}; `seen` is the block that it is of. */
let current = null;
let drawing = Promise.resolve();
let streaming = false;
let lagging = -1;

/** Whether the view was asked for again, and is still older than what the server knows. */
let overdue = false;

function drawNav({ view, id }) {
  const shown = Object.entries(VIEWS).filter(([, one]) => one.menu && isOffered(one, currentStatus()));
  const links = shown.map(([name, { title }]) =>
    h(
      "a",
      { href: menuAddress(name, view, id), "aria-current": name === view ? "page" : null },
      icon(name),
      h("span", {}, title),
    ),
  );
  if (nav.childElementCount !== links.length) return show(nav, links);
  links.forEach((link, i) => {
    nav.children[i].setAttribute("href", link.getAttribute("href"));
    const current = link.getAttribute("aria-current");
    if (current) nav.children[i].setAttribute("aria-current", current);
    else nav.children[i].removeAttribute("aria-current");
  });
}

const again = () => h("button", { type: "button", class: "more", onclick: () => draw() }, "Try again");

function failure(error) {
  if (!(error instanceof Problem)) console.error(error);
  const known = error instanceof Problem;
  const title = known ? error.message : "This view could not be drawn.";
  const hint = known ? error.hint : "Try again. If it stays so, the browser's console says more.";
  const commands = known && error.status === 0 ? ["chainbeasts serve"] : [];
  const said = notice(title, hint, commands, "error", 1);
  if (!known || error.status === 0 || error.status >= 429) said.append(again());
  return said;
}

function lost() {
  const said = notice("There is nothing at this address.", "The views are in the menu above.", [], "error", 1);
  said.classList.add("astray");
  said.prepend(h("img", { src: "/mark.svg", alt: "", width: 72, height: 72 }));
  said.append(h("a", { href: "#/" }, "See what happens now"));
  return said;
}

const failures = new Map();

/** A view's module. One that failed to load is asked for by another address: the browser remembers the failure. */
async function load(module) {
  const failed = failures.get(module) ?? 0;
  try {
    return await import(failed ? `${module}?again=${failed}` : module);
  } catch (error) {
    failures.set(module, failed + 1);
    if (!(error instanceof TypeError)) throw error;
    throw new Problem(0, "A part of the page could not be loaded.", "Does the server still run? Then try again.");
  }
}

/** A view from its arrival on; `leave` ends everything that it has started. */
function newVisit() {
  const stop = new AbortController();
  return { path: pathOf(location.hash), seen: -1, stop, news: null, topics: null, leave: () => stop.abort() };
}

/** Fill `target` with what the address names; gives whether there is a view at all. */
async function fill(target, visit, { view, id, query }) {
  const known = VIEWS[view];
  const module = isOffered(known, currentStatus()) && (id ? known.one : known.all);
  if (!module) {
    show(target, lost());
    return;
  }
  const [{ render }] = await Promise.all([load(module), known.bare && id ? null : allStyles()]);
  if (!currentStatus() && !(await refreshStatus())) throw new Problem(0, "The server does not answer.", "");
  visit.seen = indexedBlock(); // what is asked for from here on is at least as new
  await render(target, {
    id,
    query,
    signal: visit.stop.signal,
    status: currentStatus,
    retitle(title) {
      if (!visit.stop.signal.aborted) document.title = `${title} · ${NAME}`;
    },
    setQuery(changes) {
      if (visit.stop.signal.aborted) return;
      rewrite(history.state, withQuery(location.hash, changes));
    },
    onNews(handler, topics = null) {
      [visit.news, visit.topics] = [handler, topics];
    },
    onLeave(close) {
      visit.stop.signal.addEventListener("abort", close, { once: true });
    },
  });
}

/** Draw what the address names. With the same path as before the old view stays until the new one is there. */
function draw() {
  drawing = drawAddress();
  return drawing;
}

async function drawAddress() {
  const address = parseAddress(location.hash);
  const before = current;
  const visit = newVisit();
  before?.leave();
  current = visit;
  arrive();
  drawNav(address);
  document.documentElement.classList.toggle("embedded", address.embedded);
  const same = before?.path === visit.path;
  const target = h("div", { class: `view ${address.view}`, "aria-busy": "true" });
  if (!same) {
    const { title } = VIEWS[address.view] ?? {};
    document.title = title ? `${title} · ${NAME}` : NAME;
    show(place, target);
    scrollTo(0, 0);
    if (before) place.focus({ preventScroll: true });
  }
  try {
    await fill(target, visit, address);
  } catch (error) {
    if (visit !== current) return;
    show(target, failure(error));
  }
  if (visit !== current) return;
  target.removeAttribute("aria-busy");
  if (same) swap(target);
  settle();
}

/** Draw the same view with news. While the server is away the old one stays, and the bar says of which block it is. */
async function renew() {
  const [before, visit] = [current, newVisit()];
  const address = parseAddress(location.hash);
  const target = h("div", { class: `view ${address.view}` });
  try {
    await fill(target, visit, address);
  } catch (error) {
    const passing = error instanceof Problem && (error.status === 0 || error.status >= 429);
    if (before !== current || passing) return visit.leave();
    show(target, failure(error));
  }
  if (before !== current) return visit.leave();
  before.leave();
  current = visit;
  swap(target);
}

/** Put a redrawn view in the old one's place without moving the reader. */
function swap(target) {
  keepFocus(place, () => keepOpen(place, () => show(place, target)));
}

/** Give the view what is new; `missed`: something may have gone by while nobody listened. */
async function take(news, missed) {
  await Promise.all([refreshStatus(), drawing]);
  const visit = current;
  const newest = Math.max(...news.map(({ block }) => block ?? -1), missed ? indexedBlock() : -1);
  const opened = news.some(({ type }) => type === "hello");
  const late = newest > visit.seen && (opened || visit.seen < 0);
  const told = late || missed ? [...news, { type: "reorg" }] : news;
  const wanted = told.filter((one) => concerns(one, visit.topics));
  if (!wanted.length || (visit.news && (await visit.news(wanted).catch(() => false)) !== false))
    visit.seen = Math.max(visit.seen, newest);
  else if (visit === current) await renew();
  tellStatus();
}

/** The bar; it says of which block the view is if that is not the newest. */
function tellStatus() {
  const old = overdue && current.seen >= 0 && current.seen < indexedBlock();
  drawStatus(old ? current.seen : null);
}

let queue = Promise.resolve();
const enqueue = (news, missed) => (queue = queue.then(() => take(news, missed)).catch(console.error));

/** Ask how the chain stands. What the stream has not told of by the next time is asked for without it. */
async function look() {
  if (!(await refreshStatus())) return;
  const behind = current.seen < indexedBlock();
  if (behind && (!streaming || lagging > current.seen)) {
    lagging = indexedBlock();
    await enqueue([], true);
    overdue = current.seen < lagging;
  } else {
    lagging = behind ? indexedBlock() : -1;
    overdue &&= behind;
  }
  tellStatus();
}

async function keepLooking() {
  await look().catch(console.error);
  setTimeout(keepLooking, 1000 * STATUS_SECONDS);
}

/** The search box; what reads it is loaded when somebody searches, for the first board needs no such thing. */
function startSearch(form) {
  show(form.querySelector("button"), icon("search"), h("span", { "aria-hidden": "true" }, "Search"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const { destination } = await load("./search.js");
      location.hash = destination(form.elements.q.value);
      form.reset();
    } catch (error) {
      show(place, failure(error));
    }
  });
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  place.focus();
  place.scrollIntoView();
});
addEventListener("hashchange", () => {
  if (!location.hash || location.hash.startsWith("#/")) draw();
});
startTheme(document.getElementById("theme"), () => document.dispatchEvent(new Event("themechange")));
startPlaces();
startClock();
startSearch(document.getElementById("search"));
await refreshStatus();
drawStatus();
await draw();
setTimeout(keepLooking, 1000 * STATUS_SECONDS);
load("./press.js").then(({ startPresses }) => startPresses(), console.error); // news come only now
startNews(enqueue, (open) => {
  streaming = open;
  if (!open) look();
});
