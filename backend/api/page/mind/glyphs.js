// One tile's signs on the board, in SVG: what the beast does there, what it did before, where the teacher points. Each is
// made once and then only turned and coloured, so that a film turns arrows instead of swapping them.
import { s } from "../dom.js";

/** Degrees from east of north, south, east and west. */
const ANGLES = [-90, 90, 0, 180];
/** A small shield in the lower left corner of a tile. */
const SHIELD = "M-.46.2q.1 0 .13-.05.03.05.13.05 0 .19-.13.26Q-.46.39-.46.2Z";
const THINNEST = 0.075;
const THICKEST = 0.17;
const FAINTEST = 0.28;

/** Where the enemy is, as degrees from east. */
const towards = (from, to) => (Math.atan2((to >> 3) - (from >> 3), (to & 7) - (from & 7)) * 180) / Math.PI;

function arrow(kind) {
  const element = s(
    "g",
    { class: `arrow ${kind}` },
    s("path", { class: "halo", d: "M-.3 0H.14M.1-.12.27 0 .1.12" }),
    s("path", { class: "shaft", d: "M-.3 0H.14" }),
    s("path", { class: "head", d: "M.05-.17.32 0 .05.17Z" }),
    s("path", { class: "blow", d: "M-.3-.1.34 0-.3.1-.16 0Z" }),
    s("circle", { class: "still", r: 0.1 }),
  );
  return {
    element,
    /** Show a finding of policy.js from a tile; null hides the arrow. */
    set(found, tile, enemy) {
      element.dataset.deed = found ? found.deed : "none";
      if (!found) return;
      const { deed, action, shares } = found;
      const angle = deed === "strike" ? towards(tile, enemy) : ANGLES[action.direction];
      element.style.transform = `rotate(${angle}deg)`;
      const force = action.power / 15;
      const bold = deed === "strike" ? 1 : shares[action.direction];
      element.style.setProperty("--width", (THINNEST + (THICKEST - THINNEST) * force).toFixed(3));
      element.style.setProperty("--force", (0.55 + 0.45 * force).toFixed(2));
      element.style.opacity = (FAINTEST + (1 - FAINTEST) * bold).toFixed(2);
    },
  };
}

/** The signs of one tile. */
export function signs(tile) {
  const now = arrow("now");
  const before = arrow("before");
  const guard = s("path", { class: "guard", d: SHIELD });
  const wants = ANGLES.map((angle) =>
    s("path", { class: "want", d: "M.36-.09.47 0 .36.09Z", transform: `rotate(${angle})` }),
  );
  const element = s(
    "g",
    { class: "signs", transform: `translate(${(tile & 7) + 0.5} ${(tile >> 3) + 0.5})` },
    s("rect", { class: "tint", x: -0.5, y: -0.5, width: 1, height: 1 }),
    before.element,
    now.element,
    guard,
    ...wants,
  );
  return {
    element,
    set({ found, earlier, changed, enemy }) {
      element.classList.toggle("none", !found);
      element.classList.toggle("changed", changed);
      element.dataset.move = found?.right.move === null || !found ? "none" : found.right.move ? "right" : "wrong";
      guard.classList.toggle("up", Boolean(found?.action.block));
      guard.classList.toggle("wrong", found?.right.block === false);
      now.set(found, tile, enemy);
      before.set(changed ? earlier : null, tile, enemy);
      wants.forEach((want, d) => want.classList.toggle("shown", Boolean(found?.optimal.includes(d))));
    },
  };
}

const RIPPLES = "M.2.36q.09-.12.18 0t.18 0t.18 0M.28.6q.09-.12.18 0t.18 0t.18 0";

/** A wall or a pool on a tile. */
export function ground(kind, tile) {
  const at = `translate(${tile & 7} ${tile >> 3})`;
  if (kind === "wall")
    return s(
      "g",
      { class: "wall", transform: at },
      s("rect", { class: "foot", x: 0.04, y: 0.1, width: 0.92, height: 0.88, rx: 0.16 }),
      s("rect", { class: "crown", x: 0.04, y: 0.02, width: 0.92, height: 0.72, rx: 0.16 }),
      s("path", { class: "crack", d: `M${0.25 + 0.1 * ((tile * 7) % 3)}.14l.14.2-.06.2` }),
    );
  return s(
    "g",
    { class: "pool", transform: at },
    s("rect", { class: "water", x: 0.06, y: 0.06, width: 0.88, height: 0.88, rx: 0.3 }),
    s("path", { class: "ripple", d: RIPPLES }),
  );
}
