// One action: what stands now and what would happen, the signing, and what became of it.
import { h, show } from "../dom.js";
import { Problem } from "../api.js";
import { hash } from "../beastly.js";
import { brief, count } from "../format.js";
import { Reverted } from "./contracts.js";
import { pause } from "./chain.js";
import { WalletError } from "./provider.js";
import { Refusal } from "./refusal.js";
import { send } from "./sending.js";
import { about, told } from "./units.js";
import { cast, drawn, facts } from "./draw.js";
import { drawState } from "./states.js";
import { coin } from "./values.js";

const WAIT = 2000;

/** A failure in words; what is no failure of the world is thrown on. */
export function failure(error) {
  if (error instanceof RangeError)
    return h(
      "div",
      { class: "notice error", role: "alert" },
      h("h2", {}, "The wallet's node gave an answer that cannot be read."),
      h("p", {}, error.message),
    );
  const known = [Refusal, Reverted, WalletError, Problem].some((kind) => error instanceof kind);
  if (!known) throw error;
  const values = error instanceof Reverted ? Object.entries(error.values) : [];
  return h(
    "div",
    { class: "notice error", role: "alert" },
    h("h2", {}, drawn(error.said ?? error.message)),
    error.hint ? h("p", {}, error.hint) : null,
    values.length
      ? h(
          "p",
          { class: "raw" },
          h("code", {}, `${error.code}(${values.map(([name, value]) => `${name}: ${told(value)}`).join(", ")})`),
        )
      : null,
  );
}

/** Every state of a sending that is none of its being under way. */
const NOT_SENT = ["rejected", "refused", "busy"];

/**
 * Draw the plan of an action with these values, and its next step's signing, in `place`.
 * @param signal ends everything; `planning` only what is drawn, when it is asked for anew: what is sent is followed on
 * @param at hears how far the reader is: "check", "sign" or "result"
 * @param proceed called with what became of a step, and what the next one's form is to have
 * @param spent called with the block of each step that is mined
 */
export async function draw(place, action, values, { chain, account, attempts, signal, planning, at, proceed, spent }) {
  at("check");
  show(place, h("p", { class: "busy", role: "status" }, "Reading the chain through your wallet …"));
  for (;;) {
    let known = [];
    let plan;
    try {
      plan = await action.plan(chain, account, values);
      known = [await cast(chain, plan.beasts), facts(plan.facts)];
      const next = plan.step ? await review(plan.step) : null;
      if (planning.aborted) return undefined;
      if (next) return show(place, known, next);
    } catch (error) {
      if (planning.aborted) return undefined;
      return show(place, known, failure(error));
    }
    if (!plan.wait) {
      at("result");
      return show(place, known, outcome({ text: plan.done, links: plan.links }));
    }
    show(place, known, h("p", { class: "busy", role: "status" }, plan.wait));
    await pause(WAIT, planning);
  }

  /** What the step's transaction is, what it would give and cost, and the button that asks the wallet. */
  async function review(step) {
    const contract = chain.contracts.of(step.to);
    const { call, args, value = 0n } = step;
    const tx = { from: account, to: contract.address, data: contract.encode(call, args), value };
    const result = await chain.simulate(tx);
    const wrong = step.check?.(contract.decode(call, result));
    if (wrong) throw new Refusal(wrong, "Nothing is sent.");
    const { gas, price } = await chain.cost(tx);
    const busy = attempts.of(account);
    const state = h("div", { class: "sending", "aria-live": "polite" });
    const sign = h(
      "button",
      { class: "primary", type: "button", disabled: busy !== null, onclick: () => signAndSend(step, tx, sign, state) },
      "Sign in the wallet",
    );
    return h(
      "section",
      { class: "review" },
      h("h2", {}, step.title),
      step.note ? h("p", {}, step.note) : null,
      facts([
        ["Coin that goes along", coin(value)],
        ["Gas", about(gas * price), `${count(gas)} gas at your node's price; the wallet says the last word`],
        ["Tried out on your node", "it would be accepted now"],
      ]),
      h(
        "details",
        { class: "call" },
        h("summary", {}, "The call, as it is signed"),
        facts([
          ["To", [`${step.to} `, hash(contract.shown)]],
          ["Function", h("code", {}, contract.signature(call))],
          ...contract.functions.get(call).inputs.map(({ name }, i) => [name, h("code", {}, shorten(told(args[i])))]),
          [
            "Data",
            h(
              "code",
              { title: tx.data.length > 2000 ? null : tx.data },
              `${brief(tx.data)}, ${tx.data.length / 2 - 1} bytes`,
            ),
          ],
        ]),
      ),
      sign,
      busy ? h("p", { class: "hint" }, `Not before the end of what is under way: ${busy.title}.`) : null,
      state,
    );
  }

  async function signAndSend(step, tx, button, state) {
    button.disabled = true;
    show(state);
    let ended = false;
    const given = new AbortController();
    signal.addEventListener("abort", () => given.abort(), { once: true });
    const forget = () => {
      given.abort();
      const attempt = attempts.of(account);
      if (attempt) attempts.forget(attempt);
      show(state);
      at("check");
      button.disabled = false;
    };
    const hear = async (found) => {
      drawState(state, found, forget);
      at(found.block || found.state === "replaced" ? "result" : NOT_SENT.includes(found.state) ? "check" : "sign");
      if (NOT_SENT.includes(found.state)) button.disabled = false;
      if (found.block) spent(found.block);
      if (found.state !== "mined" || ended) return;
      ended = true;
      const done = step.done(events(found.logs));
      await chain.reach(found.block, signal);
      if (done.next) proceed(outcome(done), { ...values, ...done.next });
      else state.append(outcome(done));
    };
    try {
      await send(chain, attempts, {
        tx,
        title: step.title,
        signal: given.signal,
        told: (found) => hear(found).catch(ignoreAbort),
      });
    } catch (error) {
      if (given.signal.aborted) return;
      button.disabled = attempts.of(account) !== null; // what failed before the wallet was asked can be tried again
      state.append(failure(error));
    }
  }

  function events(logs) {
    const parsed = (contract, name) => logs.map((log) => chain.contracts.of(contract).parse(name, log));
    return (contract, name) => parsed(contract, name).find((found) => found !== null);
  }

  function ignoreAbort(error) {
    if (!signal.aborted) throw error;
  }
}

const LONG = 400;
const shorten = (text) => (text.length > LONG ? `${text.slice(0, LONG)}… (${text.length} characters)` : text);

/** What became of a step. */
export const outcome = ({ text, links = [] }) =>
  h(
    "p",
    { class: "outcome" },
    drawn(text),
    " ",
    links.map(([href, label]) => [h("a", { href }, label), " "]),
  );
