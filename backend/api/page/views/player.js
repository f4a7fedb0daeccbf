// The player of a match: board, bars, controls, and why each move was made.
import { Arena } from "../arena.js";
import { colours } from "../beastly.js";
import { h, icon, show } from "../dom.js";
import { toHex } from "../kernel/bytes.js";
import { adjacent, selfOf, enemyOf } from "../kernel/board.js";
import { isExhausted, obstacles, stats } from "../kernel/combat.js";
import { aActs, sides } from "../kernel/match.js";
import { DIRECTIONS, deed, ending, sentence, share, wordAt } from "../story.js";

const TURN_MS = 640;
const SPEEDS = [1, 2, 4];
const ARROWS = ["↑", "↓", "→", "←"];
const OBSTACLES = { closed: "closed", reverse: "back" };

const directed = (direction) => `${ARROWS[direction]} ${DIRECTIONS[direction]}`;

/** One fighter's plate: name, share of hp, stamina, heading, guard. */
function corner(side, name, dna) {
  const most = stats(dna);
  const bar = (kind, label) => {
    const value = h("b");
    const fill = h("span", { class: "fill" });
    const element = h(
      "div",
      { class: `meter ${kind}` },
      h("span", { class: "name" }, icon(kind), label),
      h("span", { class: "bar", "aria-hidden": "true" }, fill),
      value,
    );
    return {
      element,
      set(now, top, share = null) {
        fill.style.setProperty("--part", Math.min(1, now / top));
        show(value, String(now), share ? h("small", {}, ` ${share}`) : null);
        element.classList.toggle("low", now <= top / 4);
      },
    };
  };
  const [hp, stamina] = [bar("hp", "Health"), bar("stamina", "Stamina")];
  const [way, guard] = [h("span", { class: "heading" }), h("span", { class: "guard" })];
  const element = h(
    "div",
    { class: `fighter ${side}`, vars: colours(toHex(dna)) },
    h("h3", {}, name, h("span", {}, way, guard)),
    hp.element,
    stamina.element,
  );
  return {
    element,
    set(creature, acts) {
      hp.set(creature.hp, most.hp, share(creature.hp, most.hp)); // the larger share wins when the turns are over
      stamina.set(creature.stamina, most.stamina);
      show(way, creature.heading ? directed(creature.heading - 1) : "");
      show(guard, creature.tempDef ? `guard ${creature.tempDef}` : "");
      element.classList.toggle("acts", acts);
      element.classList.toggle("fallen", creature.hp === 0);
    },
  };
}

/** Why a creature that can move goes where it goes. */
function chosenWay(name, { direction }, found) {
  const open = found.filter((obstacle) => obstacle === null).length;
  if (!open) return `${name} is walled in and stays where it is.`;
  const greatest = open === 1 ? "the only way" : `the greatest of the ${open} ways`;
  const reason = found.includes("reverse") ? "; it turns back only where nothing else is open" : " that are open";
  return `${name} goes ${DIRECTIONS[direction]}, ${greatest}${reason}.`;
}

/** Logits as bars around zero, the chosen one marked, and what they mean in this position. */
function reasons(word, thought, name) {
  const { logits: z, action } = thought;
  const [me, enemy] = [selfOf(word), enemyOf(word)];
  const found = obstacles(word);
  const span = Math.max(1, ...z.slice(0, 4).map(Math.abs));
  const rows = DIRECTIONS.map((_, d) =>
    h(
      "li",
      { class: action.direction === d ? "chosen" : found[d] ? "barred" : "" },
      h("span", { class: "way" }, directed(d), found[d] ? h("small", {}, ` ${OBSTACLES[found[d]]}`) : null),
      h(
        "span",
        { class: `reach ${z[d] < 0 ? "minus" : "plus"}`, "aria-hidden": "true", vars: { part: Math.abs(z[d]) / span } },
        h("span", {}),
      ),
      h("b", {}, String(z[d])),
    ),
  );
  let said = chosenWay(name, action, found);
  if (isExhausted(me)) said = `${name} is exhausted: it rests, whatever it wants.`;
  else if (adjacent(me.pos, enemy.pos))
    said = `The enemy is in reach, so ${name} stands its ground and strikes with ${action.power} of 15.`;
  return [
    h("p", {}, said),
    h("ul", { class: "logits" }, ...rows),
    h(
      "dl",
      { class: "urges" },
      h(
        "div",
        {},
        h("dt", {}, "strike"),
        h(
          "dd",
          {},
          h("span", { class: "reach plus", "aria-hidden": "true", vars: { part: action.power / 15 } }, h("span", {})),
          h("b", {}, `${action.power} of 15`),
          h("small", {}, `logit ${z[4]}`),
        ),
      ),
      h(
        "div",
        { class: action.block ? "chosen" : "" },
        h("dt", {}, "block"),
        h("dd", {}, h("b", {}, action.block ? "yes" : z[5] > 0 ? "too tired" : "no"), h("small", {}, `logit ${z[5]}`)),
      ),
    ),
  ];
}

const button = (label, text, onclick, kind = "") =>
  h("button", { type: "button", class: kind, "aria-label": label, title: label, onclick }, text);

/**
 * The player's element.
 * @param match {words, thoughts, last, result} as it is to be shown
 * @param start the turn to begin with
 */
