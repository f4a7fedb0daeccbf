// A list of the API with its search, filters, order and pages, all of which are in the address.
import { get } from "./api.js";
import { h, keyed, onLeave, redraw, show } from "./dom.js";
import { plural } from "./format.js";
import { withQuery } from "./views.js";

const TYPING_MS = 300;

/** Fields that the API takes only whole: what does not fit yet is not sent, and `hint` says what would. */
export const NUMBER = {
  fits: /^(0|[1-9][0-9]{0,17})$/,
  hint: "A beast has a plain number.",
  placeholder: "number",
  inputmode: "numeric",
};
export const ACCOUNT = {
  fits: /^0x[0-9a-f]{40}$/i,
  hint: "An account has 0x and 40 digits.",
  placeholder: "0x…",
};

const fitting = ({ name, fits }, query) => {
  const value = query.get(name)?.trim() ?? "";
  return { value, fits: !value || !fits || fits.test(value) };
};

/** What of an address's query goes to the API: the fields' values and the place in the list. */
export function wanted(query, fields, size) {
  const found = new URLSearchParams({ limit: size });
  for (const field of fields) {
    const { value, fits } = fitting(field, query);
    if (value && fits) found.set(field.name, value);
  }
  if (query.get("cursor")) found.set("cursor", query.get("cursor"));
  return found;
}

function control(field, value, change) {
  const attributes = { name: field.name, id: `sieve-${field.name}` };
  const input = field.options
    ? h(
        "select",
        { ...attributes, onchange: (event) => change(field.name, event.target.value, 0) },
        ...field.options.map(([key, text]) => h("option", { value: key, selected: key === (value ?? "") }, text)),
      )
    : h("input", {
        ...attributes,
        type: "search",
        value: value ?? "",
        placeholder: field.placeholder ?? "",
        inputmode: field.inputmode ?? null,
        autocomplete: "off",
        spellcheck: "false",
        oninput: (event) => change(field.name, event.target.value, TYPING_MS),
      });
  return h("label", {}, h("span", {}, field.label), input);
}

function pager({ next, previous }, hash) {
  const link = (cursor, text, rel) =>
    cursor ? h("a", { href: withQuery(hash, { cursor }), rel }, text) : h("span", { "aria-hidden": "true" }, text);
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    previous || next ? [link(previous, "← before", "prev"), link(next, "after →", "next")] : null,
  );
}

/**
 * Fill a view with a list.
 * @param list {path, lead, fields, size, noun, topics, container, draw, empty, nothing}:
 *   fields `[{name, label, options | placeholder, fits, hint}]` as the API's parameters; `container()` makes the element
 *   that `draw(container, items, page)` fills; `empty()` is shown for a list that never had anything, `nothing` says so
 *   of a search without result; `extra(page)` may stand above the list
 */
export async function catalogue(place, { query, signal, setQuery, onNews }, list) {
  const now = new URLSearchParams(query);
  const size = list.size ?? 48;
  let [timer, asked, unsaid] = [null, 0, false];

  const ask = () => get(`${list.path}?${wanted(now, list.fields, size)}`, signal);
  const sifted = () => now.size > 0;

  const [top, above, body, below] = [h("div"), h("div"), list.container(), h("div")];
  const result = h("p", { class: "hint found", role: "status" });

  function draw(page, say = false) {
    const none = page.items.length === 0;
    const heading = list.lead(page);
    if (heading.textContent !== top.textContent) show(top, heading);
    show(
      above,
      none && sifted() ? h("p", { class: "nothing" }, list.nothing) : none ? list.empty() : list.extra?.(page),
    );
    list.draw(body, page.items, page);
    body.hidden = none;
    redraw(below, pager(page, location.hash));
    const odd = list.fields.find((field) => !fitting(field, now).fits);
    if (odd) show(result, odd.hint);
    else if (say) show(result, none ? list.nothing : `${plural(page.items.length, list.noun)} on this page`);
  }

  async function refresh(say) {
    const mine = ++asked;
    unsaid ||= say; // of an answer that news overtook, the next one tells
    const page = await ask();
    if (mine !== asked || signal.aborted) return;
    draw(page, unsaid);
    unsaid = false;
  }

  function change(name, value, wait) {
    for (const [key, text] of [
      [name, value.trim()],
      ["cursor", ""],
    ]) {
      if (text) now.set(key, text);
      else now.delete(key);
    }
    clearTimeout(timer);
    timer = setTimeout(async () => {
      setQuery(Object.fromEntries([...list.fields.map((f) => f.name), "cursor"].map((key) => [key, now.get(key)])));
      await refresh(true).catch((error) => {
        if (!signal.aborted) show(result, error.message);
      });
    }, wait);
  }
  onLeave(signal, () => clearTimeout(timer));

  const first = await ask();
  const controls = list.fields.map((field) => control(field, now.get(field.name), change));
  const fresh = () => !list.fields.length || (body.hidden && !sifted());
  const sieve = h("form", { class: "sieve", role: "search", "aria-label": "In this list" }, controls, result);
  sieve.addEventListener("submit", (event) => event.preventDefault());
  show(place, top, sieve, above, body, below);
  draw(first);
  sieve.hidden = fresh();
  onNews(async () => {
    await refresh(false);
    sieve.hidden &&= fresh();
  }, list.topics);
}

/** Rows of a table by key, for `draw`: cells as in dom.js `table`. */
export const rows = (body, items, heads, key, cells) =>
  keyed(body.querySelector("tbody"), items, key, (item) =>
    h(
      "tr",
      {},
      ...cells(item).map((cell, i) => h(i ? "td" : "th", i ? { "data-head": heads[i] } : { scope: "row" }, cell)),
    ),
  );
