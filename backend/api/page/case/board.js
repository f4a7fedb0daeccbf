// A position as a small picture: walls, pools, self, enemy, and arrows.
import { s } from "../dom.js";
import { enemyOf, isHazard, isWall, selfOf } from "../kernel/board.js";

const TILES = [...Array(64).keys()];
const DIRECTIONS = ["north", "south", "east", "west"];
const TURN = [-90, 90, 0, 180];

export const directionName = (direction) => (direction === null ? "none" : DIRECTIONS[direction]);

const middle = (tile) => [(tile & 7) + 0.5, (tile >> 3) + 0.5];

function arrow(tile, direction, kind) {
  const [x, y] = middle(tile);
  return s("path", {
    class: `arrow ${kind}`,
    d: "M.55 -.16L1.05 0L.55 .16Z",
    transform: `translate(${x} ${y}) rotate(${TURN[direction]})`,
  });
}

function token(tile, kind, letter) {
  const [x, y] = middle(tile);
  return [
    s("circle", { class: kind, cx: x, cy: y, r: 0.4 }),
    s("text", { class: kind, x, y: y + 0.2, "text-anchor": "middle" }, letter),
  ];
}

/** @param arrows [{direction, kind}] from self's tile; `label` says what the picture shows */
export function boardPicture(word, label, arrows = []) {
  const [self, enemy] = [selfOf(word).pos, enemyOf(word).pos];
  const ground = TILES.map((tile) =>
    s("rect", {
      class: isWall(word, tile) ? "wall" : isHazard(word, tile) ? "pool" : ((tile + (tile >> 3)) & 1) === 0 ? "a" : "b",
      x: tile & 7,
      y: tile >> 3,
      width: 1,
      height: 1,
    }),
  );
  return s(
    "svg",
    { class: "position", viewBox: "0 0 8 8", role: "img", "aria-label": label },
    ...ground,
    ...arrows.filter(({ direction }) => direction !== null).map(({ direction, kind }) => arrow(self, direction, kind)),
    ...token(self, "self", "S"),
    ...token(enemy, "enemy", "E"),
  );
}
