// A job for replay.js out of the API's answers. The states are checked by their hashes, private records by the committed
// root, a match's log by its own; the rest is the server's word.
import { Problem, bytes, get } from "../api.js";
import { fromHex, toHex } from "../kernel/bytes.js";
import { merkleRoot } from "../kernel/merkle.js";
import { BATTLE, CURRICULUM, PRIVATE, SELF_PLAY } from "../kernel/sources.js";
import { encodeState } from "../kernel/state.js";
import { openRecords } from "./records.js";
import { Uncomputable } from "./replay.js";
import { camelRules } from "./rules.js";

const SOURCES = { curriculum: CURRICULUM, self_play: SELF_PLAY, battle: BATTLE, private: PRIVATE };

/** The bytes of a published state, null where this server does not have it. */
async function stateBytes(hash) {
  try {
    const [header, weights] = await Promise.all([get(`/v1/states/${hash}`), bytes(`/v1/states/${hash}/weights`)]);
    return encodeState(header, weights);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

async function matchLog(id) {
  const match = await get(`/v1/matches/${id}`);
  const words = match.log.map(fromHex);
  if (words.length === 0 || toHex(merkleRoot(words)) !== match.log_root)
    throw new Uncomputable(`The log of match ${id}, which the window samples, is not what the chain has the root of.`);
  return new Map(words.entries());
}

/** What a BATTLE or PRIVATE window reads: {records, length, secretFold}. */
async function samplesOf(dispute, inputs) {
  const { source, source_id } = dispute.checkpoint;
  if (source === "battle") {
    const records = await matchLog(source_id);
    return { records, length: records.size, secretFold: 0n };
  }
  if (source !== "private") return { records: null, length: 0, secretFold: 0n };
  const { opened } = inputs;
  if (!opened)
    throw new Uncomputable("Its samples are private and nobody has opened them, so only their owner can compute it.");
  return openRecords(
    {
      secret: fromHex(opened.secret),
      secretHash: fromHex(opened.owner_secret_hash),
      root: fromHex(opened.records_root),
      length: opened.dataset_length,
    },
    {
      order: opened.order,
      words: opened.words.map(fromHex),
      siblings: opened.siblings.map(fromHex),
    },
    { dna: fromHex(inputs.dna), index: dispute.index },
  );
}

/** The job of a dispute as /v1/disputes/{id} tells of it; throws an Uncomputable, or a Problem. */
export async function jobOf(dispute) {
  const { checkpoint } = dispute;
  if (!checkpoint) throw new Uncomputable("The disputed checkpoint is not in this server's index.");
  const inputs = await get(`/v1/disputes/${dispute.id}/window`);
  const [samples, parent, published] = await Promise.all([
    samplesOf(dispute, inputs),
    dispute.index ? stateBytes(checkpoint.parent) : null,
    stateBytes(checkpoint.h128),
  ]);
  if (dispute.index && !parent)
    throw new Uncomputable(
      `The state that the window starts from, ${checkpoint.parent}, is not to be had from this server.`,
    );
  const dna = fromHex(inputs.dna);
  return {
    beastId: BigInt(dispute.beast),
    index: dispute.index,
    mask: checkpoint.active_mask,
    parentHash: fromHex(checkpoint.parent),
    parent,
    published,
    records: samples.records,
    posted: dispute.segments,
    context: {
      dna,
      epochSeed: fromHex(inputs.epoch_seed),
      heads: inputs.heads,
      lrShift: checkpoint.lr_shift,
      source: SOURCES[checkpoint.source],
      rules: camelRules(inputs.rules),
      secretFold: samples.secretFold,
      length: samples.length,
    },
    claim: {
      h128: checkpoint.h128,
      globalStep: checkpoint.global_step,
      mask: checkpoint.active_mask,
      windowLoss: Math.round(checkpoint.loss * 128),
    },
  };
}
