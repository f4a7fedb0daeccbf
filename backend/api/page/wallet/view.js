// Act: what a reader does on the chain from this page, through the wallet in this browser. The server is not asked to
// sign or send anything, and of what decides it is believed as little as possible (see `panel.js`).
import { Problem } from "../api.js";
import { h, lead, notice, redraw, show } from "../dom.js";
import { requestedBy } from "./actions/hatch.js";
import { ACTIONS, GROUPS } from "./actions/index.js";
import { Attempts } from "./attempts.js";
import { chosenWallet, connect, leave } from "./connection.js";
import { loadContracts } from "./contracts.js";
import { draw, failure, outcome } from "./desk.js";
import { form } from "./form.js";
import { belief, choice, purse, waiting, wrongChain } from "./panel.js";
import { progress } from "./progress.js";
import { WalletError, discover } from "./provider.js";
import { follow } from "./sending.js";
import { drawState } from "./states.js";

/** Other views' styles come with the page; these are not for everybody. */
const STYLES = ["/css/act.css", "/css/plan.css"];

const FIRST =
  "Choose one of those that this browser has. The form comes then, with what is yours to choose from, and nothing is signed before you have seen what it does and costs.";

const styled = () =>
  Promise.all(
    STYLES.filter((href) => !document.querySelector(`link[href="${href}"]`)).map((href) => {
      const link = h("link", { rel: "stylesheet", href });
      return new Promise((resolve) => {
        link.onload = link.onerror = resolve;
        document.head.append(link);
      });
    }),
  );

