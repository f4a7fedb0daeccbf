// The boards that the kernel knows, without what it takes to prove that they are the contracts' own.
import { fromHex } from "./bytes.js";

/** Terrains of a parsed tables.json, each {name, walls, hazards} of 8 big-endian bytes a board. */
export const readTerrains = ({ templates }) =>
  templates.map(({ name, walls, hazards }) => ({
    name,
    walls: fromHex("0x" + walls),
    hazards: fromHex("0x" + hazards),
  }));
