// The battle seed that a block's hash makes of a match (docs/spec/arena.md), before anybody has drawn it on chain.
import { concat, fromHex, uint } from "../kernel/bytes.js";
import { keccak } from "../kernel/keccak.js";
import { fold64 } from "../kernel/rng.js";

/** A BigInt: fold64(keccak256(abi.encode(blockHash, arena, matchId))). */
export const seedOf = (blockHash, arena, matchId) =>
  fold64(keccak(concat(fromHex(blockHash), new Uint8Array(12), fromHex(arena), uint(matchId))));
