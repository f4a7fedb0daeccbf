// What a beast costs and owns, in figures.
import { figure, hash } from "../beastly.js";
import { h } from "../dom.js";
import { coin, count, energy, span } from "../format.js";

const opennessHint = ({ opened, unopened }) => `${opened} opened in a dispute · ${unopened} never opened`;

/** What going on costs, and how long that binds. */
function nextWindow(price) {
  const sale = price.coin_price === null ? "" : ` (${coin(price.coin_price)} at the sale)`;
  return figure(
    "Next window",
    `${energy(price.price)} ENERGY`,
    `burns that${sale}, locks ${energy(price.lock)} for ${span(price.locked_seconds)} at least · ${count(price.gas)} gas`,
  );
}

/** Figures of a beast and of the price of its next window. */
export function facts(beast, price) {
  return [
    h(
      "dl",
      { class: "figures" },
      figure("ENERGY spent", energy(beast.energy_spent), `${energy(beast.energy_locked)} locked now`),
      nextWindow(price),
      figure("Windows", count(beast.head_count), `${beast.final_count} final · ${beast.pending_count} pending`),
      figure("Replayable by anybody", count(beast.openness.replayable), opennessHint(beast.openness)),
      figure("Epoch", String(beast.epoch), `season ${beast.season}`),
      beast.rating
        ? figure(
            "Rating",
            beast.rating.rating.toFixed(1),
            `#${beast.rating.rank} · ${beast.rating.won} won, ${beast.rating.lost} lost, ${beast.rating.drawn} drawn`,
          )
        : figure("Rating", "—", "no final match yet"),
    ),
    h("p", { class: "hint" }, "owned by ", hash(beast.owner), " · DNA ", hash(beast.dna)),
    h("p", {}, h("a", { href: `#/compare/${beast.id}` }, "Compare it with others")),
  ];
}
