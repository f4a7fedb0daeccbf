// A beast's curves: loss per window from the chain, and what its trainer tells live through the metrics server.
import { follow } from "../api.js";
import { chart } from "../chart.js";
import { h, show } from "../dom.js";
import { percent } from "../format.js";
import { Live } from "../live.js";

const HISTORY_MS = 700;
const QUIET_MS = 20_000;

/** Two series of points over one axis: [x, a, b] with null where one has nothing. */
function aligned([xa, a], [xb, b]) {
  const x = [...new Set([...xa, ...xb])].sort((p, q) => p - q);
  const at = new Map(x.map((value, i) => [value, i]));
  const spread = (xs, ys) => {
    const out = new Array(x.length).fill(null);
    xs.forEach((value, i) => (out[at.get(value)] = ys[i]));
    return out;
  };
  return [x, spread(xa, a), spread(xb, b)];
}

/**
 * The section of curves of a beast.
 * @returns {{element, chain}} the section, and how to give it the curve that the chain tells
 */
export function learning(beast, signal) {
  const live = new Live();
  let curve = { step: [], loss: [] };
  const lamp = h("span", { class: "lamp", role: "status" });
  const losses = chart({
    label: "Loss per micro-step",
    series: [
      { label: "chain, per window", ink: "accent", points: true },
      { label: "live, as on chain", ink: "moss" },
    ],
    read: (value) => value.toFixed(1),
  });
  const skill = chart({
    label: "What it gets right, by its trainer's word",
    series: [
      { label: "moves", ink: "accent" },
      { label: "blocks", ink: "moss" },
    ],
    read: percent,
    top: 1,
  });
  const say = h("p", { class: "hint" });

  function tell(state, hint = "") {
    lamp.dataset.state = state;
    show(lamp, { live: "live", quiet: "connected, nothing trains", away: "no metrics server" }[state]);
    const text = {
      live: "",
      quiet: "It moves as soon as a trainer runs for this beast: ",
      away: hint || "Live figures need the metrics server: ",
    }[state];
    const command = {
      live: "",
      quiet: `chainbeasts trainer run ${beast.id}`,
      away: hint ? "" : "chainbeasts metrics serve",
    }[state];
    show(say, text, command ? h("code", {}, command) : null);
  }

  function draw() {
    losses.draw(aligned([curve.step, curve.loss], [live.column("step"), live.column("loss")]));
    skill.draw([live.column("step"), live.column("move"), live.column("block")]);
  }

  let waiting = false;
  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (!signal.aborted) draw();
    });
  }

  // What comes right after the connection is history; what comes later is happening.
  let since = Infinity;
  let quiet = null;
  function heard() {
    if (performance.now() - since < HISTORY_MS) return tell("quiet");
    clearTimeout(quiet);
    quiet = setTimeout(() => tell("quiet"), QUIET_MS);
    tell("live");
  }

  tell("away");
  follow(
    `/v1/metrics?beast=${beast.id}`,
    ({ type, message, hint }) => {
      if (type === "away") tell("away", hint || "");
      else if (type === "connected") tell("quiet");
      else if (message?.beast === String(beast.id)) {
        live.add(message);
        heard();
        soon();
      }
    },
    signal,
    (open) => {
      since = open ? performance.now() : Infinity;
      if (!open) tell("away");
    },
  );
  document.addEventListener("themechange", draw, { signal });
  addEventListener("resize", soon, { signal });

  const element = h(
    "section",
    { class: "learning", "aria-labelledby": "learning" },
    h("h2", { id: "learning" }, "Learning ", lamp),
    h("div", { class: "curves" }, losses.element, skill.element),
    h(
      "p",
      { class: "hint" },
      "The loss rises where another head begins to learn: moving first, then striking, then blocking. ",
      "It is the chain's own; what it gets right is only told, and nobody has checked it.",
    ),
    say,
  );
  return {
    element,
    chain(found) {
      const [before, now] = [curve, found].map(({ step }) => step.at(-1) ?? 0);
      if (now < before) live.upTo(now); // a window fell
      curve = found;
      soon();
    },
  };
}
