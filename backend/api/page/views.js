// Every address of the page: what is in the menu, what it is called, and which module draws it.

/**
 * name → title, the modules that draw all of a kind and one of it, whether it is in the menu, whether one of it begins
 * without the style sheets of styles.js, and whether it needs a server that lets its readers act (`serve --allow-wallet`).
 *
 * A module exports `render(place, context)`, which fills `place` or throws a Problem. The context:
 * - `id`, `query` (URLSearchParams): of the address
 * - `signal`: aborted when the reader leaves; everything that a view starts ends with it
 * - `status()`: the newest answer of /v1/status
 * - `retitle(title)`: the view's own title
 * - `setQuery(changes)`: change the address without drawing anew; does nothing once the reader has left
 * - `onNews(handler, topics)`: take news in by itself (`async (news) => …`; it fails or gives false to be drawn again
 *   instead). `topics` as in news.js; "reorg" among the news means that everything may be another
 * - `onLeave(close)`: called when the reader leaves
 */
export const VIEWS = {
  home: { title: "Home", all: "./views/home.js", menu: true },
  beasts: { title: "Beasts", one: "./views/beast.js", all: "./views/beasts.js", menu: true, bare: true },
  battles: { title: "Battles", one: "./views/battle.js", all: "./views/battles.js", menu: true },
  disputes: { title: "Disputes", one: "./views/dispute.js", all: "./views/disputes.js", menu: true },
  compare: { title: "Compare", one: "./views/compare.js", all: "./views/compare.js" },
  leaderboard: { title: "Leaderboard", all: "./views/leaderboard.js", menu: true },
  accounts: { title: "Accounts", one: "./views/account.js" },
  season: { title: "Season", all: "./views/season.js", menu: true },
  evidence: { title: "Evidence", all: "./views/evidence.js" },
  act: { title: "Act", one: "./wallet/view.js", all: "./wallet/view.js", menu: true, wallet: true },
};

/** Whether a server has a view: one that its readers act in, only if it allows that. */
export const isOffered = (view, status) => Boolean(view) && (!view.wallet || Boolean(status?.wallet));

/** Where the menu leads from a view: acting begins with the beast or match that is looked at. */
export function menuAddress(name, view, id) {
  if (name === "home") return "#/";
  const about = { beasts: "beast", battles: "match" }[view];
  return name === "act" && about && id ? `#/act?${about}=${encodeURIComponent(id)}` : `#/${name}`;
}

/** `#/embed/battles/3?turn=7` as {view, id, query, embedded}. */
export function parseAddress(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean);
  const embedded = parts[0] === "embed";
  const [view = "home", id = null, ...more] = embedded ? parts.slice(1) : parts;
  return { view: more.length ? "" : view, id, query: new URLSearchParams(query || ""), embedded };
}

/** What stays the same while only the query changes. */
export const pathOf = (hash) => hash.split("?")[0];

/** An address with changes to its query; null takes a key away. */
export function withQuery(hash, changes) {
  const [path, query] = hash.split("?");
  const found = new URLSearchParams(query || "");
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === "" || value === undefined) found.delete(key);
    else found.set(key, String(value));
  }
  const text = found.toString().replaceAll("%2C", ",");
  return text ? `${path}?${text}` : path;
}
