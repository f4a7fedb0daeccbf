// Amounts as people write and read them. What is signed is never rounded, and what was rounded to be read says so.
import { count, moment, span } from "../format.js";

const DECIMALS = 18;
const SCALE = 10n ** BigInt(DECIMALS);

/** Wei of a decimal text such as "12.5"; null if it is none, or finer than a wei. */
export function parseAmount(text) {
  const found = /^(\d{1,30})(?:\.(\d{1,18}))?$/.exec(text.trim());
  return found ? BigInt(found[1]) * SCALE + BigInt((found[2] ?? "").padEnd(DECIMALS, "0")) : null;
}

/** A number of a beast or match; null if it is none. */
export function parseId(text) {
  return /^[1-9]\d{0,17}$/.test(text.trim()) ? BigInt(text.trim()) : null;
}

/** Wei with all its decimals. */
export function exact(wei) {
  const rest = (wei % SCALE).toString().padStart(DECIMALS, "0").replace(/0+$/, "");
  return `${wei / SCALE}${rest ? `.${rest}` : ""}`;
}

/** Decimals that are shown of an amount, counted from its first digit that is not a zero. */
const SHOWN = 4;

/** Wei with four significant decimals, after "≈ " where that rounds. */
export function short(wei) {
  const fraction = (wei % SCALE).toString().padStart(DECIMALS, "0");
  const zeros = wei < SCALE ? Math.max(fraction.search(/[1-9]/), 0) : 0;
  const unit = 10n ** BigInt(Math.max(DECIMALS - zeros - SHOWN, 0));
  const rounded = ((wei + unit / 2n) / unit) * unit;
  const [whole, rest] = exact(rounded).split(".");
  return `${rounded === wei ? "" : "≈ "}${count(whole)}${rest ? `.${rest}` : ""}`;
}

export const energyOf = (wei) => `${exact(wei)} ENERGY`;
export const coinOf = (wei) => `${exact(wei)} coin`;

/** Coin of which nobody knows the last digits before it is paid. */
export function about(wei) {
  return `about ${Number((Number(wei) / Number(SCALE)).toPrecision(3))} coin`;
}

/** A decoded value in words; `unit` is energy, coin, seconds or time. */
export function told(value, unit) {
  if (unit === "energy") return energyOf(value);
  if (unit === "coin") return coinOf(value);
  if (unit === "seconds") return span(Number(value));
  if (unit === "time") return `${moment(Number(value))} (chain time)`;
  if (Array.isArray(value)) return `[${value.map((one) => told(one)).join(", ")}]`;
  if (value !== null && typeof value === "object")
    return `{${Object.entries(value)
      .map(([name, one]) => `${name}: ${told(one)}`)
      .join(", ")}}`;
  return String(value);
}
