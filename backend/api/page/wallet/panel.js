// The wallet that is used, and what is believed of this server meanwhile.
import { h, show } from "../dom.js";
import { switchChain } from "./connection.js";
import { drawn } from "./draw.js";
import * as values from "./values.js";

/** Wallets to choose from. */
export function choice(wallets, choose) {
  if (!wallets.length)
    return h(
      "div",
      { class: "notice" },
      h("h2", {}, "There is no wallet in this browser."),
      h("p", {}, "Install one that speaks EIP-6963 or EIP-1193, and load the page again. Or act by the commands."),
    );
  return h(
    "div",
    { class: "wallets" },
    h("p", {}, "Choose the wallet to act with. It asks you before anything is signed."),
    h(
      "ul",
      {},
      wallets.map((wallet) =>
        h(
          "li",
          {},
          h("button", { class: "primary", type: "button", onclick: () => choose(wallet) }, `Connect ${wallet.name}`),
          wallet.rdns ? h("small", {}, wallet.rdns) : null,
        ),
      ),
    ),
  );
}

/** A wallet that has not answered yet, and may be left. */
export const waiting = ({ name }, leave) =>
  h(
    "p",
    { class: "busy", role: "status" },
    `Waiting for ${name} … `,
    h("button", { class: "plain", type: "button", onclick: leave }, "Leave"),
  );

/** A chain that is not the deployment's: what is wrong, and the switch where the wallet has one. */
export function wrongChain({ wallet, where }, contracts) {
  const answer = h("p", { role: "status" });
  const switchIt = async () => {
    const refused = await switchChain(wallet, contracts);
    show(answer, refused ?? "The wallet is changing its chain.");
  };
  const twin = where === "twin";
  return h(
    "div",
    { class: "notice error", role: "alert" },
    h("h2", {}, twin ? "The wallet is on another chain of the same number." : "The wallet is on another chain."),
    h(
      "p",
      {},
      twin
        ? `Its node's chain ${contracts.chainId} began with another block than this deployment's. Give the wallet the right node.`
        : `The contracts are on chain ${contracts.chainId}. Nothing is asked or sent on any other.`,
    ),
    twin
      ? null
      : h(
          "button",
          { class: "primary", type: "button", onclick: switchIt },
          `Switch the wallet to chain ${contracts.chainId}`,
        ),
    answer,
  );
}

/** Account and balances, by the wallet's node. */
export async function purse({ wallet, chain, account }, leave) {
  const [coin, energy] = await Promise.all([chain.coinOf(account), chain.read("Energy", "balanceOf", account)]);
  const row = (label, value) => h("div", {}, h("dt", {}, label), h("dd", {}, value));
  return h(
    "dl",
    { class: "purse" },
    row("Account", drawn(values.hex(account))),
    row("Wallet", [wallet.name, " ", h("button", { class: "plain", type: "button", onclick: leave }, "Leave")]),
    row("Coin", drawn(values.coin(coin))),
    row("ENERGY", drawn(values.energy(energy))),
  );
}

/** What is taken on this server's word, and how it is checked. */
export function belief(contracts, doubts) {
  const facts = [
    ["Chain", String(contracts.chainId)],
    ["Its first block", contracts.genesis],
    ...contracts.all.map(({ name, shown }) => [name, shown]),
  ];
  return h(
    "details",
    { class: "belief", id: "belief", open: doubts ? doubts.length > 0 : false },
    h("summary", {}, "What you believe this server"),
    doubts?.length
      ? h(
          "div",
          { class: "notice error", role: "alert" },
          h("h2", {}, "The contracts contradict it"),
          doubts.map((one) => h("p", {}, one)),
        )
      : null,
    h(
      "ul",
      {},
      h("li", {}, "This page: its code came from here. Read what the wallet shows before you sign."),
      h(
        "li",
        {},
        "The ledger's address. ",
        doubts
          ? "Your node was asked: the other contracts that are used here are those that the ledger leads to, and the sale may make ENERGY."
          : "The others that are used here follow from it, which your node is asked once a wallet is connected.",
        " Compare it with a deployment record that you trust: ",
        h("code", {}, `deployments/${contracts.chainId}.json`),
        " under a home of yours, which ",
        h("code", {}, "chainbeasts doctor"),
        " checks against the chain.",
      ),
      h(
        "li",
        {},
        "In which block a window was submitted. The window itself comes from your node, and the ledger checks it.",
      ),
      h("li", {}, "Which beasts and matches a form offers. The one that you choose is read through the wallet's node."),
      h("li", {}, "Nothing else: prices, balances, owners, matches and periods are read through the wallet's node."),
    ),
    h(
      "dl",
      { class: "addresses" },
      facts.map(([name, value]) =>
        h("div", {}, h("dt", {}, name), h("dd", {}, value.startsWith("0x") ? drawn(values.hex(value)) : value)),
      ),
    ),
  );
}
