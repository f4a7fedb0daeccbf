// How figures read.

/** Wei of ENERGY (a decimal string) with at most `digits` decimals; what is below them shows as "<0.001". */
export function energy(wei, digits = 3) {
  const value = BigInt(wei);
  const scale = 10n ** BigInt(18 - digits);
  const rounded = (value + scale / 2n) / scale;
  if (value > 0n && rounded === 0n) return `<${(1 / 10 ** digits).toFixed(digits)}`;
  const whole = rounded / 10n ** BigInt(digits);
  const rest = (rounded % 10n ** BigInt(digits)).toString().padStart(digits, "0").replace(/0+$/, "");
  return count(whole) + (rest ? `.${rest}` : "");
}

/** Wei of the chain's native coin (a decimal string). */
export const coin = (wei) => `${energy(wei, 6)} coin`;

/** A whole number with thin spaces between thousands. */
export const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** The ends of a hash or an account. */
export const brief = (hex) => (hex.length > 14 ? `${hex.slice(0, 8)}…${hex.slice(-4)}` : hex);

/** Chain time as the reader's clock would show it; `timeStyle` "short" leaves the seconds out. */
export function moment(seconds, timeStyle = "medium") {
  return new Date(1000 * seconds).toLocaleString(undefined, { dateStyle: "medium", timeStyle });
}

/** A length of time in its two largest units. */
export function span(seconds) {
  let rest = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [unit, size] of [
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ]) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n && parts.length < 2) parts.push(`${n} ${unit}`);
  }
  return parts.join(" ") || "0 s";
}

export const percent = (part) => `${(100 * part).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;

/** "self_play" as "self-play". */
export const words = (name) => name.replaceAll("_", "-");

/** "1 window", "2 windows". */
export const plural = (n, noun, many = `${noun}s`) => `${count(n)} ${n === 1 ? noun : many}`;
