// The map of disagreement: on each of 64 tiles an arrow a beast, and darker where they would do different things.
import { h, s, show } from "../dom.js";
import { plural } from "../format.js";
import { ground } from "../mind/glyphs.js";
import { deedInWords } from "../mind/policy.js";
import { TILES, occupant, tileName } from "../mind/scene.js";
import { agreement, disagreement, neutralScene, policies } from "./agreement.js";
import { inkVars } from "./inks.js";

const ANGLES = [-90, 90, 0, 180];
const CENTRE = 27;
const ARROW = "M-.3 0H.28M.06-.2.28 0 .06 .2";
const STRIKE = "M-.2-.2.2.2M.2-.2-.2.2";

/** Where in a tile the marks of so many beasts are, and how large: {size, at}. */
function layout(n) {
  const columns = n <= 2 ? n : n <= 4 ? 2 : 3;
  const rows = Math.ceil(n / columns);
  const size = 0.95 / Math.max(columns, rows);
  const at = (i) => [(i % columns) - (columns - 1) / 2, Math.floor(i / columns) - (rows - 1) / 2].map((k) => k * size);
  return { size, at };
}

/** What the i-th of `n` beasts would do on a tile. */
function mark({ deed, action }, i, n) {
  const { size, at } = layout(n);
  const goes = deed === "move" || deed === "charge";
  const turn = goes ? `rotate(${ANGLES[action.direction]})` : "";
  const shape = goes
    ? s("path", { d: ARROW })
    : deed === "strike"
      ? s("path", { d: STRIKE })
      : s("circle", { class: "still", r: 0.1 });
  return s(
    "g",
    { class: "act", transform: `translate(${at(i)}) scale(${size}) ${turn}`, vars: inkVars(i) },
    shape,
    action.block ? s("circle", { class: "guard", r: 0.44 }) : null,
  );
}

/**
 * The section of the map.
 * @param fighters those with brains: [{name, id, brain}]
 */
export function disagreementMap(fighters, terrains, rules) {
  const board = s("svg", { class: "differing", viewBox: "0 0 8 8", role: "img" });
  const said = h("p", { class: "hint", role: "status" });
  const detail = h("ul", { class: "on-tile" });
  const where = h("h3");
  const terrain = h(
    "select",
    { onchange: () => draw() },
    ...terrains.map(({ name }, i) => h("option", { value: String(i) }, `${i}: ${name}`)),
  );
  const tiles = () => Array.from({ length: TILES }, (_, tile) => h("option", { value: String(tile) }, tileName(tile)));
  const enemy = h("select", { onchange: () => draw() }, ...tiles());
  const looked = h("select", { onchange: () => tell() }, ...tiles());
  const guards = h("input", { type: "checkbox", "aria-label": "guards count, too", onchange: () => draw() });
  enemy.value = String(CENTRE);
  let maps = [];
  let scene = null;

  function draw() {
    scene = neutralScene(terrains[Number(terrain.value)], Number(enemy.value));
    maps = policies(
      fighters.map(({ brain }) => brain),
      scene,
      rules,
    );
    const counts = disagreement(maps, guards.checked);
    show(
      board,
      counts.map((count, tile) => square(count, tile)),
    );
    const stands = counts.filter(Boolean).length;
    const agreed = counts.filter((count) => count === 1).length;
    const text = `They would do the same on ${agreed} of ${plural(stands, "tile")}.`;
    board.setAttribute("aria-label", `Map of disagreement, enemy on ${tileName(scene.enemy.pos)}. ${text}`);
    show(said, text, fighters.length > 2 ? ` ${pairwise()}` : "");
    tell();
  }

  function pairwise() {
    const pairs = fighters.flatMap((one, i) =>
      fighters.slice(i + 1).map((other, k) => {
        const { agreed, of } = agreement(maps[i], maps[i + k + 1], guards.checked);
        return { text: `${one.name} and ${other.name} on ${agreed}`, agreed, of };
      }),
    );
    return `By pairs: ${pairs.map(({ text }) => text).join(", ")}.`;
  }

  function square(count, tile) {
    const there = occupant(scene, tile);
    const acts = maps.map((map) => map[tile]).filter(Boolean);
    const part = count > 1 ? (count - 1) / (fighters.length - 1) : 0;
    return s(
      "g",
      { onclick: () => ((looked.value = String(tile)), tell()), ondblclick: () => moveEnemy(tile) },
      s("rect", {
        class: `tile ${((tile & 7) + (tile >> 3)) & 1 ? "even" : ""}`,
        x: tile & 7,
        y: tile >> 3,
        width: 1.005,
        height: 1.005,
      }),
      there === "wall" || there === "pool" ? ground(there, tile) : null,
      s("rect", { class: "heat", x: tile & 7, y: tile >> 3, width: 1, height: 1, vars: { part } }),
      there === "enemy"
        ? s("circle", { class: "enemy", cx: (tile & 7) + 0.5, cy: (tile >> 3) + 0.5, r: 0.32 })
        : s(
            "g",
            { transform: `translate(${(tile & 7) + 0.5} ${(tile >> 3) + 0.5})` },
            acts.map((found, i) => mark(found, i, acts.length)),
          ),
    );
  }

  function moveEnemy(tile) {
    enemy.value = String(tile);
    draw();
  }

  /** What each would do on the tile that is looked at. */
  function tell() {
    const tile = Number(looked.value);
    const there = occupant(scene, tile);
    show(where, `On ${tileName(tile)}`);
    if (there === "wall" || there === "enemy")
      return show(detail, h("li", {}, there === "wall" ? "a wall" : "the enemy"));
    show(
      detail,
      fighters.map(({ name, id }, i) =>
        h("li", { vars: inkVars(i) }, h("b", {}, `${name} № ${id}`), ` ${deedInWords(maps[i][tile])}`),
      ),
    );
  }

  draw();
  return h(
    "section",
    { class: "disagreement", "aria-labelledby": "disagreement" },
    h("h2", { id: "disagreement" }, "Where they differ"),
    h(
      "div",
      { class: "sides" },
      board,
      h(
        "div",
        {},
        said,
        h("label", {}, "Board ", terrain),
        h("label", {}, "Enemy on ", enemy),
        h("label", {}, "Look at ", looked),
        h("label", {}, guards, " guards count, too"),
        where,
        detail,
        h(
          "p",
          { class: "hint" },
          "All in the same body, so that only brains differ. Arrows go, crosses strike, dots stay; a ring is a raised guard. ",
          "A click looks at a tile, a double click puts the enemy there.",
        ),
      ),
    ),
  );
}
