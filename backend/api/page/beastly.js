// The parts that every view shares: portraits, names, meters, chips, links.
import { announce } from "./announce.js";
import { h, icon } from "./dom.js";
import { brief, moment, plural } from "./format.js";
import { fromHex } from "./kernel/bytes.js";
import { hues, nickname, portrait } from "./portrait.js";

const ACCOUNT_LENGTH = 42;

/** CSS variables of a beast's own colours. */
export function colours(dna) {
  const { hue, other } = hues(fromHex(dna));
  return { hue, other };
}

export const nameOf = (dna) => nickname(fromHex(dna));

export function face(dna, id, options = {}) {
  const bytes = fromHex(dna);
  return portrait(bytes, `Portrait of ${nickname(bytes)}, beast ${id}`, options);
}

/** A small round portrait with the name, as a link to the beast. */
export function mention(id, dna) {
  if (!dna) return h("a", { class: "mention", href: `#/beasts/${id}` }, `beast ${id}`);
  return h(
    "a",
    { class: "mention", href: `#/beasts/${id}`, vars: colours(dna) },
    h("span", { class: "token", "aria-hidden": "true" }, face(dna, id)),
    h("span", {}, nameOf(dna), " ", h("small", {}, `№ ${id}`)),
  );
}

const STATS = [
  ["power", "Power", 48, 111],
  ["defense", "Defence", 0, 127],
  ["hp", "Health", 116, 219],
  ["stamina", "Stamina", 12, 31],
];

/** The four stats as meters over the range that DNA can give. */
export function statMeters(stats) {
  return h(
    "dl",
    { class: "stats" },
    ...STATS.map(([key, label, low, high]) =>
      h(
        "div",
        { class: key },
        h("dt", {}, icon(key), label),
        h(
          "dd",
          {},
          h(
            "span",
            { class: "bar", "aria-hidden": "true", vars: { part: (stats[key] - low) / (high - low) } },
            h("span", {}),
          ),
          h("b", {}, String(stats[key])),
        ),
      ),
    ),
  );
}

/** What a beast is going through, in a few words. */
export function mood(beast) {
  if (beast.disputed_count) return ["disputed", "on trial"];
  if (beast.pending_count) return ["pending", `in training, ${plural(beast.pending_count, "window")} pending`];
  if (beast.head_count) return ["final", "at rest"];
  return ["newborn", "newborn"];
}

const STATES = {
  pending: "waits for its challenge period to end",
  disputed: "somebody says that it is wrong",
  proven: "re-executed on chain in full, and right",
  final: "nobody proved it wrong in time: it stands",
  slashed: "proved wrong: its trainer lost the bond",
  void: "built on a slashed window, and fell with it",
};

export const chip = (state, title = STATES[state] || "") =>
  h("span", { class: `chip ${state}`, title: title || null }, state.replaceAll("_", " "));

const OPENNESS = {
  replayable: [
    "replayable by anybody",
    "Everybody has what it takes to compute every step of it again; whether somebody has, nobody can tell from here",
  ],
  opened: [
    "opened in a dispute",
    "Its samples were private until a dispute opened them: everybody can compute every step of it again",
  ],
  unopened: [
    "never opened",
    "Only its owner can compute it: its samples are private, or it starts from a state that follows from such. Whoever doubts it opens it by a dispute",
  ],
};

/** What is public about a window: whether anybody could replay it, not whether anybody did. */
export function opennessBadge(openness) {
  const [text, title] = OPENNESS[openness];
  return h("span", { class: `badge ${openness}`, title }, text);
}

/** Of a beast whose life rests on a window that became final unopened; null of any other. */
export function believedMark(since) {
  if (since === null) return null;
  return h(
    "span",
    {
      class: "badge unopened",
      title: `Its private window ${since} became final without having been opened. It was believed, not checked, and so is everything that grew from it.`,
    },
    `believed since window ${since}`,
  );
}

/** Copy a text and show it whole in `code`; where the browser refuses to copy, it can be selected there. */
async function copy(text, code) {
  code.textContent = text;
  code.closest(".hash").classList.add("in-full");
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied");
  } catch {
    getSelection().selectAllChildren(code);
    announce("This browser does not copy by itself: the text is selected");
  }
}

export const copyButton = (text, said, code) =>
  h(
    "button",
    { type: "button", class: "copy", "aria-label": `Copy ${said}`, title: "Copy", onclick: () => copy(text, code) },
    icon("duplicate"),
  );

/** A hash or account in brief, with a button that copies and shows all of it; an account leads to what it owns. `plain`: without the button; `whole`: not in brief. */
export function hash(hex, { plain = false, whole = false } = {}) {
  const code = h("code", { title: hex }, whole ? hex : brief(hex));
  const shown = hex.length === ACCOUNT_LENGTH ? h("a", { href: `#/accounts/${hex.toLowerCase()}` }, code) : code;
  if (plain) return shown;
  return h("span", { class: whole ? "hash in-full" : "hash" }, shown, copyButton(hex, brief(hex), code));
}

export const when = (seconds, timeStyle) =>
  h("time", { datetime: new Date(1000 * seconds).toISOString() }, moment(seconds, timeStyle));

/** A labelled figure. */
export const figure = (label, value, hint = null) =>
  h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value), hint ? h("dd", { class: "hint" }, hint) : null);
