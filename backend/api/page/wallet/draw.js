// How text and values (values.js) are drawn, and whom an action is about.
import { colours, copyButton, face, hash, nameOf } from "../beastly.js";
import { h } from "../dom.js";
import { exact, short } from "./units.js";

/** An amount as people read it; where that leaves digits out, a pointer and a copy button have all of them. */
function amount(wei, unit) {
  const [all, said] = [`${exact(wei)} ${unit}`, `${short(wei)} ${unit}`];
  if (all === said) return said;
  const text = h("data", { value: exact(wei), title: all }, short(wei));
  return h("span", { class: "hash sum" }, text, ` ${unit} `, copyButton(exact(wei), said, text));
}

const KINDS = {
  energy: ({ wei }) => amount(wei, "ENERGY"),
  coin: ({ wei }) => amount(wei, "coin"),
  hex: ({ value }) => hash(value),
};

/** Text and values as nodes. */
export const drawn = (parts) =>
  [parts].flat().map((part) => (typeof part === "string" || part instanceof Node ? part : KINDS[part.kind](part)));

/** What stands, a row each: [label, text and values, a hint or none]. */
export const facts = (rows) =>
  rows.length
    ? h(
        "dl",
        { class: "terms" },
        rows.map(([label, value, hint]) =>
          h(
            "div",
            {},
            h("dt", {}, label),
            h("dd", {}, drawn(value), hint ? h("small", { class: "hint" }, hint) : null),
          ),
        ),
      )
    : null;

/** Portrait, name and number of each beast that an action is about; its DNA is the reader's node's. */
export async function cast(chain, beasts = []) {
  if (!beasts.length) return null;
  const born = await Promise.all(beasts.map(([, id]) => chain.dnaOf(id)));
  return h(
    "ul",
    { class: "cast" },
    beasts.map(([role, id], i) =>
      h(
        "li",
        { vars: colours(born[i]) },
        h("span", { class: "niche", "aria-hidden": "true" }, face(born[i], id)),
        h("small", {}, role),
        h("a", { href: `#/beasts/${id}` }, nameOf(born[i]), " ", h("small", {}, `№ ${id}`)),
      ),
    ),
  );
}
