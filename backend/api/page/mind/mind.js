// A beast's mind: what it would do on every tile, how it came to that over its windows, and what goes on inside.
import { h, onLeave, show } from "../dom.js";
import { percent } from "../format.js";
import { fromHex } from "../kernel/bytes.js";
import { DEFAULT_RULES, stats } from "../kernel/combat.js";
import { board } from "./board.js";
import { Brains } from "./loader.js";
import { dials, modes, terrains, tools } from "./controls.js";
import { film, frameName } from "./film.js";
import { byWorth, framesOf } from "./frames.js";
import { policy, tally } from "./policy.js";
import { sceneOn, withStat } from "./scene.js";

/** Most windows of a film, evenly spread over its life, and the same ones as it goes on: their states are 34 kB each. */
export const FRAMES = 64;
const NO_CURVE = { index: [], step: [], epoch: [], source: [], hash: [] };
const FRAME_MS = 260;
const TELL_MS = 400;
/** What a visit begins with: a terrain of walls, pools and ways around both, and two open tiles on it. */
const TERRAIN = 21;
const ENEMY = 27;
const STAND = 38;

/** What the signs on the board mean. */
const legend = () =>
  h(
    "dl",
    { class: "legend" },
    ...[
      ["arrow", "the way it goes: bolder the surer it is, thicker the harder it would strike"],
      ["red tip", "it arrives in reach and strikes at once"],
      ["blade", "it stands in reach and strikes"],
      ["dot", "it stays"],
      ["shield", "it raises its guard; red where the teacher would not, an empty one where the teacher would"],
      ["edge", "where the teacher would go instead; tiles are green where both agree"],
    ].flatMap(([sign, text]) => [h("dt", {}, sign), h("dd", {}, text)]),
  );

/**
 * @param beast the API's beast; `foe` is the DNA of who it fought last, or any
 * @param rules of its season, by the specification's names
 * @param onExams given what was measured so far, as [{step, …}]; `onStep` the step that is shown
 * @param terrains the kernel's boards
 * @returns {{element, drawn, rest, update, seek, tell}} `drawn` is settled once a brain is on the board or known to be
 *   absent, `rest()` loads what stands below it, `tell()` tells again what `onExams` and `onStep` have been told
 */
