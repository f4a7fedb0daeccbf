// A beast's portrait: the very shapes that the contract draws for its token (contracts/libraries/BeastPortrait.sol),
// as data, so that the page can also animate them and put them on the board.
import { stats } from "./kernel/combat.js";
import { genesisMask } from "./kernel/mask.js";

// Of what a DNA can give: the narrowest body, the lowest crest.
const [LEAST_HP, LEAST_POWER] = [116, 48];

const div = (a, b) => Math.floor(a / b);
const hsl = (hue, saturation, light) => `hsl(${hue},${saturation}%,${light}%)`;
const ellipse = (kind, cx, cy, rx, ry) => ({ tag: "ellipse", class: kind, cx, cy, rx, ry });

function bits(value) {
  let n = 0;
  for (let rest = value; rest; rest >>= 1) n += rest & 1;
  return n;
}

/** Hue of the hide and of belly and horn, 0…359. */
export function hues(dna) {
  const hue = div(dna[7] * 360, 256);
  return { hue, other: (hue + 90 + (dna[8] % 180)) % 360 };
}

/** Colours of hide (h), belly (b), horn (n) with their outlines, and of the sky behind. */
export function palette(dna) {
  const { hue, other } = hues(dna);
  return {
    h: { fill: hsl(hue, 62, 48), stroke: hsl(hue, 60, 22), "stroke-width": 3 },
    b: { fill: hsl(other, 70, 78) },
    n: { fill: hsl(other, 55, 45), stroke: hsl(other, 60, 20), "stroke-width": 2, "stroke-linejoin": "round" },
    sky: [hsl(other, 60, 90), hsl((hue + 180) % 360, 45, 62)],
  };
}

function tail(dna, width) {
  const x = 100 + width - 8;
  const tip = 70 + (dna[9] % 60);
  const d = `M${x} 140Q${x + 44} 150 ${x + 24} ${tip}Q${x + 26} 128 ${x - 8} 122Z`;
  return [{ tag: "path", class: "h", d }];
}

function limbs(pairs, width, height) {
  const out = [];
  for (let i = 0; i < pairs; i++) {
    const reach = div((width - 6) * (i + 1), pairs);
    const y = 112 + height - 10 * (i + 1);
    out.push(ellipse("h", 100 - reach, y, 11, 17), ellipse("h", 100 + reach, y, 11, 17));
  }
  return out;
}

function spikes(dna, width, height) {
  const n = 3 + (dna[10] % 5);
  const tall = 14 + div((stats(dna).power - LEAST_POWER) * 3, 8);
  return Array.from({ length: n }, (_, i) => {
    const x = 100 - width + div(2 * width * (i + 1), n + 1);
    const off = Math.abs(x - 100);
    const base = 122 - height + div(off * off * height, width * width);
    const d = `M${x - 8} ${base + 6}L${x} ${base - tall + div(off, 4)}L${x + 8} ${base + 6}Z`;
    return { tag: "path", class: "n", d };
  });
}

function body(dna, width, height) {
  const rim = div(dna[1] % 128, 16);
  const d = `M${104 - width} 110Q100 ${128 - div(height, 2)} ${96 + width} 110`;
  return [
    ellipse("h", 100, 118, width, height),
    ellipse("b", 100, 138, div(width * 3, 5), div(height, 2)),
    { tag: "path", class: "n", style: `fill:none;stroke-width:${1 + rim}`, d },
  ];
}

function spots(dna, height) {
  return Array.from({ length: dna[11] % 6 }, (_, i) => {
    const x = 72 + (dna[20 + i] % 56);
    const y = 126 - height + 12 + (dna[26 + i] % 14);
    return ellipse("b", x, y, 3 + (i % 3), 3);
  });
}

function eyes(dna, n, height) {
  const size = 15 - 2 * n + (dna[12] % 4);
  const y = 118 - div(height, 4);
  const look = dna[13] % 5;
  return Array.from({ length: n }, (_, i) => {
    const x = 100 + i * (2 * size + 3) - div((n - 1) * (2 * size + 3), 2);
    const [px, py, r] = [x + look - 2, y + 1, div(size, 2)];
    const rx = dna[14] & 1 ? div(r, 2) + 1 : r;
    return [
      { tag: "circle", cx: x, cy: y, r: size, fill: "#fff", stroke: "#222", "stroke-width": 2 },
      { tag: "ellipse", cx: px, cy: py, rx, ry: r + 1, fill: "#222" },
      { tag: "circle", cx: px + 2, cy: py - 2, r: 2, fill: "#fff" },
    ];
  }).flat();
}

