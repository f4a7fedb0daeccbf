// One beast: its mind first, then what it has learned, and every window of its life.
import { get, list } from "../api.js";
import {
  believedMark,
  chip,
  colours,
  face,
  figure,
  hash,
  nameOf,
  opennessBadge,
  statMeters,
  until,
  when,
} from "../beastly.js";
import { h, keepFocus, notice, show, table } from "../dom.js";
import { coin, count, energy, plural, span, words } from "../format.js";
import { fromHex, toHex } from "../kernel/bytes.js";
import { FRAMES, mind } from "../mind/mind.js";
import { loadTables, rulesOf } from "../verify.js";
import { bouts } from "./battles.js";
import { learning } from "./learning.js";
import { mood } from "./beasts.js";

const WINDOWS = 200;
const FIRST_ROWS = 12;
const FIGHTS = 4;

function brain(mask) {
  const slots = (shift, noun) => {
    const awake = [0, 1, 2, 3].map((slot) => (mask >> (shift + slot)) & 1);
    const n = awake.reduce((a, b) => a + b);
    return h(
      "div",
      { class: "slots" },
      h("span", { class: "lamps", "aria-hidden": "true" }, ...awake.map((on) => h("i", { class: on ? "on" : "" }))),
      `${n} of 4 ${noun} awake`,
    );
  };
  return h("div", { class: "brain" }, slots(0, "sensors"), slots(4, "limbs"));
}

const opennessHint = ({ opened, unopened }) => `${opened} opened in a dispute · ${unopened} never opened`;

/** What going on costs, and how long that binds. */
function nextWindow(price) {
  const sale = price.coin_price === null ? "" : ` (${coin(price.coin_price)} at the sale)`;
  return figure(
    "Next window",
    `${energy(price.price)} ENERGY`,
    `burns that${sale}, locks ${energy(price.lock)} for ${span(price.locked_seconds)} at least · ${count(price.gas)} gas`,
  );
}

/** Who it is, on one strip: what it learned has the room. */
function hero(beast) {
  const [kind, text] = mood(beast);
  return h(
    "header",
    { class: "hero", vars: colours(beast.dna) },
    h("div", { class: "niche" }, face(beast.dna, beast.id, { alive: true })),
    h(
      "div",
      { class: "who" },
      h("h1", {}, nameOf(beast.dna), h("small", {}, `№ ${beast.id}`)),
      h("p", { class: `mood ${kind}` }, text),
      believedMark(beast.believed_since),
    ),
    statMeters(beast.stats),
    brain(beast.active_mask),
  );
}

function facts(beast, price) {
  return [
    h(
      "dl",
      { class: "figures" },
      figure("ENERGY spent", energy(beast.energy_spent), `${energy(beast.energy_locked)} locked now`),
      nextWindow(price),
      figure("Windows", count(beast.head_count), `${beast.final_count} final · ${beast.pending_count} pending`),
      figure("Replayable by anybody", count(beast.openness.replayable), opennessHint(beast.openness)),
      figure("Epoch", String(beast.epoch), `season ${beast.season}`),
      beast.rating
        ? figure(
            "Rating",
            beast.rating.rating.toFixed(1),
            `#${beast.rating.rank} · ${beast.rating.won} won, ${beast.rating.lost} lost, ${beast.rating.drawn} drawn`,
          )
        : figure("Rating", "—", "no final match yet"),
    ),
    h("p", { class: "hint" }, "owned by ", hash(beast.owner), " · DNA ", hash(beast.dna)),
    h("p", {}, h("a", { href: `#/compare/${beast.id}` }, "Compare it with others")),
  ];
}

/** The windows as a spine, one vertebra each, oldest first. */
function spine(checkpoints) {
  return h(
    "ol",
    { class: "spine", "aria-label": "Windows from the first to the newest" },
    ...checkpoints.map((c) =>
      h(
        "li",
        {},
        h(
          "a",
          {
            class: `bead ${c.state} ${c.openness}`,
            href: c.dispute !== null ? `#/disputes/${c.dispute}` : null,
            title: `window ${c.index}: ${c.state}, ${words(c.source)}`,
          },
          h("span", { class: "unseen" }, `window ${c.index}, ${c.state}`),
        ),
      ),
    ),
  );
}

function row(c, now) {
  const waits = ["pending", "disputed", "proven"].includes(c.state);
  return [
    [String(c.index), c.generation ? h("small", { title: "slashings before it" }, ` gen ${c.generation}`) : null],
    [
      chip(c.state),
      c.proven && c.state !== "proven" ? chip("proven") : null,
      c.dispute !== null ? h("a", { href: `#/disputes/${c.dispute}` }, `dispute ${c.dispute}`) : null,
    ],
    [opennessBadge(c.openness)],
    [words(c.source), c.source === "battle" ? h("a", { href: `#/battles/${c.source_id}` }, ` ${c.source_id}`) : null],
    [c.loss.toFixed(1), c.loss_drop ? h("span", { class: "drop", title: "less than its parent's" }, " ↓") : null],
    [energy(c.energy_burn)],
    [waits ? standing(c, now) : when(c.submitted_at)],
    [hash(c.h128)],
  ];
}

