// One clock for all deadlines: the chain's. It goes on between blocks, and every countdown shown follows it.
import { h } from "./dom.js";
import { moment, span } from "./format.js";

const TICK_MS = 1000;

/** A block this old may still be the newest of a chain that has nothing to do; an older one is of a clock of its own. */
const LONGEST_REST = 3600;

/**
 * The time that the next block will say, as far as can be known.
 * @param seconds a clock that only goes forward
 */
export class ChainClock {
  constructor(seconds = () => performance.now() / 1000) {
    this.seconds = seconds;
    this.block = null;
    this.at = 0;
  }

  /**
   * The newest block's time, whenever somebody is told of one.
   * @param world the time elsewhere, where the block may be old already; null if it has just come
   */
  tell(block, world = null) {
    if (block === this.block) return;
    const age = world === null ? 0 : world - block;
    this.block = block;
    this.at = this.seconds() - (age > 0 && age < LONGEST_REST ? age : 0);
  }

  /** Seconds of the chain's time; 0 before the first block is known. */
  now() {
    return this.block === null ? 0 : Math.floor(this.block + this.seconds() - this.at);
  }
}

const clock = new ChainClock();

export const tellChainTime = (block, world) => {
  clock.tell(block, world);
  tick();
};

/** The chain's time in seconds. */
export const chainNow = () => clock.now();

/** "in 3 min", "2 h ago". */
export const distance = (left) => (left > 0 ? `in ${span(left)}` : `${span(-left)} ago`);

const sayings = new WeakMap();

function write(element) {
  const { at, say } = sayings.get(element);
  const text = clock.block === null ? moment(at) : say(at - chainNow());
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Text that follows the chain's clock for as long as it is shown; nothing has to be stopped.
 * @param at a moment of the chain, in seconds
 * @param say `(seconds left) => text`; they are negative once it has passed
 */
export function countdown(at, say = distance) {
  const element = h("time", {
    class: "countdown",
    datetime: new Date(1000 * at).toISOString(),
    title: `${moment(at)}, by the chain's clock`,
  });
  sayings.set(element, { at, say });
  write(element);
  return element;
}

function tick() {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("time.countdown")) if (sayings.has(element)) write(element);
}

/** Begin to move the countdowns. */
export function startClock() {
  setInterval(tick, TICK_MS);
  document.addEventListener("visibilitychange", tick);
}
