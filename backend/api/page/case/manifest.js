// The manifest of an evidence bundle (docs/spec/evidence.md §2): every field of its type and range, none missing, no other.
import { Refused } from "./zip.js";

const BOUND = 1n << 256n;

const fail = (at, why) => {
  throw new Refused(`its manifest does not fit: ${at} ${why}`);
};
const wanted = (holds, why) => (value, at) => (holds(value) ? value : fail(at, why));
const text = (pattern, why) => wanted((value) => typeof value === "string" && pattern.test(value), why);

const hash = text(/^0x[0-9a-f]{64}$/, "must be 0x and 64 hex digits in lower case");
const address = text(/^0x[0-9a-fA-F]{40}$/, "must be 0x and 40 hex digits");
const amount = wanted(
  (value) => typeof value === "string" && /^(0|[1-9][0-9]{0,77})$/.test(value) && BigInt(value) < BOUND,
  "must be a decimal number below 2^256 in a string",
);
const whole = (low, high) =>
  wanted((value) => Number.isSafeInteger(value) && value >= low && value <= high, `must be a number ${low} to ${high}`);
const [u8, u16, u32, u53] = [8, 16, 32, 53].map((bits) => whole(0, 2 ** bits - 1));
const words = (most) =>
  wanted((value) => typeof value === "string" && value.length <= most, `must be at most ${most} characters`);
const oneOf = (...values) => wanted((value) => values.includes(value), `must be one of ${values.join(", ")}`);
const nullOr = (check) => (value, at) => (value === null ? null : check(value, at));
const list = (check, low, high) => (value, at) => {
  if (!Array.isArray(value) || value.length < low || value.length > high)
    fail(at, `must be a list of ${low} to ${high}`);
  return value.map((one, i) => check(one, `${at}[${i}]`));
};
const segments = list(hash, 16, 16);

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** An object of exactly these fields; those of `optional` may be missing, and are null then. */
const object =
  (fields, optional = []) =>
  (value, at) => {
    if (!isObject(value)) fail(at, "must be an object");
    const strange = Object.keys(value).find((name) => !Object.hasOwn(fields, name));
    if (strange !== undefined) fail(at, `has a field ${JSON.stringify(strange.slice(0, 40))}`);
    return Object.fromEntries(
      Object.entries(fields).map(([name, check]) => {
        const where = at ? `${at}.${name}` : name;
        if (Object.hasOwn(value, name)) return [name, check(value[name], where)];
        return optional.includes(name) ? [name, null] : fail(where, "is missing");
      }),
    );
  };

/** A season's constants for combat, labels and self-play, with their ranges (docs/spec/rules.md §3). */
const rules = object({
  damage_k: whole(1, 2_184),
  damage_curve: whole(0, 1),
  block_gain: whole(0, 255),
  block_cap: whole(0, 127),
  crit_odds: whole(1, 65_535),
  hazard_stamina: whole(0, 15),
  rest_gain: whole(1, 255),
  max_turns: whole(1, 254),
  block_threshold_num: whole(1, 255),
  block_threshold_den: whole(1, 255),
  self_play_words: whole(1, 127),
});

const payload = object({
  epoch: u32,
  h128: hash,
  energy_burn: amount,
  lr_shift: whole(3, 15),
  active_mask: u8,
  global_step: u32,
  window_loss: u32,
  source: whole(0, 3),
  source_id: u32,
});

const checkpoint = object({
  index: u32,
  generation: u32,
  parent: hash,
  payload,
  season: u16,
  trainer: address,
  submitted_at: u53,
  bond: amount,
  locked_sum: amount,
});

const manifest = object(
  {
    format: oneOf("chainbeasts-evidence-1"),
    kernel_id: hash,
    chain_id: u53,
    ledger: address,
    court: address,
    beast_id: amount,
    checkpoint,
    digest: hash,
    context: object({ dna: hash, epoch_seed: hash, heads: oneOf(1, 3, 7), rules }),
    dataset: nullOr(
      object({
        c_dataset: hash,
        records_root: hash,
        dataset_length: whole(1, 65_536),
        owner_secret_hash: hash,
        secret: hash,
      }),
    ),
    match: nullOr(object({ log_root: hash, turns: whole(1, 254) })),
    dispute: nullOr(
      object({
        dispute_id: u53,
        filer: address,
        status: words(12),
        conviction: nullOr(words(12)),
        segments: nullOr(segments),
      }),
    ),
    claim: object({
      verdict: oneOf("valid", "invalid"),
      reason: words(500),
      segments,
      first_divergent: nullOr(whole(0, 15)),
    }),
    events: list(object({ name: words(48), block: u53, transaction: hash }), 0, 256),
  },
  ["match"],
);

/** The manifest of JSON bytes; throws a Refused that names the first field that does not fit. */
export function readManifest(bytes) {
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Refused("its manifest is no JSON in UTF-8");
  }
  return manifest(value, "");
}
