// Bytes and hex. A hash is 32 bytes; a board word is its 32 bytes, big-endian.

/** Bytes of "0x…" with an even number of hex digits; throws on anything else. */
export function fromHex(text) {
  const digits = /^0x((?:[0-9a-fA-F]{2})*)$/.exec(text);
  if (!digits) throw new RangeError("not a hex string");
  return Uint8Array.from({ length: digits[1].length / 2 }, (_, i) => parseInt(digits[1].slice(2 * i, 2 * i + 2), 16));
}

/** "0x…" in lower case. */
export function toHex(bytes) {
  return "0x" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equal(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** An unsigned number, big-endian in `size` bytes. */
export function uint(value, size = 32) {
  const out = new Uint8Array(size);
  let rest = BigInt(value);
  for (let i = size - 1; i >= 0; i--) {
    out[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return out;
}

/** The unsigned number of big-endian bytes, as a BigInt. */
export function toBig(bytes) {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
