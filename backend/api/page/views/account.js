// One account: what it has, what it can collect, and what it did.
import { get } from "../api.js";
import { figure, hash, mention } from "../beastly.js";
import { countdown } from "../clock.js";
import { h, keyed, lead, redraw, show, table } from "../dom.js";
import { coin, energy, plural } from "../format.js";
import { rows } from "../catalogue.js";
import { drawBouts } from "./battles.js";
import { plate } from "./beasts.js";
import { CASE_HEADS, caseCells } from "./disputes.js";
import { gathered } from "../activity.js";
import { eventLine } from "./home.js";

const EVENTS = 100;
const LINES = 20;

const tokens = (wei) => `${energy(wei)} ENERGY`;

function wallet(balances) {
  if (!balances) return h("p", { class: "hint" }, "What it holds is the node's to say, and it does not answer now.");
  return h(
    "dl",
    { class: "figures" },
    figure("In its wallet", tokens(balances.energy), coin(balances.coin)),
    figure("In the ledger", tokens(balances.escrow), "for windows and bonds of disputes"),
    figure("In the arena", tokens(balances.arena_escrow), "for bonds of records"),
    figure("To claim", tokens(balances.rewards), "rewards of matches"),
  );
}

const sum = (held, name) => held.reduce((total, one) => total + BigInt(one[name]), 0n);

/** A sum over what is listed, of so many. */
const summed = (wei, listed, all) => `${listed.length < all ? "at least " : ""}${coin(wei)}`;

function work({ training, credit, stakes, stake_count, rewards, reward_count }) {
  const staked = sum(stakes, "amount");
  const promised = sum(rewards, "filing") + sum(rewards, "proof");
  return h(
    "dl",
    { class: "figures" },
    figure(
      "Windows that wait",
      plural(training.pending, "window"),
      `${tokens(training.locked)} locked · ${training.finalizable} may be made final`,
    ),
    figure("At stake", summed(staked, stakes, stake_count), plural(stake_count, "beast")),
    figure("To withdraw", coin(credit), "from the vault"),
    figure("Promised", summed(promised, rewards, reward_count), "by convictions that are not settled yet"),
  );
}

const withdrawable = (at) =>
  at === null
    ? "—"
    : countdown(at, (left) => (left > 0 ? `from ${new Date(1000 * at).toLocaleString()} on` : "may be withdrawn"));

const stakesTable = (stakes) =>
  table(
    "Stakes",
    ["Beast", "Stake", "Withdrawal"],
    stakes.map((s) => [[mention(s.id, s.dna)], [coin(s.amount)], [withdrawable(s.withdrawable_at)]]),
    "stack",
  );

/** A titled part, hidden while it has nothing. */
function part(title, id, content, more = null) {
  const all = more ? h("p", { class: "hint" }, h("a", { href: more }, "All of them")) : null;
  const element = h("section", { class: "holding", "aria-labelledby": id }, h("h2", { id }, title), content, all);
  return { element, content };
}

export async function render(place, { id, signal, retitle, onNews }) {
  const account = id.toLowerCase();
  const path = `/v1/accounts/${encodeURIComponent(account)}`;
  const read = () =>
    Promise.all([
      get(path, signal),
      get(`/v1/activity?account=${encodeURIComponent(account)}&limit=${EVENTS}`, signal),
    ]);
  const figures = h("div", { class: "holding" });
  const parts = {
    beasts: part("Its beasts", "its-beasts", h("ul", { class: "plates" }), `#/beasts?owner=${account}`),
    stakes: part("Its stakes", "its-stakes", h("div")),
    matches: part("Its matches", "its-matches", h("ul", { class: "bouts" }), `#/battles?owner=${account}`),
    disputes: part(
      "What it disputed",
      "its-disputes",
      table("Disputes that it filed", CASE_HEADS, [], "stack docket"),
      `#/disputes?filer=${account}`,
    ),
    events: part("What it did", "its-events", h("ol", { class: "feed" })),
  };

  const idle = h("p", { class: "nothing" }, "It has done nothing here yet.");

  function draw([found, activity]) {
    redraw(figures, wallet(found.balances), work(found));
    keyed(parts.beasts.content, found.beasts, (beast) => beast.id, plate);
    redraw(parts.stakes.content, stakesTable(found.stakes));
    drawBouts(parts.matches.content, found.matches);
    rows(parts.disputes.content, found.disputes, CASE_HEADS, (d) => d.id, caseCells);
    keyed(parts.events.content, gathered(activity.items).slice(0, LINES), (a) => a.id, eventLine);
    const lists = { ...found, events: activity.items };
    for (const [name, { element }] of Object.entries(parts)) element.hidden = !lists[name].length;
    idle.hidden = Object.values(parts).some(({ element }) => !element.hidden);
  }

  const first = await read();
  retitle(`Account ${account.slice(0, 10)}`);
  show(
    place,
    lead("Account", hash(first[0].account, { whole: true })),
    figures,
    idle,
    Object.values(parts).map(({ element }) => element),
  );
  draw(first);
  onNews(async () => draw(await read()));
}
