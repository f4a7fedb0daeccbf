// The rule book: every constant in force in a sentence, and what waits in the timelock to change one.
import { get } from "../api.js";
import { hash, when } from "../beastly.js";
import { countdown } from "../clock.js";
import { h, keyed, lead, notice, show } from "../dom.js";
import { coin, plural, span } from "../format.js";
import { PARTS, sentence } from "../rulebook.js";

function rule(part, name, constants) {
  return h(
    "li",
    { id: `rule-${name}` },
    h("p", {}, sentence(part, name, constants)),
    h("p", { class: "hint" }, h("code", {}, `${name} = ${constants[name]}`)),
  );
}

function chapter(part, constants) {
  return h(
    "section",
    { class: "constants" },
    h("h2", {}, PARTS[part].title),
    h("ul", {}, ...Object.keys(constants).map((name) => rule(part, name, constants))),
  );
}

/** What a proposal makes of one constant: the sentence now, and then. */
function change({ part, name, now, then }, season) {
  const constants = season[part] ?? {};
  return h(
    "li",
    {},
    h("p", {}, h("del", {}, sentence(part, name, { ...constants, [name]: now }))),
    h("p", {}, h("ins", {}, sentence(part, name, { ...constants, [name]: then }))),
    h("p", { class: "hint" }, h("code", {}, `${name}: ${now} → ${then}`)),
  );
}

function changes(found, season) {
  const parts = Object.keys(PARTS).filter((part) => found.some((one) => one.part === part));
  return parts.map((part) =>
    h(
      "section",
      { class: "changes" },
      h("h4", {}, PARTS[part].title),
      h("ul", {}, ...found.filter((one) => one.part === part).map((one) => change(one, season))),
      h("p", { class: "hint" }, "Whom it concerns: ", PARTS[part].concerns),
    ),
  );
}

/** What a call does, in words; raw and marked where that is not known. */
function call(c, season) {
  const paid = c.value === "0" ? null : [" with ", coin(c.value)];
  if (c.changes?.length) return changes(c.changes, season);
  if (c.changes) return h("p", {}, "It adds a season and changes no constant.");
  if (!c.function) {
    return h(
      "div",
      { class: "unknown" },
      h("p", {}, h("b", {}, "Unknown call"), " to ", c.contract ?? hash(c.target), paid, ":"),
      h("pre", { tabindex: 0 }, h("code", {}, c.data)),
    );
  }
  return h(
    "div",
    {},
    h("p", {}, "It calls ", h("code", {}, `${c.contract}.${c.function}`), paid, "."),
    h(
      "dl",
      { class: "arguments" },
      ...c.arguments.map((one) => h("div", {}, h("dt", {}, h("code", {}, one.name)), h("dd", {}, one.shown))),
    ),
  );
}

const unlocks = (left) => (left > 0 ? `Unlocks in ${span(left)}` : "Unlocked: anybody may execute it");

function proposal(p, season) {
  return h(
    "article",
    { class: "proposal" },
    h("h3", {}, countdown(p.ready_at, unlocks)),
    h(
      "p",
      { class: "hint" },
      when(p.ready_at),
      " by the chain's clock · operation ",
      hash(p.operation),
      p.scheduled_by ? [" · scheduled by ", hash(p.scheduled_by)] : null,
      p.predecessor ? [" · only after operation ", hash(p.predecessor)] : null,
    ),
    ...p.calls.map((c) => call(c, season)),
    p.seconds_left > 0 ? null : h("pre", { tabindex: 0 }, h("code", {}, `chainbeasts season execute ${p.operation}`)),
  );
}

const none = () =>
  notice("Nothing is proposed", "A change waits in the timelock for everybody to see before it can take effect:", [
    "chainbeasts season propose --help",
    "chainbeasts season pending",
  ]);

export async function render(place, { signal, onNews }) {
  const [title, tally, proposals, book] = [h("div"), h("div"), h("div"), h("div", { class: "parts" })];
  let shown = null;

  function draw(season) {
    if (season.season !== shown) {
      shown = season.season;
      show(
        title,
        lead(
          `Season ${season.season}`,
          "In force since ",
          when(season.added.time),
          `, block ${season.added.block}. Only the timelock changes it, and a beast's epoch keeps the season that it began with.`,
        ),
      );
      const parts = Object.keys(PARTS).filter((part) => season[part]);
      show(
        book,
        parts.map((part) => chapter(part, season[part])),
      );
    }
    const waiting = season.pending;
    show(tally, waiting.length ? h("p", {}, `${plural(waiting.length, "operation")} in the timelock.`) : none());
    // What the chain's clock alone changes is no news: the time left is counted down by itself.
    const items = waiting.map((p) => ({ ...p, seconds_left: Math.min(p.seconds_left, 1) }));
    keyed(
      proposals,
      items,
      (p) => p.operation,
      (p) => proposal(p, season),
    );
  }

  draw(await get("/v1/season", signal));
  show(
    place,
    title,
    h("section", { class: "proposals", "aria-labelledby": "proposals" }, h("h2", { id: "proposals" }, "On the way"), [
      tally,
      proposals,
    ]),
    book,
  );
  onNews(async () => draw(await get("/v1/season", signal)), ["season"]);
}
