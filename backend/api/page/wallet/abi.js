// The contract ABI: what is signed is encoded here, and answers and errors are decoded. Of its types those that the
// contracts have: unsigned integers, address, bool, bytes, string, and structs and arrays of them. Values are BigInts,
// "0x…" strings, booleans and text; a struct is an object by its fields' names. No library: those that do it bring an
// elliptic curve, a client and dozens of modules along, and this is held to eth_abi's bytes by every function and error
// that the contracts have (tests/page/test_wallet.py).
import { concat, fromHex, toBig, toHex, uint } from "../kernel/bytes.js";
import { keccak } from "../kernel/keccak.js";

const WORD = 32;
const ARRAY = /^(.*)\[(\d*)\]$/;

/** The elements of an array type as types of their own; null of anything else. */
function elements(kind, count) {
  const array = ARRAY.exec(kind.type);
  if (!array) return null;
  const length = array[2] === "" ? count : Number(array[2]);
  return { open: array[2] === "", length, kind: { ...kind, type: array[1] } };
}

function isDynamic(kind) {
  const array = elements(kind, 0);
  if (array) return array.open || isDynamic(array.kind);
  if (kind.type === "tuple") return kind.components.some(isDynamic);
  return kind.type === "bytes" || kind.type === "string";
}

/** How many bytes a value takes in the head of what it is a part of. */
function headSize(kind) {
  if (isDynamic(kind)) return WORD;
  const array = elements(kind, 0);
  if (array) return array.length * headSize(array.kind);
  if (kind.type === "tuple") return kind.components.reduce((sum, one) => sum + headSize(one), 0);
  return WORD;
}

const padded = (bytes) => concat(bytes, new Uint8Array((WORD - (bytes.length % WORD)) % WORD));

/** A number of so many bits; throws on one that does not fit, which would be signed as another. */
function unsigned(value, bits) {
  const number = BigInt(value);
  if (number < 0n || number >> BigInt(bits)) throw new RangeError(`${value} does not fit uint${bits}`);
  return number;
}

function sized(value, size, name) {
  const bytes = fromHex(value);
  if (bytes.length !== size) throw new RangeError(`${value} is no ${name}`);
  return bytes;
}

/** The word of an elementary type. */
function encodeWord(type, value) {
  const [, base, size] = /^([a-z]+)(\d*)$/.exec(type);
  if (base === "uint") return uint(unsigned(value, Number(size)));
  if (base === "address") return concat(new Uint8Array(12), sized(value, 20, type));
  if (base === "bytes") return padded(sized(value, Number(size), type));
  if (base === "bool" && typeof value === "boolean") return uint(value ? 1 : 0);
  throw new TypeError(`${value} cannot be encoded as ${type}`);
}

function encodeOne(kind, value) {
  const array = elements(kind, value?.length);
  if (array) {
    if (value.length !== array.length) throw new RangeError(`${kind.type} has not ${value.length} elements`);
    const body = encode(Array(array.length).fill(array.kind), value);
    return array.open ? concat(uint(value.length), body) : body;
  }
  if (kind.type === "tuple")
    return encode(
      kind.components,
      kind.components.map(({ name }) => value[name]),
    );
  if (kind.type === "bytes" || kind.type === "string") {
    const bytes = kind.type === "string" ? new TextEncoder().encode(value) : value;
    const plain = typeof bytes === "string" ? fromHex(bytes) : bytes;
    return concat(uint(plain.length), padded(plain));
  }
  return encodeWord(kind.type, value);
}

/** Values one after another, as arguments or as the fields of a struct. */
export function encode(kinds, values) {
  if (kinds.length !== values.length) throw new RangeError(`${kinds.length} values are needed, not ${values.length}`);
  let end = kinds.reduce((sum, kind) => sum + headSize(kind), 0);
  const heads = [];
  const tails = [];
  kinds.forEach((kind, i) => {
    const body = encodeOne(kind, values[i]);
    if (!isDynamic(kind)) return heads.push(body);
    heads.push(uint(end));
    tails.push(body);
    end += body.length;
  });
  return concat(...heads, ...tails);
}

/** `length` bytes from a place; throws where there are not so many. */
function cut(bytes, at, length) {
  if (at + length > bytes.length) throw new RangeError("the data ends too early");
  return bytes.subarray(at, at + length);
}

function small(bytes, at) {
  const value = toBig(cut(bytes, at, WORD));
  if (value > BigInt(bytes.length)) throw new RangeError("a length or offset beyond the data");
  return Number(value);
}

function decodeWord(type, word) {
  const [, base, size] = /^([a-z]+)(\d*)$/.exec(type);
  if (base === "uint") return unsigned(toBig(word), Number(size));
  const used = base === "address" ? [12, WORD] : base === "bytes" ? [0, Number(size)] : [31, WORD];
  if (word.some((byte, i) => byte && (i < used[0] || i >= used[1]))) throw new RangeError(`no clean ${type}`);
  if (base === "bool") return unsigned(toBig(word), 1) === 1n;
  return toHex(word.subarray(...used));
}

/** The value of a type at a place of `bytes`, offsets counted from its start. */
function decodeOne(kind, bytes, at) {
  const array = elements(kind, 0);
  if (array) {
    const count = array.open ? small(bytes, at) : array.length;
    const rest = bytes.subarray(at + (array.open ? WORD : 0));
    if (count * headSize(array.kind) > rest.length) throw new RangeError("an array longer than the data");
    return decodeBytes(Array(count).fill(array.kind), rest);
  }
  if (kind.type === "tuple") {
    const values = decodeBytes(kind.components, bytes.subarray(at));
    return Object.fromEntries(kind.components.map(({ name }, i) => [name, values[i]]));
  }
  if (kind.type === "bytes" || kind.type === "string") {
    const content = cut(bytes, at + WORD, small(bytes, at));
    return kind.type === "bytes" ? toHex(content) : new TextDecoder("utf-8", { fatal: true }).decode(content);
  }
  return decodeWord(kind.type, cut(bytes, at, WORD));
}

function decodeBytes(kinds, bytes) {
  let place = 0;
  return kinds.map((kind) => {
    const at = place;
    place += headSize(kind);
    return decodeOne(kind, bytes, isDynamic(kind) ? small(bytes, at) : at);
  });
}

/** The values that "0x…" holds; throws a RangeError on what is not exactly of these types. */
export const decode = (kinds, hex) => decodeBytes(kinds, fromHex(hex));

/** A type as signatures have it: a struct by its fields. */
function canonical({ type, components }) {
  return type.startsWith("tuple") ? `(${components.map(canonical).join(",")})${type.slice(5)}` : type;
}

/** `name(type,type)` of an entry of an ABI. */
export const signature = ({ name, inputs }) => `${name}(${inputs.map(canonical).join(",")})`;

/** The hash that names an event; its first four bytes name a function or an error. */
export const topic = (entry) => toHex(keccak(new TextEncoder().encode(signature(entry))));
export const selector = (entry) => topic(entry).slice(0, 10);
