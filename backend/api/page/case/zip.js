// Reads an evidence bundle's archive (docs/spec/evidence.md §1): stored members of known names, each within its size. What
// is refused here is refused before anything in it is looked at.

export const MANIFEST = "manifest.json";
export const PARENT = "parent.state";
export const PUBLISHED = "published.state";
export const DATASET = "dataset.zst";
export const RECORDS = "records.bin";
export const MATCH_LOG = "match.log";

const LIMITS = {
  [MANIFEST]: 65_536,
  [PARENT]: 33_984,
  [PUBLISHED]: 33_984,
  [DATASET]: 524_288,
  [RECORDS]: 69_760,
  [MATCH_LOG]: 8_128,
};
export const MAX_FILE_BYTES = Object.values(LIMITS).reduce((sum, size) => sum + size) + 4_096;

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const MEMBER = 0x04034b50;
const [END_BYTES, ENTRY_BYTES, MEMBER_BYTES] = [22, 46, 30];
const ENCRYPTED = 1;

/** Why a file is no evidence bundle, or what of it is not what it says. */
export class Refused extends Error {}

const refuse = (why) => {
  throw new Refused(why);
};

const CRCS = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** The check sum of a zip's members. */
export function crc32(bytes) {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = CRCS[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** The members of a file by their names; throws a Refused. */
export function unzip(bytes) {
  if (bytes.length > MAX_FILE_BYTES) refuse(`it has more than ${MAX_FILE_BYTES} bytes`);
  if (bytes.length < END_BYTES) refuse("it is no zip file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length - END_BYTES;
  // A comment behind the end is no part of the format, so the end is where it has to be.
  if (view.getUint32(end, true) !== END) refuse("it is no zip file, or something follows its end");
  const [count, size, start] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  if (start + size !== end || count > Object.keys(LIMITS).length) refuse("its directory is damaged");
  const members = new Map();
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > end || view.getUint32(at, true) !== ENTRY) refuse("its directory is damaged");
    const [name, data] = member(bytes, view, at, start);
    if (members.has(name)) refuse(`${name} is there twice`);
    members.set(name, data);
    at += ENTRY_BYTES + [28, 30, 32].reduce((sum, field) => sum + view.getUint16(at + field, true), 0);
  }
  if (at !== end) refuse("its directory is damaged");
  if (!members.has(MANIFEST)) refuse("the manifest is missing");
  return members;
}

function member(bytes, view, at, directory) {
  const short = (field) => view.getUint16(at + field, true);
  const long = (field) => view.getUint32(at + field, true);
  const name = String.fromCharCode(...bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + short(28)));
  if (!Object.hasOwn(LIMITS, name)) refuse(`it has a member ${JSON.stringify(name.slice(0, 40))}`);
  const size = long(24);
  if (short(8) & ENCRYPTED || short(10) !== 0 || long(20) !== size) refuse(`${name} is compressed or encrypted`);
  if (size > LIMITS[name]) refuse(`${name} has ${size} bytes, ${LIMITS[name]} are allowed`);
  const head = long(42);
  if (head + MEMBER_BYTES > directory || view.getUint32(head, true) !== MEMBER) refuse(`${name} is damaged`);
  const data = head + MEMBER_BYTES + view.getUint16(head + 26, true) + view.getUint16(head + 28, true);
  if (data + size > directory) refuse(`${name} is cut off`);
  const found = bytes.slice(data, data + size);
  if (crc32(found) !== long(16)) refuse(`${name} is damaged`);
  return [name, found];
}
