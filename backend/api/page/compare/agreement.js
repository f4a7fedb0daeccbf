// Where brains differ on one board. All stand there in the same body, so that only brains are compared.
import { policy } from "../mind/policy.js";
import { sceneOn } from "../mind/scene.js";

/** A board on which nobody's body matters: both are of middling stats. */
export const neutralScene = (terrain, enemyTile) => sceneOn(terrain, {}, { pos: enemyTile });

/** What each of some brains would do on each tile of a scene. */
export const policies = (brains, scene, rules) => brains.map((brain) => policy(brain, scene, rules));

/** Whether two findings come to the same: the way of a movement, a strike whatever its power, and if it counts the guard. */
export function same(p, q, guards = true) {
  const way = p.deed !== "move" || p.action.direction === q.action.direction;
  const deeds = (found) => (guards || found.deed !== "block" ? found.deed : "rest");
  return deeds(p) === deeds(q) && way && (!guards || p.action.block === q.action.block);
}

/** How many different acts the maps have on each tile; 0 where nobody can stand. */
export function disagreement(maps, guards = true) {
  return maps[0].map((_, tile) => {
    const acts = maps.map((map) => map[tile]);
    return acts[0] === null ? 0 : acts.filter((act, i) => acts.findIndex((one) => same(one, act, guards)) === i).length;
  });
}

/** On how many of the tiles where one can stand two maps agree: {agreed, of}. */
export function agreement(one, other, guards = true) {
  const stands = one.flatMap((act, tile) => (act ? [same(act, other[tile], guards)] : []));
  return { agreed: stands.filter(Boolean).length, of: stands.length };
}
