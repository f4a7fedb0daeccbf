// Checkpoints as the ledger takes them: the whole record, from the event of the block that the server names. The ledger
// has its digest, so a record that the server or a node made up is not taken.
import { get } from "../api.js";
import { Refusal } from "./refusal.js";
import { told as words } from "./units.js";

export const PENDING = 1n;
export const PROVEN = 3n;
export const FINAL = 4n;

/** Most windows that one transaction makes final here. */
export const MOST = 16;

/** The beast's windows from an index on that still stand, as the server lists them, oldest first. */
async function listed(beast, first) {
  const items = [];
  let next = null;
  do {
    const page = await get(`/v1/beasts/${beast}/checkpoints?limit=200${next ? `&cursor=${next}` : ""}`);
    items.push(...page.items);
    next = page.next;
  } while (next && items.at(-1).index >= first);
  const standing = ({ index, state }) => index >= first && state !== "slashed" && state !== "void";
  return items.filter(standing).reverse();
}

async function record(chain, beast, { index, block }) {
  const event = await chain.eventIn(block, "CheckpointLedger", "CheckpointSubmitted", beast, index);
  if (!event)
    throw new Refusal(
      `Your node has no window ${index} of beast ${beast} in block ${block}, where this server says it is.`,
      "One of the two is on another chain, behind, or wrong.",
    );
  const status = await chain.read("CheckpointLedger", "statusOf", beast, event.checkpoint);
  return { record: event.checkpoint, status };
}

/** The beast's last final checkpoint, with which it fights. */
export async function lastFinal(chain, beast) {
  const { finalCount } = await chain.read("CheckpointLedger", "head", beast);
  if (!finalCount)
    throw new Refusal(
      `Beast ${beast} has no final window.`,
      "It fights once a window's challenge period is over and somebody has made it final.",
    );
  const index = Number(finalCount) - 1;
  const told = (await listed(beast, index)).find((one) => one.index === index);
  if (!told)
    throw new Refusal(
      `This server has not read window ${index} of beast ${beast}.`,
      "It may be behind: try again soon.",
    );
  const found = await record(chain, beast, told);
  if (found.status !== FINAL)
    throw new Refusal(
      `Window ${index} of beast ${beast} is not final by your node.`,
      "It may be behind: try again soon.",
    );
  return found.record;
}

/** What of the beast's pending windows can become final now: {records, next}; `next` is why the one after them cannot. */
export async function due(chain, beast) {
  const [{ finalCount, headCount }, { time }] = await Promise.all([
    chain.read("CheckpointLedger", "head", beast),
    chain.head(),
  ]);
  if (finalCount === headCount) return { records: [], next: "All its windows are final." };
  const records = [];
  for (const told of (await listed(beast, Number(finalCount))).slice(0, MOST)) {
    const found = await record(chain, beast, told);
    const next = await obstacle(chain, found, time);
    if (next) return { records, next };
    records.push(found.record);
  }
  const all = Number(finalCount) + records.length === Number(headCount);
  return { records, next: all ? "All its windows are final." : null };
}

async function obstacle(chain, { record: { index, season, submittedAt }, status }, time) {
  if (status === PROVEN) return null;
  if (status !== PENDING) return `Window ${index} is disputed, or stands no more.`;
  const ends = submittedAt + (await chain.read("SeasonRegistry", "challengePeriod", season));
  return BigInt(time) < ends ? `Window ${index} can be disputed until ${words(ends, "time")}.` : null;
}
