// keccak-256, the one hash of the protocol.
import { keccak_256 } from "/vendor/sha3.js";

/** 32 bytes. */
export const keccak = (bytes) => keccak_256(bytes);
