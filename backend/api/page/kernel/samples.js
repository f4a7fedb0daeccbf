// Positions drawn at random (docs/spec/samples.md §1), and the held-out boards that every brain is examined on.
import { REST, clearTile, neighbour, pack } from "./board.js";
import { uint } from "./bytes.js";
import { keccak } from "./keccak.js";
import { draw, fold64 } from "./rng.js";

const HP = 100;
const STAMINA = 16;
const HELD_OUT_TAG = "chainbeasts/held-out-boards/1";

/** A terrain of 8 big-endian bytes a board, from a 64-bit state. */
export function randomTerrain(s) {
  const r = [0, 1, 2, 3, 4, 5, 6].map((i) => draw(s, i));
  const walls = r[0] & r[1] & (r[2] | r[3]);
  return { walls: uint(walls, 8), hazards: uint(r[4] & r[5] & r[6] & ~walls & 0xffff_ffff_ffff_ffffn, 8) };
}

/** The neighbour in a direction, mirrored to the opposite one when that is off the board. */
const beside = (tile, direction) => neighbour(tile, direction) ?? neighbour(tile, direction ^ 1);

/** A valid word drawn from a 64-bit state, on a terrain of the tables or, where it is null, on a random one. */
export function randomPosition(s, terrain, rules) {
  const { walls, hazards } = terrain ?? randomTerrain(s);
  const q = Number(draw(s, 7) & 0xffffn);
  const t = Number(draw(s, 8) & 0xffff_ffffn);
  const own = q & 63;
  let other = (q >> 6) & 63;
  if (((q >> 12) & 3) === 0) other = beside(own, (q >> 14) & 3);
  if (other === own) other ^= 1; // stays on the board, whatever the tile
  const cleared = { walls: walls.slice(), hazards: hazards.slice() };
  for (const tile of [own, other]) clearTile(cleared, tile);
  const creature = (pos, quarter, power, defense) => ({
    pos,
    hp: HP,
    stamina: STAMINA,
    tempDef: Math.min(quarter * rules.blockGain, rules.blockCap),
    power: power & 127,
    defense: defense & 127,
    lastAction: REST,
    heading: 0,
  });
  const self = creature(own, (t >> 16) & 3, t >> 18, t >> 25);
  const enemy = creature(other, (t >> 7) & 3, t >> 9, t);
  return pack(cleared, self, enemy, 0, false);
}

/** The first `count` held-out boards: random ones, the same for every beast; hardly one of them is ever trained on. */
export function heldOut(count, rules) {
  const seed = fold64(keccak(new TextEncoder().encode(HELD_OUT_TAG)));
  return Array.from({ length: count }, (_, n) => randomPosition(draw(seed, n), null, rules));
}
