// The board that a reader plays with: terrain, enemy, and on every tile what the beast would do there. An SVG shows it, and
// a grid of focusable cells over it takes the pointer and the keyboard and says in words what the picture shows.
import { h, s, show } from "../dom.js";
import { portrait } from "../portrait.js";
import { ground, signs } from "./glyphs.js";
import { differs, tileInWords } from "./policy.js";
import { TILES, carried, occupant, withEnemy, withGround } from "./scene.js";

const SIDE = 8;
const STEPS = { ArrowUp: -SIDE, ArrowDown: SIDE, ArrowLeft: -1, ArrowRight: 1 };
const GROUNDS = { w: "wall", p: "pool", Delete: "open", Backspace: "open" };
const HELP =
  "Arrow keys go from tile to tile. E puts the enemy there, W a wall, P a pool, Delete clears; with Shift the arrows carry " +
  "what stands there. Dragging does the same.";

/** The tile that arrow keys lead to; the same one at the edge. */
function stepped(tile, key) {
  const to = tile + STEPS[key];
  const sideways = key === "ArrowLeft" || key === "ArrowRight";
  return to < 0 || to >= TILES || (sideways && to >> 3 !== tile >> 3) ? tile : to;
}

const figure = (dna, kind) => {
  const picture = portrait(dna, "", { sky: false });
  for (const [key, value] of Object.entries({ width: 1.24, height: 1.24, "aria-hidden": "true" }))
    picture.setAttribute(key, value);
  picture.removeAttribute("role");
  return s(
    "g",
    { class: `figure ${kind}` },
    s("ellipse", { class: "shadow", cx: 0.62, cy: 1.02, rx: 0.36, ry: 0.1 }),
    picture,
  );
};

const put = (element, tile) => {
  element.style.transform = `translate(${(tile & 7) - 0.12}px, ${(tile >> 3) - 0.24}px)`;
};

/** The tiles on the way from one to another, without the first: a quick pointer is not told of each. */
function between(from, to) {
  const [dx, dy] = [(to % SIDE) - (from % SIDE), Math.floor(to / SIDE) - Math.floor(from / SIDE)];
  const count = Math.max(Math.abs(dx), Math.abs(dy));
  return Array.from({ length: count }, (_, i) => {
    const [x, y] = [dx, dy].map((d) => Math.round((d * (i + 1)) / count));
    return from + x + SIDE * y;
  });
}

/**
 * @param dna, foe the bytes that the two are drawn by
 * @param onScene given what the reader does to the scene: a function from the one before to the one after
 * @param onSelect given the tile that the reader looks at
 * @returns {{element, draw}} `draw({scene, map, before, mode, tile})`
 */