export function mind({ beast, foe, name, rules, terrains: boards, kernelId, signal, onExams, onStep }) {
  const season = { ...DEFAULT_RULES, ...rules };
  const [dna, foeDna] = [fromHex(beast.dna), fromHex(foe)];
  let scene = sceneOn(boards[TERRAIN], { ...stats(dna), hp: 100 }, { ...stats(foeDna), hp: 100, pos: ENEMY });
  let [frames, at, before] = [framesOf(NO_CURVE), 0, 0];
  let [tile, tool, mode, playing, drawing, changes, theme] = [STAND, "look", "choice", false, false, false, 0];

  const brains = new Brains({ beast: beast.id, dna: beast.dna, rules: season, kernelId }, arrived, signal);
  const held = (frame) => brains.of(frame.hash);

  const view = board({
    name,
    dna,
    foe: foeDna,
    tool: () => tool,
    onScene: (changed) => set(() => (scene = changed(scene))),
    onSelect: (to) => set(() => (tile = to)),
  });
  const reel = film({ onGo: (to) => (play(false), go(to)), onPlay: play });
  let [spot, inside, weights] = [null, null, null];
  const places = { spot: h("div"), inside: h("div", { class: "anatomy" }), weights: h("div", { class: "heats" }) };
  let onDrawn;
  const drawn = new Promise((done) => (onDrawn = done));
  const bodies = dials((dial, value) => set(() => (scene = withStat(scene, dial, value))));
  const say = h("p", { class: "tells", id: "tells" });
  const apart = h("p", { class: "absence", role: "status", hidden: true });
  const origin = h(
    "button",
    { type: "button", class: "more", onclick: () => set(() => (before = at)) },
    "Count changes from here",
  );
  const since = h("p", { class: "hint" });
  const kind = h(
    "label",
    { class: "toggle" },
    h("input", {
      type: "checkbox",
      "aria-label": "Show what changed",
      onchange: ({ target }) => set(() => (changes = target.checked)),
    }),
    h("span", {}, "Show what changed"),
  );

  /** Change something, and draw once for all changes until the next frame of the screen. */
  function set(change) {
    change();
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      if (!signal.aborted) draw();
    });
  }

  function go(to) {
    set(() => (at = Math.min(Math.max(to, 0), frames.length - 1)));
  }

  const here = (i) => Boolean(held(frames[i])?.weights);

  function play(on) {
    if (on && !playing) {
      if (at === frames.length - 1) go(0);
      setTimeout(step, FRAME_MS);
    }
    set(() => (playing = on));
  }

  function step() {
    if (!playing || signal.aborted) return;
    const next = frames.findIndex((_, i) => i > at && here(i)); // those that nobody serves are passed over
    if (next < 0) return play(false);
    go(next);
    setTimeout(step, FRAME_MS);
  }

  let telling = null;
  onLeave(signal, () => clearTimeout(telling));

  /** A brain is there: its bar at once, its marks with those of others, the board only if it is the one that is shown. */
  function arrived(hash) {
    if (hash === frames[at].hash || hash === frames[before].hash) set(() => {});
    else reel.fill({ frames, held });
    telling ??= setTimeout(() => {
      telling = null;
      tellExams();
    }, TELL_MS);
  }

  const tellExams = () =>
    onExams(frames.flatMap((frame) => (held(frame)?.marks ? [{ step: frame.step, ...held(frame).marks }] : [])));

  function tell(brain, map) {
    const { moves, movesRight, tiles, blocksRight } = tally(map);
    const marks = brain.marks;
    show(
      say,
      `On this board it goes the teacher's way on ${movesRight} of ${moves} tiles and guards rightly on ${blocksRight} of ${tiles}. `,
      marks ? `On held-out boards ${percent(marks.optimal ?? 0)} of its moves are optimal.` : null,
    );
  }

  function draw() {
    const frame = frames[at];
    const brain = held(frame);
    const earlier = held(frames[before]);
    const map = brain?.weights ? policy(brain, scene, season) : new Array(64).fill(null);
    const old = mode === "change" && earlier?.weights ? policy(earlier, scene, season) : null;
    reel.draw({ frames, held, at, before, playing });
    onStep(frame.step);
    view.draw({ scene, map, before: old, mode, tile });
    view.element.classList.toggle("blank", !brain?.weights);
    apart.hidden = Boolean(brain?.weights);
    show(
      apart,
      brain?.problem ? `The state of ${frameName(frame)} cannot be shown. ${brain.problem}` : "Fetching its brain …",
    );
    spot?.draw(map[tile], tile, name);
    bodies.draw(scene);
    if (brain) requestAnimationFrame(() => setTimeout(onDrawn)); // once the browser has painted it
    if (!brain?.weights) return show(say);
    inside?.draw(map[tile], brain.mask);
    weights?.draw(brain, changes && earlier?.weights ? earlier : null, theme);
    show(since, `Changes count from: ${frameName(frames[before])}.`);
    tell(brain, map);
  }

  document.addEventListener("themechange", () => set(() => (theme += 1)), { signal });

  const element = h(
    "section",
    { class: "beast-mind", "aria-labelledby": "mind" },
    h("h2", { id: "mind", class: "unseen" }, "Mind"),
    reel.element,
    h(
      "div",
      { class: "map-and-tile" },
      h("div", { class: "arena" }, view.element, apart),
      h(
        "div",
        { class: "tile-panel" },
        h(
          "div",
          { class: "toolbar" },
          modes((to) => set(() => (mode = to))),
          tools((to) => (tool = to)),
        ),
        places.spot,
        say,
      ),
      places.inside,
    ),
    h(
      "div",
      { class: "bench" },
      h(
        "div",
        { class: "setup" },
        h("h3", {}, "Arrange the board"),
        h(
          "p",
          { class: "hint" },
          "Drag the enemy, walls and pools, or draw them; arrow keys, E, W, P and Delete do it, too.",
        ),
        terrains(boards, TERRAIN, (i) => set(() => (scene = sceneOn(boards[i], scene.self, scene.enemy)))),
        bodies.element,
      ),
      legend(),
    ),
    h("h3", {}, "Its 16 896 weights"),
    h("div", { class: "toolbar" }, kind, origin, since),
    places.weights,
  );

  return {
    element,
    drawn,
    async rest() {
      const [{ inspector }, { anatomy }, { heat }] = await Promise.all([
        import("./inspector.js"),
        import("./anatomy.js"),
        import("./heat.js"),
      ]);
      if (signal.aborted) return;
      [spot, inside, weights] = [inspector(), anatomy(), heat()];
      places.spot.replaceWith(spot.element);
      places.inside.replaceWith(inside.element);
      places.weights.replaceWith(weights.element);
      set(() => {});
    },
    tell() {
      tellExams();
      onStep(frames[at].step);
    },
    /** Its curve of at most FRAMES points as the chain tells it; a reader at the newest window stays there. */
    update(curve) {
      const [newest, hash, earlier] = [at === frames.length - 1, frames[at].hash, frames[before].hash];
      const next = framesOf(curve);
      const where = (h, otherwise) =>
        Math.max(
          next.findIndex((frame) => frame.hash === h),
          otherwise,
        );
      set(() => {
        frames = next;
        at = newest ? next.length - 1 : where(hash, 0);
        before = where(earlier, 0);
      });
      brains.want(byWorth(next.length).map((i) => next[i].hash));
    },
    /** Show the frame nearest to a step. */
    seek(step) {
      const distance = (i) => Math.abs(frames[i].step - step);
      play(false);
      go(frames.reduce((best, _, i) => (distance(i) < distance(best) ? i : best), 0));
    },
  };
}
