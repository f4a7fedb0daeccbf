// A beast without a private dataset: allow the cost, request, and a block later hatch.
import { BLOCK_HASHES } from "../chain.js";
import { WalletError } from "../provider.js";
import { Refusal } from "../refusal.js";
import { parseId, short } from "../units.js";
import { energy, hex } from "../values.js";
import { allowance } from "./escrow.js";
import { toBeast } from "./subject.js";

const NONE = `0x${"0".repeat(64)}`;
const NOBODY = `0x${"0".repeat(40)}`;

export const hatch = {
  name: "hatch",
  title: "Hatch a beast",
  text:
    "A beast that trains in public only. Its DNA is drawn from the block that mines your request, which nobody knows yet. " +
    "With a dataset of your own, which never leaves your machine, a beast is hatched by: chainbeasts beast hatch --dataset FILE",
  fields: [
    { name: "beast", label: "Go on with a request (the beast's number)", kind: "id", optional: true, example: "7" },
  ],
  plan: (chain, account, { beast }) => (beast ? second(chain, parseId(beast)) : first(chain, account)),
};

/** Where a request is gone on with. */
const onward = (beast) => [`#/act/hatch?beast=${beast}`, `Hatch beast ${beast}`];

/** What a transaction that nobody saw the end of has requested, as a step's outcome; null if no beast. */
export function requestedBy(logs, contracts) {
  const found = logs.map((log) => contracts.of("Beasts").parse("HatchRequested", log)).find((one) => one !== null);
  return found ? { text: `Requested beast ${found.beastId}.`, links: [onward(found.beastId)] } : null;
}

/** Of an account's requests that can still be hatched, the one that lapses first; null if there is none. */
async function openRequest(chain, account) {
  const { number } = await chain.head();
  const blocks = [Math.max(number - BLOCK_HASHES + 1, 0), number];
  const [asked, hatched] = await Promise.all(
    ["HatchRequested", "Hatched"].map((name) => chain.events(blocks, "Beasts", name, null, account)),
  );
  const gone = new Set(hatched.map(({ beastId }) => beastId));
  return asked.find(({ beastId }) => !gone.has(beastId))?.beastId ?? null;
}

async function first(chain, account) {
  const untold = [];
  const open = await openRequest(chain, account).catch((error) => {
    if (!(error instanceof WalletError)) throw error;
    untold.push(["Requests of yours that wait", "your node does not tell: go on with one by its number"]);
    return null;
  });
  if (open !== null) {
    const plan = await second(chain, open);
    return { ...plan, facts: [["Not hatched yet", `beast ${open}, which you have requested`], ...plan.facts] };
  }
  const season = await chain.read("SeasonRegistry", "effectiveSeason");
  const [{ hatchCost }, held, allowed] = await Promise.all([
    chain.read("SeasonRegistry", "economics", season),
    chain.read("Energy", "balanceOf", account),
    chain.read("Energy", "allowance", account, chain.contracts.of("Beasts").address),
  ]);
  const facts = [
    ...untold,
    ["A hatch burns", energy(hatchCost)],
    ["In your wallet", energy(held)],
    ["The contract may take", energy(allowed)],
  ];
  if (held < hatchCost)
    throw new Refusal(
      ["A hatch burns ", energy(hatchCost), "; this account has ", energy(held), "."],
      "Buy ENERGY first.",
    );
  if (allowed < hatchCost)
    return {
      facts,
      step: allowance(chain, "Beasts", hatchCost, {
        title: `Allow the hatch to burn ${short(hatchCost)} ENERGY`,
        note: "First of three. Exactly this sum: should a new season ask for more, nothing burns.",
      }),
    };
  return {
    facts,
    step: {
      title: "Request a beast",
      to: "Beasts",
      call: "requestHatch",
      args: [NONE, NONE, 0n, NONE],
      note: `Second of three. Burns ${short(hatchCost)} ENERGY, also if you never hatch it.`,
      done: (logs) => {
        const { beastId } = logs("Beasts", "HatchRequested");
        return { text: `Requested beast ${beastId}.`, next: { beast: String(beastId) } };
      },
    },
  };
}

async function second(chain, beast) {
  if (!beast) throw new Refusal("That is no beast's number.");
  const [{ requester, requestBlock }, { number }] = await Promise.all([
    chain.read("Beasts", "requestOf", beast),
    chain.head(),
  ]);
  if (requester === NOBODY) {
    const last = await chain.read("Beasts", "lastBeastId");
    if (beast > last) throw new Refusal(`Nobody has requested beast ${beast}.`);
    return { facts: [], done: `Beast ${beast} has hatched.`, links: [toBeast(beast)], beasts: [["It is here", beast]] };
  }
  const facts = [
    ["Requested by", hex(requester)],
    ["In block", String(requestBlock)],
  ];
  if (number <= Number(requestBlock)) return { facts, wait: "Its DNA is known with the next block." };
  if (number >= Number(requestBlock) + BLOCK_HASHES)
    throw new Refusal(
      `The request for beast ${beast} has lapsed: the chain has forgotten the hash that would give its DNA.`,
      "What it burned is gone, and nobody need end it. Ask without a number for another beast.",
    );
  return {
    facts,
    step: {
      title: `Hatch beast ${beast}`,
      to: "Beasts",
      call: "hatch",
      args: [beast],
      note: "Third of three. Anybody may send it; the beast is its requester's.",
      done: () => ({ text: `Beast ${beast} has hatched.`, links: [toBeast(beast)] }),
    },
  };
}
