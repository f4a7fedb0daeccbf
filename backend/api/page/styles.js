// The style sheets that a beast's board can do without. They are put where they belong in the order of all, so that which
// view was seen first makes no difference.
import { h } from "./dom.js";

/** Each with the sheet that it stands right before. */
const LATER = [
  ["inside", "lists"],
  ["disputes", "lists"],
  ["window", "lists"],
  ["money", "lists"],
  ["battles", "lists"],
  ["player", "lists"],
  ["thoughts", "lists"],
  ["embedded", "lists"],
  ["compare", "lists"],
  ["boards", "lists"],
  ["home", "media"],
];

const address = (name) => `/css/${name}.css`;

function put([name, before]) {
  const place = document.querySelector(`link[href="${address(before)}"]`);
  return new Promise((done) => {
    // One that does not come leaves the view plain, not empty.
    place.before(h("link", { rel: "stylesheet", href: address(name), onload: done, onerror: done }));
  });
}

let all = null;

/** Wait until every sheet is there; they are asked for once. */
export const allStyles = () => (all ??= Promise.all(LATER.map(put)));
