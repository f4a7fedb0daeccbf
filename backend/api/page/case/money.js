// What is at risk in a dispute: who is paid what at each end, as a diagram; and share by share for who wants to count.
import { hash } from "../beastly.js";
import { h, redraw, s, table } from "../dom.js";
import { coin, energy, plural } from "../format.js";
import { actualFlows, possibleEnds } from "./ends.js";

const POTS = {
  bond: "Filer's bond",
  opening: "Opening bond",
  lock: "Trainer's lock",
  stake: "Trainer's stake",
};
const RECEIVERS = {
  filer: "the filer",
  prover: "the prover",
  filers: "filers",
  trainer: "the trainer",
  steps: "who re-executed",
  stays: "stays where it is",
  burned: "burned",
};

export const spell = ({ wei, coin: of }) => (of === "energy" ? `${energy(wei)} ENERGY` : coin(wei));

const WIDTH = 640;
const [LEFT, RIGHT] = [170, 470];
const POT = 46;
const GAP = 22;

/**
 * Where everything of a diagram goes: pots at the left, all of one height, whatever they hold, as two coins have no
 * common measure; at the right the shares that each receiver gets of them, drawn to the same measure.
 */
export function layout(flows) {
  const pots = Object.keys(POTS)
    .map((name) => ({ name, flows: flows.filter(({ pot }) => pot === name) }))
    .filter((pot) => pot.flows.length);
  const bands = [];
  const left = pots.map(({ name, flows: own }, i) => {
    const top = i * (POT + GAP);
    const total = own.reduce((all, { wei }) => all + wei, 0n);
    let at = top;
    for (const one of own) {
      const height = (POT * Number((one.wei * 1_000_000n) / total)) / 1_000_000;
      bands.push({ ...one, from: at, height });
      at += height;
    }
    return { name, top, coin: own[0].coin, wei: total };
  });
  const names = Object.keys(RECEIVERS).filter((name) => bands.some(({ to }) => to === name));
  const height = Math.max(pots.length * (POT + GAP) - GAP, names.length * (GAP + 18));
  const used = bands.reduce((all, band) => all + band.height, 0);
  const gap = names.length > 1 ? (height - used) / (names.length - 1) : 0;
  let at = 0;
  const right = names.map((name) => {
    const top = at;
    const own = flows.filter(({ to }) => to === name);
    for (const band of bands)
      if (band.to === name) {
        band.at = at;
        at += band.height;
      }
    const end = at;
    at += Math.max(gap, 0);
    return { name, top, height: end - top, sums: sums(own) };
  });
  return { left, right, bands, height: Math.max(height, at) };
}

/** What a receiver gets in all, in each of the two coins. */
const sums = (flows) =>
  ["energy", "coin"]
    .map((of) => ({ coin: of, wei: flows.reduce((all, one) => (one.coin === of ? all + one.wei : all), 0n) }))
    .filter(({ wei }) => wei > 0n);

const MIDDLE = (LEFT + RIGHT) / 2;
const ribbon = ({ from, at, height }) =>
  `M${LEFT} ${from}C${MIDDLE} ${from} ${MIDDLE} ${at} ${RIGHT} ${at}V${at + height}C${MIDDLE} ${at + height} ${MIDDLE} ${from + height} ${LEFT} ${from + height}Z`;

/** A picture of flows; the table below it says the same in words. */
function diagram(flows) {
  const { left, right, bands, height } = layout(flows);
  return s(
    "svg",
    { class: "flows", viewBox: `0 -10 ${WIDTH} ${Math.ceil(height) + 20}`, "aria-hidden": "true" },
    ...bands.map((band) => s("path", { class: `flow ${band.to}`, d: ribbon(band) })),
    ...left.map((pot) => [
      s("rect", { class: "pot", x: LEFT - 6, y: pot.top, width: 6, height: POT }),
      s("text", { x: LEFT - 14, y: pot.top + POT / 2 - 3, class: "name end" }, POTS[pot.name]),
      s("text", { x: LEFT - 14, y: pot.top + POT / 2 + 13, class: "end" }, spell(pot)),
    ]),
    ...right.map((one) => [
      s("rect", { class: `pot ${one.name}`, x: RIGHT, y: one.top, width: 6, height: Math.max(one.height, 2) }),
      s("text", { x: RIGHT + 14, y: one.top + one.height / 2 - 3, class: "name" }, RECEIVERS[one.name]),
      s("text", { x: RIGHT + 14, y: one.top + one.height / 2 + 13 }, one.sums.map(spell).join(" + ")),
    ]),
  );
}

/** Too narrow for the diagram: the shares alone are shown there, and so open. */
const NARROW = "(width < 620px)";

/** Flows as a picture, and folded beneath it each share with its reason. */
const told = (caption, flows) => [
  diagram(flows),
  h(
    "details",
    { id: "shares", open: matchMedia(NARROW).matches },
    h("summary", {}, "Share by share"),
    table(
      caption,
      ["From", "To", "How much", ""],
      flows.map((one) => [POTS[one.pot], RECEIVERS[one.to], spell(one), one.note]),
      "stack money",
    ),
  ),
];

/** The ends that may still come, of which the reader chooses one to look at. `chosen` keeps the choice over redraws. */
export function stakesCard(dispute, risk, chosen) {
  const ends = possibleEnds(dispute, risk);
  const shown = h("div", { class: "end-shown" });
  const look = (end) => {
    chosen.end = end.name;
    redraw(shown, h("p", {}, `If ${end.when}:`), told(`Who gets what: ${end.title.toLowerCase()}`, end.flows));
  };
  const first = ends.find(({ name }) => name === chosen.end) ?? ends[0];
  look(first);
  return h(
    "section",
    { class: "risk", "aria-labelledby": "risk" },
    h("h2", { id: "risk" }, "What is at risk, and for whom"),
    h(
      "fieldset",
      { class: "end-choice" },
      h("legend", { class: "unseen" }, "If it ends like this"),
      ...ends.map((end) =>
        h(
          "label",
          {},
          h("input", {
            type: "radio",
            name: "end",
            value: end.name,
            checked: end === first,
            onchange: () => look(end),
          }),
          h("span", {}, end.title),
        ),
      ),
    ),
    shown,
  );
}

/** What an ended dispute paid to whom. */
export function paidCard(dispute) {
  const flows = actualFlows(dispute);
  const { slashing } = dispute;
  return h(
    "section",
    { class: "risk scales", "aria-labelledby": "risk" },
    h("h2", { id: "risk" }, slashing ? "What was slashed, and who was paid" : "Where the bonds went"),
    slashing
      ? h(
          "p",
          {},
          slashing.offender ? ["Taken from ", hash(slashing.offender)] : "Taken",
          slashing.voided ? `. ${plural(slashing.voided, "later window")} fell with it` : null,
          ".",
        )
      : null,
    h("div", { class: "end-shown" }, told("Who got what", flows)),
  );
}
