// One beast: its mind first, then what it has learned, and every window of its life.
import { get } from "../api.js";
import { believedMark, colours, face, mood, nameOf, statMeters } from "../beastly.js";
import { camelRules } from "../case/rules.js";
import { h, show } from "../dom.js";
import { fromHex, toHex } from "../kernel/bytes.js";
import { readTerrains } from "../kernel/terrains.js";
import { FRAMES, mind } from "../mind/mind.js";
import { allStyles } from "../styles.js";

const FIGHTS = 4;

/** Milliseconds that its brain may take before all else is asked for, too. */
const BOARD_FIRST_MS = 1500;

function brain(mask, mark) {
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
  return h("div", { class: "brain" }, slots(0, "sensors"), slots(4, "limbs"), mark);
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
    ),
    statMeters(beast.stats),
    brain(beast.active_mask, believedMark(beast.believed_since)), // a line beside the name has no room for it
  );
}

/** Whom it fought last, else a stranger: its own DNA read backwards. */
function rivalOf(beast, [last]) {
  if (last) return last.beast_a === beast.id ? last.dna_b : last.dna_a;
  return toHex(fromHex(beast.dna).reverse());
}

/** The constants that a beast's present epoch has. */
async function rulesFor({ season }, signal) {
  const { items } = await get("/v1/seasons", signal);
  return camelRules(items.find((one) => one.season === season)?.rules ?? {});
}

/** Wait for the board, but not for long: a state may be at no place. */
const soonest = (board) => Promise.race([board, new Promise((done) => setTimeout(done, BOARD_FIRST_MS))]);

export async function render(place, { id, signal, status, retitle, onNews }) {
  const path = `/v1/beasts/${encodeURIComponent(id)}`;
  const read = async () => {
    const [beast, film, { items }] = await Promise.all([
      get(path, signal),
      get(`${path}/curve?points=${FRAMES}`, signal),
      get(`/v1/matches?beast=${encodeURIComponent(id)}&limit=${FIGHTS}`, signal),
    ]);
    return { beast, film, matches: items };
  };
  const first = await read();
  const [rules, tables] = await Promise.all([
    rulesFor(first.beast, signal),
    get("/kernel/tables.json", signal).then(readTerrains),
  ]);
  const name = nameOf(first.beast.dna);
  retitle(name);
  const top = h("div");
  const below = h("div");
  let story = null;
  const thoughts = mind({
    beast: first.beast,
    foe: rivalOf(first.beast, first.matches),
    name,
    rules,
    terrains: tables,
    kernelId: status().kernel_id,
    signal,
    onExams: (exams) => story?.curves.exams(exams),
    onStep: (step) => story?.curves.now(step),
  });
  const draw = ({ beast, film }) => {
    show(top, hero(beast));
    thoughts.update(film);
  };
  show(place, top, thoughts.element, below);
  draw(first);
  await soonest(thoughts.drawn);
  const [{ life }] = await Promise.all([import("../beast/life.js"), allStyles(), thoughts.rest()]);
  signal.throwIfAborted();
  story = life(first.beast, { signal, onPick: (step) => thoughts.seek(step) });
  await story.update(first);
  thoughts.tell();
  below.replaceWith(...story.elements);
  onNews(async () => {
    const found = await read();
    draw(found);
    await story.update(found);
  }, [`beast:${first.beast.id}`, "dispute", "match"]);
}