export function player({ id, dnaA, dnaB, names, match, battleSeed, start, signal }) {
  const turns = match.words.length;
  const canvas = h("canvas", {
    width: 480,
    height: 480,
    role: "img",
    "aria-label": `The board of ${names.a} and ${names.b}`,
  });
  const arena = new Arena(canvas, dnaA, dnaB, battleSeed);
  const corners = { a: corner("a", names.a, dnaA), b: corner("b", names.b, dnaB) };
  const story = h("p", { class: "story", id: "story", "aria-live": "polite" });
  const why = h("div", { class: "thoughts" });
  const scrub = h("input", { type: "range", min: 0, max: turns, step: 1, "aria-label": "Turn", id: "scrub" });
  const deeds = Array.from({ length: turns }, (_, i) => deed(match, i, battleSeed));
  const ticks = h(
    "div",
    { class: "ticks", "aria-hidden": "true" },
    ...deeds.map((d) => h("i", { class: `${d.kind} ${d.side}${d.critical ? " critical" : ""}` })),
  );
  const lines = deeds.map((d, i) =>
    h("li", {}, h("button", { type: "button", onclick: () => go(i) }, sentence(d, names))),
  );
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  let turn = Math.min(Math.max(Math.trunc(start) || 0, 0), turns);
  let progress = 0;
  let playing = false;
  let speed = 1;
  let last = null;

  const playButton = button("Play", "▶", () => play(!playing), "play");
  const speedButton = button("Speed", "1×", () => {
    speed = SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length];
    show(speedButton, `${speed}×`);
  });
  const shareButton = button("Copy a link to this turn", "Share", share, "share");
  const shared = h("span", { class: "hint", role: "status" });

  function paint() {
    arena.draw(wordAt(match, turn), deeds[turn] ?? null, progress, turn === turns);
  }

  /** Everything that changes from turn to turn. */
  function settle() {
    const word = wordAt(match, turn);
    const both = sides(word, battleSeed);
    const acts = turn < turns && aActs(battleSeed, turn);
    corners.a.set(both.a, turn < turns && acts);
    corners.b.set(both.b, turn < turns && !acts);
    scrub.value = turn;
    const text =
      turn < turns
        ? `Turn ${turn + 1} of ${turns}: ${sentence(deeds[turn], names)}`
        : ending(match, { a: dnaA, b: dnaB }, names, battleSeed);
    scrub.setAttribute("aria-valuetext", text);
    show(story, text);
    const thought = match.thoughts[turn];
    show(
      why,
      thought
        ? reasons(word, thought, acts ? names.a : names.b)
        : h(
            "p",
            { class: "hint" },
            turn === turns ? "Nobody acts any more." : "The state that decided this is not at hand.",
          ),
    );
    lines.forEach((line, i) => line.classList.toggle("now", i === turn));
    history.replaceState(null, "", `#/battles/${id}${turn ? `?turn=${turn}` : ""}`);
    paint();
  }

  function go(to) {
    turn = Math.min(Math.max(to, 0), turns);
    progress = 0;
    settle();
  }

  function play(on) {
    playing = on;
    if (on && turn === turns) go(0);
    playButton.setAttribute("aria-label", on ? "Pause" : "Play");
    playButton.title = on ? "Pause" : "Play";
    show(playButton, on ? "❚❚" : "▶");
    last = null;
    if (on) requestAnimationFrame(frame);
  }

  function frame(time) {
    if (!playing || signal.aborted) return;
    progress += last === null ? 0 : ((time - last) * speed) / TURN_MS;
    last = time;
    if (progress >= 1) {
      progress = 0;
      turn += 1;
      settle();
      if (turn === turns) return play(false);
    } else if (!still) paint();
    requestAnimationFrame(frame);
  }

  async function share() {
    try {
      await navigator.clipboard.writeText(location.href);
      show(shared, "The link is copied.");
    } catch {
      show(shared, location.href);
    }
  }

  scrub.addEventListener("input", () => {
    play(false);
    go(Number(scrub.value));
  });
  document.addEventListener("themechange", paint, { signal });
  addEventListener("resize", paint, { signal });
  addEventListener(
    "keydown",
    (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, summary, pre, .scroll"))
        return;
      if (event.key === " " && !event.target.closest("button, a")) play(!playing);
      else if (event.key === "ArrowRight") (play(false), go(turn + 1));
      else if (event.key === "ArrowLeft") (play(false), go(turn - 1));
      else return;
      event.preventDefault();
    },
    { signal },
  );

  const element = h(
    "section",
    { class: "player", "aria-label": "Replay" },
    h("div", { class: "corners" }, corners.a.element, corners.b.element),
    h("div", { class: "board" }, canvas),
    h(
      "div",
      { class: "deck" },
      story,
      h("div", { class: "track" }, ticks, scrub),
      h(
        "div",
        { class: "controls" },
        button("One turn back", "⟨", () => (play(false), go(turn - 1))),
        playButton,
        button("One turn on", "⟩", () => (play(false), go(turn + 1))),
        speedButton,
        shareButton,
        shared,
      ),
      h("p", { class: "hint keys" }, "Keys: space plays, ← and → step."),
    ),
    h("div", { class: "why" }, h("h2", {}, "Why this move"), why),
    h(
      "details",
      { class: "turns", id: "turns" },
      h("summary", {}, `All ${turns} turns in words`),
      h("ol", {}, ...lines),
    ),
  );
  requestAnimationFrame(settle);
  return element;
}
