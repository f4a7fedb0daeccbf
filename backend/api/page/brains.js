// States as the server has them, believed only after their hash: it is the chain's word for what they contain.
import { bytes, get } from "./api.js";
import { toHex } from "./kernel/bytes.js";
import { genesisState } from "./kernel/genesis.js";
import { STATE_BYTES, decodeState, encodeState, stateHash } from "./kernel/state.js";

/** What was served, or computed here, is not what the chain names. */
export class Difference extends Error {}

/** The encoded state that is served under a hash, not yet checked; throws a Problem. */
export async function servedState(hash, signal = null) {
  const path = `/v1/states/${hash}`;
  const [header, weights] = await Promise.all([get(path, signal), bytes(`${path}/weights`, signal)]);
  return encodeState(header, weights);
}

/** {beastId, mask, weights} of an encoded state, if it has the hash and is the beast's; else throws a Difference. */
export function openState(kernelId, encoded, hash, beast, whose) {
  if (encoded.length !== STATE_BYTES)
    throw new Difference(
      `What is served as the state of ${whose} has ${encoded.length} bytes, a state has ${STATE_BYTES}.`,
    );
  const own = toHex(stateHash(kernelId, encoded));
  if (own !== hash) throw new Difference(`The state served for ${whose} has the hash ${own}, the chain names ${hash}.`);
  const state = decodeState(encoded);
  if (state.beastId !== BigInt(beast))
    throw new Difference(`The state of ${whose} is beast ${state.beastId}'s, not beast ${beast}'s.`);
  return state;
}

/** A beast's brain as its DNA made it: computed here, so nobody need be asked. */
export const newborn = (beast, dna) => decodeState(genesisState(BigInt(beast), dna));