export async function render(place, { id, query, signal, retitle, setQuery, onNews }) {
  const action = ACTIONS.find(({ name }) => name === id) ?? null;
  if (id && !action) throw new Problem(404, `There is no action “${id}”.`, "Those that there are stand under Act.");
  retitle(action?.title ?? "Act");
  onNews(async () => {}); // nobody's form is drawn anew under their hands
  const [contracts] = await Promise.all([loadContracts(), styled()]);
  const attempts = new Attempts(contracts.genesis);
  const panel = h("section", { class: "wallet", "aria-label": "Wallet" });
  const under = h("section", { class: "under-way", "aria-live": "polite" });
  const desk = h("section", { class: "desk" });
  const trust = h("div", {}, belief(contracts, null));
  // Who acts stands first, and what is believed with it: below what comes and goes there is nothing that could move.
  const actor = h("div", { class: "actor" }, panel, trust);
  show(
    place,
    ...heading(action, query),
    h("div", { class: "acting" }, actor, h("div", { class: "doing" }, under, desk)),
  );
  // Once it is in the document, which it is not before when the same view is drawn anew.
  const here = place.querySelector(".actions [aria-current]");
  requestAnimationFrame(() => here?.scrollIntoView({ block: "nearest", inline: "center" }));

  let connection = null;
  let stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(), { once: true });

  const wallet = chosenWallet();
  if (wallet) {
    show(panel, waiting(wallet, left));
    enter(wallet, false); // which nobody waits for: it may never answer
  } else offer();

  function left() {
    stop.abort();
    leave();
    connection = null;
    offer();
  }

  function offer() {
    show(desk, action ? notice("Connect a wallet first", FIRST) : overview(query));
    discover(
      (wallets) =>
        connection ||
        show(
          panel,
          choice(wallets, (one) => enter(one, true)),
        ),
      signal,
    );
  }

  /** Take a wallet up, or look anew at account and chain after a change. */
  async function enter(wallet, ask) {
    stop.abort();
    stop = new AbortController();
    const mine = stop.signal;
    show(under);
    show(desk);
    try {
      const found = await connect(wallet, contracts, ask, mine);
      if (mine.aborted || signal.aborted) return;
      connection = found;
      wallet.watch(() => enter(wallet, false), mine);
      if (!found.account) return void (leave(), (connection = null), offer());
      show(trust, belief(contracts, found.where === "right" ? found.doubts : null));
      if (found.where !== "right") return void show(panel, wrongChain(found, contracts));
      if (found.doubts.length) return void show(panel, h("p", { role: "alert" }, "Nothing can be signed: see below."));
      const held = await purse(found, left);
      if (mine.aborted) return;
      show(panel, held);
      const spent = async (block) => {
        try {
          await found.chain.reach(block, mine);
          const rest = await purse(found, left);
          if (!mine.aborted) redraw(panel, rest);
        } catch (error) {
          if (!mine.aborted && !(error instanceof WalletError)) throw error; // what was read before stays
        }
      };
      takeUp(mine, spent);
      work(mine, spent);
    } catch (error) {
      if (mine.aborted) return;
      connection = null;
      leave();
      show(
        panel,
        failure(error),
        h("button", { type: "button", class: "primary", onclick: () => enter(wallet, true) }, "Try again"),
      );
    }
  }

  /** Follow what this browser sent earlier and did not see the end of; `spent` as in `work`. */
  function takeUp(mine, spent) {
    const attempt = attempts.of(connection.account);
    if (!attempt) return;
    const state = h("div", {});
    const given = new AbortController();
    mine.addEventListener("abort", () => given.abort(), { once: true });
    const forget = () => {
      given.abort();
      attempts.forget(attempt);
      show(under);
      work(mine, spent);
    };
    show(under, h("h2", {}, `Under way: ${attempt.title}`), state);
    let over = false;
    const told = (found) => {
      drawState(state, found, forget);
      const requested = found.state === "mined" && requestedBy(found.logs, contracts);
      if (requested) state.append(outcome(requested));
      if (found.block) spent(found.block);
      if (over || !(found.block || found.state === "replaced")) return;
      over = true;
      work(mine, spent);
    };
    follow(connection.chain, attempts, { attempt, signal: given.signal, told }).catch((error) => {
      if (!given.signal.aborted) show(state, failure(error));
    });
  }

  /** The form of the action that the address names; `spent` hears of a block that changed what the account has. */
  function work(mine, spent) {
    if (!action) return show(desk, overview(query));
    const plan = h("div", { class: "plan" });
    const { element: way, at } = progress();
    const past = h("ol", { class: "past", "aria-label": "Done so far" });
    let planning = new AbortController();
    const submit = (values) => {
      setQuery(values);
      planning.abort();
      planning = new AbortController();
      mine.addEventListener("abort", () => planning.abort(), { once: true });
      const { chain, account } = connection;
      const proceed = (outcome, next) => {
        past.append(h("li", {}, outcome));
        show(desk, way, ask(new URLSearchParams(next)), past, plan);
        submit(next);
      };
      const asked = planning.signal;
      draw(plan, action, values, { chain, account, attempts, signal: mine, planning: asked, at, proceed, spent }).catch(
        (error) => {
          if (!asked.aborted) throw error;
        },
      );
    };
    const ask = (given) => form(action, given, { account: connection.account, signal: mine, submit });
    show(desk, way, ask(query), past, plan);
  }
}

/** An action's address, with what of the query it has a field for. */
function addressOf({ name, fields }, query) {
  const known = new URLSearchParams(fields.map((one) => [one.name, query.get(one.name)]).filter(([, value]) => value));
  return `#/act/${name}${known.size ? `?${known}` : ""}`;
}

function heading(action, query) {
  const text =
    action?.text ??
    "What the commands do, signed by the wallet in this browser. What it costs is shown first, and tried out on your wallet's node.";
  if (!action) return [lead("Act", text)];
  const links = ACTIONS.map((one) =>
    h("a", { href: addressOf(one, query), "aria-current": one === action ? "page" : null }, one.title),
  );
  return [lead(action.title, text), h("nav", { class: "actions", "aria-label": "Actions" }, links)];
}

/** All that can be done. */
const overview = (query) =>
  GROUPS.map(([title, actions]) =>
    h(
      "section",
      { class: "deeds" },
      h("h2", {}, title),
      h(
        "ul",
        {},
        actions.map((one) =>
          h("li", {}, h("h3", {}, h("a", { href: addressOf(one, query) }, one.title)), h("p", {}, one.text)),
        ),
      ),
    ),
  );
