// An evidence bundle, verified as docs/spec/evidence.md §3 says: kernel and digest, states and records by their hashes, then
// the window computed again. Nothing is asked of anybody.
import { concat, equal, fromHex, toHex, uint } from "../kernel/bytes.js";
import { keccak } from "../kernel/keccak.js";
import { merkleRoot } from "../kernel/merkle.js";
import { fold64 } from "../kernel/rng.js";
import { BATTLE, PRIVATE } from "../kernel/sources.js";
import { STEPS } from "../kernel/window.js";
import { readManifest } from "./manifest.js";
import { openRecords } from "./records.js";
import { replay } from "./replay.js";
import { camelRules } from "./rules.js";
import { DATASET, MANIFEST, MATCH_LOG, PARENT, PUBLISHED, RECORDS, Refused, unzip } from "./zip.js";

const WORD = 32;

const demand = (holds, why) => {
  if (!holds) throw new Refused(why);
};

/** The ledger's name for a record: keccak256(abi.encode(chain, ledger, beast, record)). */
export function digestOf({ chain_id, ledger, beast_id, checkpoint: c }) {
  const { payload: p } = c;
  const fields = [
    ...[c.index, c.generation, c.parent, p.epoch, p.h128, p.energy_burn, p.lr_shift, p.active_mask, p.global_step],
    ...[p.window_loss, p.source, p.source_id, c.season, c.trainer, c.submitted_at, c.bond, c.locked_sum],
  ];
  return toHex(keccak(concat(...[chain_id, ledger, beast_id, ...fields].map((value) => uint(value)))));
}

const split = (bytes) =>
  Array.from({ length: Math.floor(bytes.length / WORD) }, (_, i) => bytes.slice(WORD * i, WORD * (i + 1)));

function matchLog({ match }, log) {
  const words = split(log);
  const fits = log.length === WORD * match.turns && toHex(merkleRoot(words)) === match.log_root;
  demand(fits, "its match.log does not have the root that it states");
  return { records: new Map(words.entries()), length: match.turns, secretFold: 0n };
}

/** The records of a member that holds an opening: order, words, siblings. */
function openedRecords({ dataset, context, checkpoint }, bytes) {
  demand(bytes.length >= STEPS && (bytes.length - STEPS) % WORD === 0, "its records.bin is cut off");
  const order = [...bytes.subarray(0, STEPS)];
  const rest = split(bytes.subarray(STEPS));
  const count = Math.max(...order) + 1;
  return openRecords(
    {
      secret: fromHex(dataset.secret),
      secretHash: fromHex(dataset.owner_secret_hash),
      root: fromHex(dataset.records_root),
      length: dataset.dataset_length,
    },
    { order, words: rest.slice(0, count), siblings: rest.slice(count) },
    { dna: fromHex(context.dna), index: checkpoint.index },
  );
}

/** All records of the dataset itself, which has to open all four commitments. */
function wholeDataset({ dataset }, compressed, decompress) {
  const secret = fromHex(dataset.secret);
  demand(toHex(keccak(compressed)) === dataset.c_dataset, "its dataset is not the committed one");
  demand(toHex(keccak(secret)) === dataset.owner_secret_hash, "its secret is not the committed one");
  const words = split(decompress(compressed, WORD * dataset.dataset_length));
  demand(toHex(merkleRoot(words)) === dataset.records_root, "its dataset does not have the committed Merkle root");
  return { records: new Map(words.entries()), length: words.length, secretFold: fold64(secret) };
}

function samplesOf(manifest, members, decompress) {
  const { source } = manifest.checkpoint.payload;
  const [log, opened, whole] = [MATCH_LOG, RECORDS, DATASET].map((name) => members.get(name));
  const battle = source === BATTLE;
  demand(
    (manifest.match !== null) === battle && Boolean(log) === battle,
    "it has a match and no BATTLE window, or the reverse",
  );
  const some = Number(Boolean(opened)) + Number(Boolean(whole));
  const isPrivate = source === PRIVATE;
  demand(
    (manifest.dataset !== null) === isPrivate && some === Number(isPrivate),
    "it has a dataset and no private window, or the reverse",
  );
  if (battle) return matchLog(manifest, log);
  if (!isPrivate) return { records: null, length: 0, secretFold: 0n };
  return opened ? openedRecords(manifest, opened) : wholeDataset(manifest, whole, decompress);
}

/**
 * The job (replay.js) and the manifest of a bundle. Throws a Refused or an Uncomputable.
 * @param decompress `(zstd bytes, size)` gives exactly that many bytes
 */
export function openBundle(bytes, { kernelId }, decompress) {
  const members = unzip(bytes);
  const manifest = readManifest(members.get(MANIFEST));
  demand(manifest.kernel_id === toHex(kernelId), "it is about another kernel than this page has");
  demand(digestOf(manifest) === manifest.digest, "its digest is not that of its checkpoint record");
  const { checkpoint, context, dispute } = manifest;
  const { payload } = checkpoint;
  const first = checkpoint.index === 0;
  demand(!first || !members.has(PARENT), "it has a parent's state for a beast's first window");
  demand(first || members.has(PARENT), "it lacks the parent's state");
  const samples = samplesOf(manifest, members, decompress);
  const job = {
    beastId: BigInt(manifest.beast_id),
    index: checkpoint.index,
    mask: payload.active_mask,
    parentHash: fromHex(checkpoint.parent),
    parent: members.get(PARENT) ?? null,
    published: members.get(PUBLISHED) ?? null,
    records: samples.records,
    posted: dispute?.segments ?? [],
    context: {
      dna: fromHex(context.dna),
      epochSeed: fromHex(context.epoch_seed),
      heads: context.heads,
      lrShift: payload.lr_shift,
      source: payload.source,
      rules: camelRules(context.rules),
      secretFold: samples.secretFold,
      length: samples.length,
    },
    claim: {
      h128: payload.h128,
      globalStep: payload.global_step,
      mask: payload.active_mask,
      windowLoss: payload.window_loss,
    },
  };
  return { job, manifest };
}

/** Where the claims of a bundle are not what a replay found, by their names; empty if it says the truth. */
export function contradictions({ claim, dispute, checkpoint }, found) {
  const posted = dispute?.segments ?? null;
  const differs = [
    ["verdict", found.right ? "valid" : "invalid", claim.verdict],
    ["reason", found.reason, claim.reason],
    ["segment hashes", found.segments.join(), claim.segments.join()],
    ["first wrong segment", posted ? found.wrong : null, claim.first_divergent],
  ];
  const names = differs.filter(([, ours, theirs]) => ours !== theirs).map(([name]) => name);
  if (posted && posted.at(-1) !== checkpoint.payload.h128) names.push("the opened segments, which do not end in h128");
  return names;
}

/** Verify a whole bundle: {job, manifest, found, differences}. Throws a Refused or an Uncomputable. */
export function verifyBundle(bytes, tables, decompress) {
  const { job, manifest } = openBundle(bytes, tables, decompress);
  const found = replay(job, tables);
  return { job, manifest, found, differences: contradictions(manifest, found) };
}
