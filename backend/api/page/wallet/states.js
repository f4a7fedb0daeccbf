// How a transaction stands, in words.
import { hash as copyable } from "../beastly.js";
import { h, show } from "../dom.js";
import { Reverted } from "./contracts.js";

const WORDS = {
  signing: ["The wallet asks you", "Look at address, sum and function there, and confirm or reject."],
  rejected: ["Rejected", "You said no in the wallet. Nothing was sent."],
  refused: ["Not sent", "The wallet, or its node, did not take the transaction."],
  busy: ["Not sent", "Another transaction of this account is under way, perhaps in another tab. Wait for its end."],
  pending: ["Pending", "It was sent and waits to be mined. It can be left alone: this browser remembers it."],
  mined: ["Mined", ""],
  failed: ["Failed", "It was mined, and the contract refused it: the gas is spent, nothing else changed."],
  replaced: ["Replaced", "Another transaction took its place in the account's order; it will never be mined."],
  unknown: [
    "Unknown",
    "The wallet did not say whether it was sent. Nothing is sent again: the chain is looked at until it is there. " +
      "The wallet's own list tells whether it waits.",
  ],
};

/** "unknown" of what has a hash. */
const UNSEEN = [
  "Unknown",
  "The wallet sent it, and its node does not know it: it was dropped, or waits where the node does not look. It may still " +
    "be mined: if it is forgotten and sent again, both may be. The chain is looked at on.",
];

/** Draw a state that `sending.js` tells of; `forget` is for a reader who knows that nothing was sent, or waits. */
export function drawState(place, { state, hash, by, block, fee, away, error }, forget) {
  const [title, text] = state === "unknown" && hash ? UNSEEN : WORDS[state];
  show(
    place,
    h(
      "div",
      { class: `tx ${state}`, "data-state": state },
      h("strong", {}, title),
      h("p", {}, block ? `Block ${block}. ` : "", text, fee ? " It was sent with another fee than at first." : ""),
      error ? h("p", { class: "why" }, error.message) : null,
      error instanceof Reverted
        ? h("p", { class: "raw" }, h("code", {}, `${error.code}(${Object.keys(error.values).join(", ")})`))
        : null,
      hash ? h("p", {}, "Transaction ", copyable(hash)) : null,
      by ? h("p", {}, "In its place ", copyable(by)) : null,
      away ? h("p", { class: "why" }, "The wallet's node does not answer just now.") : null,
      state === "unknown"
        ? h(
            "button",
            { type: "button", class: "plain", onclick: forget },
            `My wallet shows that it was ${hash ? "dropped" : "never sent"}: forget it`,
          )
        : null,
    ),
  );
}