function mouth(dna, height) {
  const y = 122 + div(height, 5);
  const half = 10 + (dna[15] % 14);
  const bend = 2 + (dna[16] % 20);
  const lips = {
    tag: "path",
    d: `M${100 - half} ${y}Q100 ${y + bend - 4} ${100 + half} ${y}`,
    fill: "none",
    stroke: "#222",
    "stroke-width": 3,
    "stroke-linecap": "round",
  };
  const fang = (x) => ({ tag: "path", fill: "#fff", stroke: "#222", d: `M${x} ${y}l3 9 3-9Z` });
  return dna[17] & 1 ? [lips, fang(102 - half), fang(92 + half)] : [lips];
}

/** The creature's shapes from back to front, in a box of 200 × 200; `eyes` counts those at the end's face. */
export function creature(dna) {
  const mask = genesisMask(dna);
  const width = 50 + div((stats(dna).hp - LEAST_HP) * 5, 26);
  const height = 46 + (dna[6] % 22);
  return {
    behind: [...tail(dna, width), ...limbs(bits(mask >> 4), width, height)],
    body: [...spikes(dna, width, height), ...body(dna, width, height), ...spots(dna, height)],
    eyes: eyes(dna, bits(mask & 15), height),
    mouth: mouth(dna, height),
  };
}

const all = ({ behind, body: trunk, eyes: look, mouth: grin }) => [...behind, ...trunk, ...look, ...grin];

/** The contract's SVG, byte for byte. */
export function svgText(dna) {
  const { h, b, n, sky } = palette(dna);
  const rules = ([name, style]) =>
    `.${name}{${Object.entries(style)
      .map(([key, value]) => `${key}:${value}`)
      .join(";")}}`;
  const write = ({ tag, ...attributes }) =>
    `<${tag} ${Object.entries(attributes)
      .map(([key, value]) => `${key}="${value}"`)
      .join(" ")}/>`;
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200"><style>' +
    Object.entries({ h, b, n }).map(rules).join("") +
    `</style><radialGradient id="s"><stop stop-color="${sky[0]}"/><stop offset="1" stop-color="${sky[1]}"/>` +
    '</radialGradient><rect width="200" height="200" fill="url(#s)"/>' +
    '<ellipse cx="100" cy="184" rx="62" ry="8" fill="#000" opacity=".18"/>' +
    all(creature(dna)).map(write).join("") +
    "</svg>"
  );
}

/** A shape's attributes with its class and style put in their place. */
export function dressed({ class: kind, style, ...shape }, colours) {
  const own = (style || "").split(";").map((rule) => rule.split(":"));
  return { ...(kind ? colours[kind] : {}), ...shape, ...(style ? Object.fromEntries(own) : {}) };
}

let portraits = 0;

/** The portrait as an <svg> element; `alive` lets it breathe and blink. */
export function portrait(dna, label, { alive = false, sky = true } = {}) {
  const make = (tag, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const colours = palette(dna);
  const draw = (shapes) =>
    shapes.map((shape) => {
      const { tag, ...attributes } = dressed(shape, colours);
      return make(tag, attributes);
    });
  const id = `sky-${++portraits}`;
  const [near, far] = colours.sky;
  const backdrop = sky
    ? [
        make(
          "radialGradient",
          { id },
          make("stop", { "stop-color": near }),
          make("stop", { offset: 1, "stop-color": far }),
        ),
        make("rect", { width: 200, height: 200, fill: `url(#${id})` }),
      ]
    : [];
  const parts = creature(dna);
  return make(
    "svg",
    { viewBox: "0 0 200 200", role: "img", "aria-label": label, class: alive ? "portrait alive" : "portrait" },
    ...backdrop,
    make("ellipse", { cx: 100, cy: 184, rx: 62, ry: 8, fill: "#000", opacity: 0.18 }),
    make(
      "g",
      { class: "creature" },
      ...draw(parts.behind),
      ...draw(parts.body),
      make("g", { class: "eyes" }, ...draw(parts.eyes)),
      ...draw(parts.mouth),
    ),
  );
}

const FIRST = [
  "Mor",
  "Ka",
  "Thul",
  "Bri",
  "Zo",
  "Gru",
  "Sel",
  "Vex",
  "Om",
  "Pip",
  "Rax",
  "Ny",
  "Hob",
  "Ish",
  "Quil",
  "Dro",
];
const MIDDLE = ["va", "ri", "go", "ma", "li", "zu", "ne", "ba", "ki", "do", "ra", "fe", "mu", "sha", "lo", "ti"];
const LAST = ["k", "nth", "x", "bo", "rr", "s", "th", "mp", "sk", "dle", "zz", "n", "gg", "wyn", "ll", "oth"];

/** A nickname that the page reads out of the DNA; everything else calls a beast by its id. */
export function nickname(dna) {
  return FIRST[dna[18] % 16] + MIDDLE[dna[19] % 16] + LAST[(dna[18] >> 4) ^ (dna[19] >> 4)];
}
