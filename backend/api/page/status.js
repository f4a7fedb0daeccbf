// The bar that says which block the answers know, how far behind that is, and whether the view is as new.
import { announce } from "./announce.js";
import { dated } from "./api.js";
import { tellChainTime } from "./clock.js";
import { h, show } from "./dom.js";
import { count, plural, span } from "./format.js";

const bar = document.getElementById("status");

let status = null;
let mood = "";

/** The newest answer of /v1/status; null before the first. */
export const currentStatus = () => status;

/** The newest block that the server has told of. */
export const indexedBlock = () => status?.indexed?.number ?? -1;

function standing({ problem, node, indexed, blocks_behind, seconds_behind }) {
  if (problem) return ["bad", problem];
  if (!node.answers) return ["bad", "the node does not answer: this is the chain as it was last read"];
  if (!indexed) return ["late", "nothing has been read yet"];
  if (!blocks_behind) return ["good", "in step with the chain"];
  const behind = `${plural(blocks_behind, "block")} behind${seconds_behind ? ` (${span(seconds_behind)})` : ""}`;
  return [blocks_behind > 2 ? "late" : "good", behind];
}

/** Only a change for the better or the worse is read out: each block would never end. */
function say(now, text) {
  if (mood && now !== mood) announce(text, "status");
  mood = now;
}

const dot = (kind) => h("span", { class: `dot ${kind}`, "aria-hidden": "true" });

/** @param view the block that the view shown is of, if it is an older one than it should be; null otherwise */
export function drawStatus(view = null) {
  if (!status) return;
  const { chain_id, indexed, counts } = status;
  let [kind, text] = standing(status);
  if (view !== null && kind !== "bad") [kind, text] = ["late", `what is shown below is of block ${count(view)}`];
  show(
    bar,
    dot(kind),
    h("span", { class: "chain" }, `chain ${chain_id}`),
    h("span", {}, indexed ? `block ${count(indexed.number)}` : "no block"),
    h("span", { class: kind }, text),
    h(
      "span",
      { class: "tally" },
      [plural(counts.beasts, "beast"), plural(counts.open_disputes, "open dispute")].join(" · "),
    ),
  );
  say(kind, text);
}

/** Ask again; gives whether the server answered. */
export async function refreshStatus() {
  try {
    const { body, time } = await dated("/v1/status");
    status = body;
    if (status.indexed) tellChainTime(status.indexed.time, time);
    return true;
  } catch (error) {
    show(bar, dot("bad"), h("span", { class: "bad" }, error.message));
    say("bad", error.message);
    return false;
  }
}
