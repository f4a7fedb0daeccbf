// The deployment's contracts as the server tells of them: addresses, ABIs, and how their errors are told.
import { get } from "../api.js";
import { decode, encode, selector, signature, topic } from "./abi.js";
import { toHex } from "../kernel/bytes.js";
import { told } from "./units.js";

/** What a contract refused: `code` is the custom error's name, `values` are its own. */
export class Reverted extends Error {
  constructor(code, values, sentence, hint) {
    super(sentence);
    this.code = code;
    this.values = values;
    this.hint = hint;
  }
}

/** Errors that the compiler writes itself, which no ABI lists. */
const BUILT_IN = [
  { name: "Error", inputs: [{ name: "reason", type: "string" }] },
  { name: "Panic", inputs: [{ name: "code", type: "uint256" }] },
];

class Contract {
  constructor({ name, address, abi }) {
    this.name = name;
    this.address = address.toLowerCase();
    this.shown = address;
    this.functions = new Map(abi.filter(({ type }) => type === "function").map((entry) => [entry.name, entry]));
    this.events = new Map(abi.filter(({ type }) => type === "event").map((entry) => [entry.name, entry]));
  }

  /** The data of a call. */
  encode(name, args) {
    const entry = this.functions.get(name);
    return selector(entry) + toHex(encode(entry.inputs, args)).slice(2);
  }

  /** What a call gave: the one value, or all by name. */
  decode(name, hex) {
    const { outputs } = this.functions.get(name);
    const values = decode(outputs, hex);
    return values.length === 1 ? values[0] : Object.fromEntries(outputs.map((one, i) => [one.name, values[i]]));
  }

  signature(name) {
    return signature(this.functions.get(name));
  }

  topic(name) {
    return topic(this.events.get(name));
  }

  /** An event's values by name, from a log of this contract; null if it is another event's or contract's. */
  parse(name, log) {
    const entry = this.events.get(name);
    if (log.address.toLowerCase() !== this.address || log.topics[0] !== topic(entry)) return null;
    const plain = entry.inputs.filter(({ indexed }) => !indexed);
    const values = decode(plain, log.data);
    const found = Object.fromEntries(plain.map((one, i) => [one.name, values[i]]));
    entry.inputs
      .filter(({ indexed }) => indexed)
      .forEach((one, i) => ([found[one.name]] = decode([one], log.topics[i + 1])));
    return found;
  }
}

export class Contracts {
  constructor({ chain_id, genesis, contracts, errors }) {
    this.chainId = chain_id;
    this.genesis = genesis;
    this.all = contracts.map((one) => new Contract(one));
    this.byName = new Map(this.all.map((one) => [one.name, one]));
    this.wordings = errors;
    const known = contracts.flatMap(({ abi }) => abi.filter(({ type }) => type === "error"));
    this.errors = new Map([...BUILT_IN, ...known].map((entry) => [selector(entry), entry]));
  }

  of(name) {
    return this.byName.get(name);
  }

  /** The error behind a revert's data, "0x…". */
  explain(data) {
    const entry = this.errors.get(data.slice(0, 10));
    let values = null;
    try {
      const found = entry && decode(entry.inputs, "0x" + data.slice(10));
      values = found && Object.fromEntries(entry.inputs.map(({ name }, i) => [name, found[i]]));
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    }
    if (!values)
      return new Reverted("Unknown", { data }, `The contract refused, with data that is unknown: ${data}`, "");
    const { sentence, hint, units } = this.wordings[entry.name] ?? { sentence: "", hint: "", units: {} };
    const fill = (text) =>
      text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? told(values[name], units[name]) : whole));
    const bare = Object.entries(values).map(([name, value]) => `${name} ${told(value, units[name])}`);
    const plain = `The contract refused: ${entry.name}(${bare.join(", ")}).`;
    return new Reverted(entry.name, values, sentence ? fill(sentence) : plain, fill(hint));
  }
}

let loaded = null;

/** The contracts, asked for once; a failure is asked for again. */
export function loadContracts() {
  loaded ??= get("/v1/contracts")
    .then((found) => new Contracts(found))
    .catch((error) => {
      loaded = null;
      throw error;
    });
  return loaded;
}