export function board({ name, dna, foe, tool, onScene, onSelect }) {
  const grounds = s("g");
  const marks = Array.from({ length: TILES }, (_, tile) => signs(tile));
  const [self, enemy] = [figure(dna, "self"), figure(foe, "enemy")];
  const chosen = s("rect", { class: "chosen", x: 0.03, y: 0.03, width: 0.94, height: 0.94, rx: 0.12 });
  const floor = Array.from({ length: TILES }, (_, tile) =>
    s("rect", {
      class: ((tile & 7) + (tile >> 3)) & 1 ? "near" : "far",
      x: tile & 7,
      y: tile >> 3,
      width: 1.01,
      height: 1.01,
    }),
  );
  const picture = s(
    "svg",
    { viewBox: "0 0 8 8", "aria-hidden": "true" },
    ...floor,
    grounds,
    chosen,
    self,
    ...marks.map(({ element }) => element),
    enemy,
  );
  const cells = Array.from({ length: TILES }, (_, tile) =>
    h("div", { role: "gridcell", tabindex: tile ? -1 : 0, "data-tile": tile }),
  );
  const rows = Array.from({ length: SIDE }, (_, y) =>
    h("div", { role: "row" }, ...cells.slice(SIDE * y, SIDE * y + SIDE)),
  );
  const help = h("p", { class: "unseen", id: "board-help" }, HELP);
  const grid = h(
    "div",
    { class: "cells", role: "grid", "aria-label": `What ${name} would do on each tile`, "aria-describedby": help.id },
    ...rows,
  );
  const element = h("div", { class: "policy" }, picture, grid, help);

  let shown = null;
  let terrain = null;
  let drag = null;

  const tileAt = ({ clientX, clientY }) => {
    const box = grid.getBoundingClientRect();
    const at = (value, from, size) => Math.min(Math.max(Math.floor(((value - from) / size) * SIDE), 0), SIDE - 1);
    return SIDE * at(clientY, box.top, box.height) + at(clientX, box.left, box.width);
  };

  /** Paint tiles. What is shown is a frame behind: the next stroke goes on from this one, drawn or not. */
  function stroke(tiles) {
    const { paint } = drag;
    onScene((scene) => tiles.reduce((ground, tile) => withGround(ground, tile, paint), scene));
  }

  function focus(tile, move = true) {
    cells.forEach((cell, i) => (cell.tabIndex = i === tile ? 0 : -1));
    if (move) cells[tile].focus({ preventScroll: true });
  }

  function look(tile) {
    focus(tile);
    onSelect(tile);
  }

  grid.addEventListener("pointerdown", (event) => {
    if (event.button || !shown) return;
    event.preventDefault();
    const tile = tileAt(event);
    const paint = tool();
    const what = occupant(shown.scene, tile);
    grid.setPointerCapture(event.pointerId);
    if (paint !== "look" && what !== "enemy") {
      // A second stroke on what is there already takes it away.
      drag = { paint: what === paint ? "open" : paint, last: tile };
      stroke([tile]);
      return focus(tile);
    }
    drag = { from: tile, last: tile, scene: shown.scene };
    element.classList.toggle("carries", what !== "open");
    look(tile);
  });
  grid.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const tile = tileAt(event);
    if (tile === drag.last) return;
    const { scene, from, last, paint } = drag;
    drag.last = tile;
    if (paint) stroke(between(last, tile));
    else if (occupant(scene, from) === "open") look(tile);
    else onScene(() => carried(scene, from, tile)); // from the first scene: passing over a wall leaves it there
  });
  for (const end of ["pointerup", "pointercancel"])
    grid.addEventListener(end, () => {
      drag = null;
      element.classList.remove("carries");
    });
  grid.addEventListener("keydown", (event) => {
    const tile = Number(event.target.dataset?.tile);
    if (!shown || event.altKey || event.ctrlKey || event.metaKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in STEPS) {
      const to = stepped(tile, key);
      if (event.shiftKey) onScene((scene) => carried(scene, tile, to));
      look(to);
    } else if (key === "e") onScene((scene) => withEnemy(scene, tile));
    else if (key in GROUNDS) {
      const kind = GROUNDS[key];
      onScene((scene) => withGround(scene, tile, occupant(scene, tile) === kind ? "open" : kind));
    } else if (key === "Enter" || key === " ") look(tile);
    else return;
    event.preventDefault();
  });

  function draw(next) {
    shown = next;
    const { scene, map, before, mode, tile } = next;
    if (terrain !== scene.terrain) {
      terrain = scene.terrain;
      const kinds = Array.from({ length: TILES }, (_, i) => occupant(scene, i));
      show(
        grounds,
        kinds.map((kind, i) => (kind === "wall" || kind === "pool" ? ground(kind, i) : null)),
      );
    }
    element.dataset.mode = mode;
    put(enemy, scene.enemy.pos);
    put(self, tile);
    self.classList.toggle("away", !map[tile]);
    chosen.style.transform = `translate(${tile & 7}px, ${tile >> 3}px)`;
    marks.forEach((mark, i) =>
      mark.set({
        found: map[i],
        earlier: before?.[i] ?? null,
        changed: mode === "change" && differs(before?.[i], map[i]),
        enemy: scene.enemy.pos,
      }),
    );
    cells.forEach((cell, i) => {
      cell.setAttribute("aria-label", tileInWords(scene, map, i, name));
      cell.setAttribute("aria-selected", String(i === tile));
    });
    focus(tile, false);
  }

  return { element, draw };
}
