// What brains would do on every tile of one board, and where they differ. The bodies are all alike here, so that only
// brains are compared.
import { REST, adjacent, isWall, pack } from "../kernel/board.js";
import { obstacles } from "../kernel/combat.js";
import { think } from "../kernel/match.js";

export const TILES = 64;

/** A body of middling stats, for whoever stands on the board. */
const BODY = Object.freeze({
  ...{ hp: 150, stamina: 20, tempDef: 0, power: 80, defense: 64 },
  ...{ lastAction: REST, heading: 0 },
});

/** The word of a beast on `tile` and its enemy on another; null where nobody can stand so. */
export function wordOn(terrain, tile, enemy) {
  const word = pack(terrain, { ...BODY, pos: tile }, { ...BODY, pos: enemy }, 0, false);
  return tile === enemy || isWall(word, tile) || isWall(word, enemy) ? null : word;
}

/**
 * What a brain would do on each of the 64 tiles.
 * @returns null where nobody can stand, else {does, direction, power, block}; `does` is "move", "strike" or "stay"
 */
export function policyMap(brain, terrain, enemy) {
  return Array.from({ length: TILES }, (_, tile) => {
    const word = wordOn(terrain, tile, enemy);
    if (!word) return null;
    const { action } = think(brain, word);
    const reach = adjacent(tile, enemy);
    const walled = obstacles(word).every((obstacle) => obstacle !== null);
    const does = reach ? (action.power ? "strike" : "stay") : walled ? "stay" : "move";
    return { does, ...action };
  });
}

/** Whether two acts come to the same: the way of a movement, a strike whatever its power, and the guard. */
export function same(p, q) {
  return p.does === q.does && p.block === q.block && (p.does !== "move" || p.direction === q.direction);
}

/** How many different acts there are on each tile; 0 where nobody can stand. */
export function disagreement(maps) {
  return maps[0].map((_, tile) => {
    const acts = maps.map((map) => map[tile]);
    return acts[0] === null ? 0 : acts.filter((act, i) => acts.findIndex((one) => same(one, act)) === i).length;
  });
}

/** On how many of the tiles where one can stand two maps agree: {agreed, of}. */
export function agreement(one, other) {
  const stands = one.flatMap((act, tile) => (act ? [same(act, other[tile])] : []));
  return { agreed: stands.filter(Boolean).length, of: stands.length };
}
