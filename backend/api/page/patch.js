// Changing what is shown without moving the reader: focus, open parts and scrolling stay where they were.

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

/** What stays the same about a control when its view is drawn anew. */
const likeness = (element) =>
  [
    element.localName,
    element.id,
    ...["href", "name", "type", "value", "aria-label"].map((a) => element.getAttribute(a)),
  ].join("\n");

const alike = (scope, like) => [...scope.querySelectorAll(FOCUSABLE)].filter((one) => likeness(one) === like);

const rowOf = (root, key) => [...root.querySelectorAll("[data-key]")].find((row) => row.dataset.key === key);

/** Where a control is: in which keyed row, and which of those that are like it. */
function placeOf(root, element) {
  const row = element.closest("[data-key]");
  const scope = row && row !== root && root.contains(row) ? row : root;
  const like = likeness(element);
  return { key: scope === root ? null : row.dataset.key, like, nth: alike(scope, like).indexOf(element) };
}

/** The control at a place, another one of the same row, or what holds the view: focus never falls to the document. */
function successor(root, { key, like, nth }) {
  const scope = key === null ? root : rowOf(root, key);
  const found = scope && (alike(scope, like)[nth] ?? (key === null ? null : scope.querySelector(FOCUSABLE)));
  return found ?? root.closest("main, [tabindex]");
}

/** Do `change` to what is in `root`; the control that had the focus, or the one in its place, has it afterwards. */
export function keepFocus(root, change) {
  const active = document.activeElement;
  if (active === root || !root.contains(active)) return change();
  const place = placeOf(root, active);
  const selection = "selectionStart" in active ? [active.selectionStart, active.selectionEnd] : null;
  const result = change();
  if (document.activeElement === active) return result;
  const next = active.isConnected ? active : successor(root, place);
  next?.focus({ preventScroll: true });
  if (next !== active && selection && selection[0] !== null) next?.setSelectionRange?.(...selection);
  return result;
}

/** Do `change` to what is in `root`; open parts stay open, and wide tables scrolled as the reader left them. */
export function keepOpen(root, change) {
  const open = new Map([...root.querySelectorAll("details")].map((part, n) => [part.id || n, part.open]));
  const scrolled = [...root.querySelectorAll(".scroll")].map((part) => part.scrollLeft);
  change();
  root.querySelectorAll("details").forEach((part, n) => (part.open = open.get(part.id || n) ?? part.open));
  root.querySelectorAll(".scroll").forEach((part, n) => (part.scrollLeft = scrolled[n] ?? 0));
}

/** parent → key → {element, item} */
const kept = new WeakMap();

function renewed(old, item, make, update) {
  if (update) update(old.element, item, old.item);
  else if (JSON.stringify(item) !== JSON.stringify(old.item)) {
    const element = make(item);
    old.element.replaceWith(element);
    return { element, item };
  }
  return { element: old.element, item };
}

/** Move an element; where the browser can, without its losing focus and running animations. */
function place(parent, element, before) {
  if (parent.moveBefore && element.parentNode === parent) parent.moveBefore(element, before);
  else parent.insertBefore(element, before);
}

/**
 * Make the children of `parent` those of `items`, in their order: what was there stays the same element.
 * @param key names an item, e.g. `(beast) => beast.id`
 * @param make `(item) => element`
 * @param update `(element, item, before)` changes a kept element; without it one whose item differs (as JSON) is made
 *   anew
 */
export function keyed(parent, items, key, make, update = null) {
  keepFocus(parent, () => {
    const before = kept.get(parent) ?? new Map();
    const after = new Map();
    for (const item of items) {
      const name = String(key(item));
      if (after.has(name)) throw new Error(`Two items are called ${name}.`);
      const old = before.get(name);
      after.set(name, old ? renewed(old, item, make, update) : { element: make(item), item });
      after.get(name).element.dataset.key = name;
    }
    const wanted = new Set([...after.values()].map(({ element }) => element));
    for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
    let next = parent.firstChild;
    for (const element of wanted) {
      if (element === next) next = next.nextSibling;
      else place(parent, element, next);
    }
    kept.set(parent, after);
  });
}
