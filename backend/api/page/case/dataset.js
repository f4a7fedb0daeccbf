// The one zstd frame of a private dataset (docs/spec/samples.md §4): it states its content size, so that nothing larger
// than the words that were committed to is ever unpacked.
import { decompress } from "/vendor/fzstd.js";
import { Refused } from "./zip.js";

const MAGIC = 0xfd2fb528;
const SINGLE_SEGMENT = 0x20;
const DICTIONARY_BYTES = [0, 1, 2, 4];
const WINDOW_LOG_BASE = 10;
const MAX_WINDOW = 1 << 23;

/** The content size that a frame states, null if it states none; throws a Refused on what is no frame. */
export function contentSize(frame) {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < 18 || view.getUint32(0, true) !== MAGIC) throw new Refused("its dataset is no zstd frame");
  const descriptor = frame[4];
  const single = (descriptor & SINGLE_SEGMENT) !== 0;
  if (!single) {
    const base = 2 ** (WINDOW_LOG_BASE + (frame[5] >> 3));
    if (base + (base / 8) * (frame[5] & 7) > MAX_WINDOW) throw new Refused("its dataset asks for too much memory");
  }
  const at = 5 + (single ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3];
  const code = descriptor >> 6;
  if (code === 0) return single ? frame[at] : null;
  if (code === 1) return view.getUint16(at, true) + 256;
  return code === 2 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

/** Exactly `size` bytes of a frame; throws a Refused if it has others. */
export function unpackDataset(frame, size) {
  if (contentSize(frame) !== size) throw new Refused("its dataset does not have as many records as were committed to");
  let words;
  try {
    words = decompress(frame);
  } catch (error) {
    throw new Refused(`its dataset cannot be unpacked: ${error.message}`);
  }
  if (words.length !== size) throw new Refused("its dataset does not have as many records as were committed to");
  return words;
}
