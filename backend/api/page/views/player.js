// The player of a match: board, plates, controls and moves in one screen, what both would do, and what if.
import { announce } from "../announce.js";
import { Arena } from "../arena.js";
import { graph } from "../battle/graph.js";
import { KEYS, listen } from "../battle/keys.js";
import { moves } from "../battle/moves.js";
import { minds } from "../battle/course.js";
import { plate } from "../battle/plates.js";
import { Playback } from "../battle/playback.js";
import { mindPanel } from "../battle/thoughts.js";
import { whatIf } from "../battle/whatif.js";
import { h, onLeave, s, show } from "../dom.js";
import { aActs, sides } from "../kernel/match.js";
import { deed, ending, sentence, wordAt } from "../story.js";

const button = (label, text, onclick, kind = "", keys = null) =>
  h(
    "button",
    { type: "button", class: kind, "aria-label": label, "aria-keyshortcuts": keys, title: label, onclick },
    text,
  );

/** The corners of a screen. */
const corners = () =>
  s(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" },
    s("path", { d: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" }),
  );

/**
 * The player's element.
 * @param fighters {a, b} of {beast, dna, name}
 * @param match {words, thoughts, last, result} as it is to be shown
 * @param brains {a, b} of those who fought; null if they are not at hand
 * @param start the turn to begin with; null plays from the first one
 * @param veiled whether what comes after the turns seen stays hidden, as nobody knows it yet
 * @param setQuery as of a view
 * @param link gives the address of a turn
 */
export function player({ fighters, match, brains, battleSeed, rules, start, veiled, setQuery, link, signal }) {
  const dnas = { a: fighters.a.dna, b: fighters.b.dna };
  const names = { a: fighters.a.name, b: fighters.b.name };
  const setup = { dnaA: dnas.a, dnaB: dnas.b, battleSeed, rules };
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  const canvas = h("canvas", {
    width: 480,
    height: 480,
    role: "img",
    "aria-label": `The board of ${names.a} and ${names.b}`,
  });
  const arena = new Arena(canvas, dnas.a, dnas.b, battleSeed);
  const plates = { a: plate("a", names.a, dnas.a), b: plate("b", names.b, dnas.b) };
  const story = h("p", { class: "story", id: "story" });
  const scrub = h("input", { type: "range", min: 0, step: 1, "aria-label": "Turn", id: "scrub" });
  const ticks = h("div", { class: "ticks", "aria-hidden": "true" });
  const lines = graph(dnas, names, battleSeed);
  const told = moves((turn) => playback.go(turn));
  const thinking = h("div", { class: "minds" });
  const supposed = h("div", { class: "supposed", hidden: true });

  let shown = match;
  let deeds = [];
  let reached = 0;
  let drawn = false;

  const playback = new Playback(match.words.length, start ?? 0, { settled, moved: () => still || paint() });
  const supposing = brains
    ? whatIf({
        fighters,
        setup,
        brains,
        shown: () => ({ match, turn: Math.min(playback.turn, match.words.length - 1) }),
        told: suppose,
      })
    : null;

  const playButton = button("Play", "▶", () => play(!playback.playing), "play", "Space");
  const speedButton = button("Speed 1×", "1×", () => {
    playback.faster();
    show(speedButton, `${playback.speed}×`);
    speedButton.setAttribute("aria-label", `Speed ${playback.speed}×`);
  });
  const shared = h("span", { class: "hint" });
  const controls = h(
    "div",
    { class: "controls" },
    button("To the beginning", "«", () => playback.go(0), "outer", "Home"),
    button("One turn back", "⟨", () => playback.go(playback.turn - 1), "", "ArrowLeft"),
    playButton,
    button("One turn on", "⟩", () => playback.go(playback.turn + 1), "", "ArrowRight"),
    button("To the end", "»", () => playback.go(playback.turns), "outer", "End"),
    speedButton,
    button("Fill the screen", corners(), fill, "", "F"),
    button("Share: copy a link to this turn", "Share", share, "share"),
    shared,
  );

  function paint() {
    const { turn, progress, over } = playback;
    const word = wordAt(shown, turn);
    if (word) arena.draw(word, deeds[turn] ?? null, progress, over);
  }

  const textOf = (turn) =>
    turn < shown.words.length
      ? `Turn ${turn + 1} of ${veiled ? "this match" : shown.words.length}: ${deeds[turn] ? sentence(deeds[turn], names) : "what it led to was not recorded."}`
      : ending(shown, dnas, names, battleSeed);

  /** Everything that changes from turn to turn. */
  function settled(turn, playing) {
    const word = wordAt(shown, turn) ?? shown.words.at(-1);
    const both = sides(word, battleSeed);
    const acts = turn < shown.words.length ? (aActs(battleSeed, turn) ? "a" : "b") : null;
    for (const side of ["a", "b"]) plates[side].set(both[side], side === acts);
    reached = Math.max(reached, turn);
    if (reached === shown.words.length) veiled = false;
    scrub.value = turn;
    const text = textOf(turn);
    scrub.setAttribute("aria-valuetext", text);
    show(story, text);
    showMinds(turn);
    const horizon = veiled ? reached : Infinity;
    told.at(turn, horizon);
    [...ticks.children].forEach((tick, i) => tick.classList.toggle("ahead", i >= horizon));
    lines.at(turn, veiled);
    playButton.setAttribute("aria-label", playing ? "Pause" : "Play");
    playButton.title = playing ? "Pause" : "Play";
    show(playButton, playing ? "❚❚" : "▶");
    if (drawn && !playing) {
      if (document.activeElement !== scrub) announce(text); // a slider says its value by itself
      if (shown === match) setQuery({ turn: turn || null });
    }
    paint();
  }

  function showMinds(turn) {
    const found = minds(shown, turn, brains && (shown.brains ?? brains), battleSeed);
    const panels = ["a", "b"].flatMap((side) => (found[side] ? [mindPanel(found[side], names[side], side)] : []));
    const over = turn >= shown.words.length;
    show(
      thinking,
      panels.length
        ? panels
        : h("p", { class: "hint" }, over ? "Nobody acts any more." : "The states that decided this are not at hand."),
    );
    const side = found.a?.acts ? "a" : "b";
    supposing?.at(shown === match && !veiled && found[side] ? { ...found[side], name: names[side] } : null);
  }

  /** Put a course of the match on the board. */
  function put(course, turn) {
    shown = course;
    const turns = course.words.length;
    deeds = Array.from({ length: turns }, (_, i) => deed(course, i, battleSeed));
    show(
      ticks,
      deeds.map((d) => h("i", { class: d ? `${d.kind} ${d.side}${d.critical ? " critical" : ""}` : null })),
    );
    scrub.max = turns;
    told.course(deeds, names, ending(course, dnas, names, battleSeed), course.from);
    lines.course(course, course === match ? null : match);
    playback.recut(turns, turn);
  }

  function suppose({ course, text }) {
    show(
      supposed,
      h("p", {}, h("b", {}, "What if. "), text, " ", ending(course, dnas, names, battleSeed)),
      h("p", { class: "hint" }, "In truth: ", ending(match, dnas, names, battleSeed)),
      button("Back to the match", "Back to the match", () => back(course.from), "more"),
    );
    supposed.hidden = false;
    put(course, course.from);
    if (!still && course.from < course.words.length) play(true);
  }

  function back(turn) {
    supposed.hidden = true;
    put(match, turn);
    playButton.focus({ preventScroll: true });
  }

  function play(on) {
    playback.play(on);
    if (on) requestAnimationFrame(frame);
  }

  function frame(time) {
    if (!signal.aborted && playback.tick(time)) requestAnimationFrame(frame);
  }

  async function share() {
    const address = link(shown === match ? playback.turn : shown.from);
    try {
      await navigator.clipboard.writeText(address);
      show(shared, "The link is copied.");
      announce("The link is copied.");
    } catch {
      show(shared, h("a", { href: address }, address));
    }
  }

  function fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else stage.requestFullscreen?.().catch(() => show(shared, "The browser does not allow it here."));
  }

  scrub.addEventListener("input", () => playback.go(Number(scrub.value)));
  document.addEventListener("themechange", paint, { signal });
  const sized = new ResizeObserver(() => {
    paint();
    told.at(playback.turn, veiled ? reached : Infinity);
  });
  sized.observe(canvas);
  onLeave(signal, () => sized.disconnect());

  const comparing = h("a", { href: `#/compare/${fighters.a.beast},${fighters.b.beast}` }, "compare them");
  const stage = h(
    "div",
    { class: "stage" },
    h("div", { class: "board" }, canvas),
    h("div", { class: "corners" }, plates.a.element, plates.b.element),
    h("div", { class: "deck" }, story, lines.element, ticks, scrub, controls),
    told.element,
  );
  put(match, playback.turn);
  drawn = true;
  if (start === null && !still) play(true);
  const element = h(
    "section",
    { class: "player", "aria-label": "Replay" },
    stage,
    h("p", { class: "hint keys" }, KEYS),
    supposed,
    supposing?.element,
    h("h2", { class: "minds-title" }, "What each sees and would do ", comparing),
    thinking,
  );
  listen(
    {
      " ": () => play(!playback.playing),
      ArrowLeft: () => playback.go(playback.turn - 1),
      ArrowRight: () => playback.go(playback.turn + 1),
      Home: () => playback.go(0),
      End: () => playback.go(playback.turns),
      f: fill,
    },
    element,
    signal,
  );
  return element;
}
