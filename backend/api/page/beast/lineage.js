// Every window of a beast's life, newest first: a few rows, then page by page, so that a long life is as light as a short one.
import { get } from "../api.js";
import { chip, hash, opennessBadge, when } from "../beastly.js";
import { countdown, distance } from "../clock.js";
import { h, notice, redraw, table } from "../dom.js";
import { energy, plural, words } from "../format.js";

/** Rows of a page, and those that are shown before anybody asks for more. */
const PAGE = 50;
const FIRST_ROWS = 12;

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

function row(c) {
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
    [waits ? standing(c) : when(c.submitted_at)],
    [hash(c.h128)],
  ];
}

const standing = (c) =>
  c.state === "disputed"
    ? "in court"
    : countdown(c.final_from, (left) => (left > 0 ? `final ${distance(left)}` : "may be made final"));

const HEADS = ["Window", "State", "In public", "Source", "Loss per step", "ENERGY", "When", "State hash"];

/** The rows, and what stands for them in a life without any. */
function windows(checkpoints, shown, id) {
  if (!checkpoints.length)
    return notice("It has not trained yet", "Each window is 128 micro-steps. Its owner can start with:", [
      `chainbeasts trainer run ${id}`,
    ]);
  return [spine(checkpoints.toReversed()), table("Windows, newest first", HEADS, shown.map(row), "stack windows")];
}

/**
 * The section of a beast's windows.
 * @param beast its number
 * @returns {{element, update}} `update(windows)`, given how many live windows it has, asks for the page shown again
 */
export function lineage(beast, signal) {
  const body = h("div", { class: "part" });
  const sum = h("p", { class: "hint" });
  const element = h(
    "section",
    { class: "lineage", "aria-labelledby": "lineage" },
    h("h2", { id: "lineage" }, "Lineage"),
    sum,
    body,
  );
  let [all, cursor, page, count, asked] = [false, null, null, 0, 0];

  const button = (text, onclick) => h("button", { type: "button", class: "more", onclick }, text);

  function draw() {
    const { items, next, previous } = page;
    const shown = all ? items : items.slice(0, FIRST_ROWS);
    const more = next || previous ? `Show ${items.length} windows at a time` : `Show all ${items.length} windows`;
    sum.textContent = `${plural(count, "window")}, each naming the state that it grew from.`;
    redraw(
      body,
      windows(items, shown, beast),
      h(
        "p",
        { class: "pages" },
        shown.length < items.length ? button(more, () => ((all = true), draw())) : null,
        all && previous ? button("← newer", () => go(previous)) : null,
        all && next ? button("older →", () => go(next)) : null,
      ),
    );
  }

  async function ask() {
    const mine = ++asked;
    const place = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const found = await get(`/v1/beasts/${beast}/checkpoints?limit=${PAGE}${place}`, signal);
    if (mine !== asked) return;
    page = found;
    draw();
  }

  async function go(to) {
    const before = cursor;
    cursor = to;
    try {
      await ask();
    } catch (error) {
      if (signal.aborted) return;
      cursor = before;
      sum.textContent = error.message;
    }
  }

  return {
    element,
    update(windows) {
      count = windows;
      return ask();
    },
  };
}