function standing(c, now) {
  if (c.state === "disputed") return "in court";
  return c.final_from > now ? `final ${until(c.final_from, now)}` : "may be made final";
}

const HEADS = ["Window", "State", "In public", "Source", "Loss per step", "ENERGY", "When", "State hash"];

function lineage(checkpoints, more, now, id, all, showAll) {
  if (!checkpoints.length)
    return notice("It has not trained yet", "Each window is 128 micro-steps. Its owner can start with:", [
      `chainbeasts trainer run ${id}`,
    ]);
  const newest = checkpoints.toReversed();
  const shown = all ? newest : newest.slice(0, FIRST_ROWS);
  return [
    spine(checkpoints),
    table(
      "Windows, newest first",
      HEADS,
      shown.map((c) => row(c, now)),
      "stack windows",
    ),
    shown.length < newest.length
      ? h(
          "p",
          {},
          h("button", { type: "button", class: "more", onclick: showAll }, `Show all ${newest.length} windows`),
        )
      : null,
    more ? h("p", { class: "hint" }, `The latest ${WINDOWS} are shown; all: /v1/beasts/${id}/checkpoints`) : null,
  ];
}

/** Its latest matches, and the DNAs of those who fought them. */
async function fights(beast, signal) {
  const { items } = await get(`/v1/matches?beast=${beast.id}&limit=${FIGHTS}`, signal);
  const others = new Set(items.flatMap((m) => [m.beast_a, m.beast_b]).filter((id) => id !== beast.id));
  const met = await Promise.all([...others].map((id) => get(`/v1/beasts/${id}`, signal)));
  return { matches: items, dnas: new Map([beast, ...met].map(({ id, dna }) => [id, dna])) };
}

/** Whom it fought last, else a stranger: its own DNA read backwards. */
function rivalOf(beast, { matches, dnas }) {
  const [last] = matches;
  const other = last && (last.beast_a === beast.id ? last.beast_b : last.beast_a);
  return dnas.get(other) ?? toHex(fromHex(beast.dna).reverse());
}

/** The constants that a beast's present epoch has. */
async function rulesFor({ season }, signal) {
  const { items } = await get("/v1/seasons", signal);
  return rulesOf(items.find((one) => one.season === season)?.rules ?? {});
}

export async function render(place, { id, signal, status, retitle, onNews }) {
  const path = `/v1/beasts/${encodeURIComponent(id)}`;
  const read = async () => {
    const [beast, windows, curve, film, price] = await Promise.all([
      get(path, signal),
      list(`${path}/checkpoints`, WINDOWS, signal),
      get(`${path}/curve`, signal),
      get(`${path}/curve?points=${FRAMES}`, signal),
      get(`${path}/price`, signal),
    ]);
    const fought = await fights(beast, signal);
    return { beast, price, checkpoints: windows.items.toReversed(), more: windows.more, curve, film, fought };
  };
  const first = await read();
  const [rules, tables] = await Promise.all([rulesFor(first.beast, signal), loadTables()]);
  signal.throwIfAborted();
  const name = nameOf(first.beast.dna);
  retitle(name);
  const top = h("div");
  const purse = h("section", { class: "facts", "aria-label": "Facts" });
  const life = h("section", { class: "lineage", "aria-labelledby": "lineage" });
  const ring = h("section", { class: "ring", "aria-labelledby": "ring" });
  const curves = learning(first.beast, signal, (step) => thoughts.seek(step));
  const thoughts = mind({
    beast: first.beast,
    foe: rivalOf(first.beast, first.fought),
    name,
    rules,
    tables,
    kernelId: status().kernel_id,
    signal,
    onExams: curves.exams,
    onStep: curves.now,
  });
  let all = false;
  const draw = (found) => {
    const { beast, price, checkpoints, more, curve, film, fought } = found;
    const showAll = () => {
      all = true;
      draw(found);
    };
    const now = status().indexed?.time ?? 0;
    show(top, hero(beast));
    show(purse, facts(beast, price));
    thoughts.update(film);
    curves.chain(curve, checkpoints);
    keepFocus(life, () =>
      show(
        life,
        h("h2", { id: "lineage" }, "Lineage"),
        h("p", { class: "hint" }, `${plural(checkpoints.length, "window")}, each naming the state that it grew from.`),
        lineage(checkpoints, more, now, beast.id, all, showAll),
      ),
    );
    keepFocus(ring, () =>
      show(
        ring,
        h("h2", { id: "ring" }, "Battles"),
        fought.matches.length
          ? bouts(fought.matches, fought.dnas, now)
          : h(
              "p",
              { class: "hint" },
              "It has not fought yet. With a final checkpoint it can: ",
              h("code", {}, `chainbeasts battle open ${beast.id}`),
            ),
      ),
    );
  };
  show(place, top, thoughts.element, curves.element, purse, ring, life);
  draw(first);
  onNews(async (news) => {
    if (news.some((item) => item.type === "reorg" || item.beast === first.beast.id || item.dispute || item.match))
      draw(await read());
  });
}
