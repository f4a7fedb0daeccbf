// The board on a canvas: terrain, two beasts, and what happens between two words.
import { isHazard, isWall } from "./kernel/board.js";
import { sides } from "./kernel/match.js";
import { creature, dressed, palette } from "./portrait.js";
import { ink } from "./theme.js";

const TILES = 8;
const SPRITE = 256;
/** How far an arrow that points east is turned for north, south, east and west. */
const TURNS = [-Math.PI / 2, Math.PI / 2, 0, Math.PI];

/** A beast on a canvas of its own, without its sky. */
function sprite(dna) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SPRITE;
  const pen = canvas.getContext("2d");
  pen.scale(SPRITE / 200, SPRITE / 200);
  const colours = palette(dna);
  const { behind, body, eyes, mouth } = creature(dna);
  for (const shape of [...behind, ...body, ...eyes, ...mouth]) {
    const look = dressed(shape, colours);
    const path = new Path2D(look.tag === "path" ? look.d : undefined);
    if (look.tag === "circle") path.arc(look.cx, look.cy, look.r, 0, 2 * Math.PI);
    if (look.tag === "ellipse") path.ellipse(look.cx, look.cy, look.rx, look.ry, 0, 0, 2 * Math.PI);
    pen.lineWidth = Number(look["stroke-width"] || 1);
    pen.lineJoin = look["stroke-linejoin"] || "miter";
    pen.lineCap = look["stroke-linecap"] || "butt";
    if (look.fill !== "none") {
      pen.fillStyle = look.fill || "#000";
      pen.fill(path);
    }
    if (look.stroke) {
      pen.strokeStyle = look.stroke;
      pen.stroke(path);
    }
  }
  return canvas;
}

const centre = (tile) => [(tile & 7) + 0.5, (tile >> 3) + 0.5];
const mix = (p, q, t) => p + (q - p) * t;
const smooth = (t) => t * t * (3 - 2 * t);
/** There and back within 0…1. */
const thrust = (t) => Math.sin(Math.PI * Math.min(1, Math.max(0, t)));

/** The arena of one match on a <canvas>. */
export class Arena {
  constructor(canvas, dnaA, dnaB, battleSeed) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.sprites = { a: sprite(dnaA), b: sprite(dnaB) };
    this.rims = { a: palette(dnaA).h.fill, b: palette(dnaB).h.fill };
    this.battleSeed = battleSeed;
  }

  /** Fit the pixels to the size that the page gives. */
  fit() {
    const size = Math.round(this.canvas.clientWidth * (window.devicePixelRatio || 1)) || 480;
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    this.unit = size / (TILES + 0.5);
  }

  /**
   * Draw `word`, and of the activation `deed` that follows it the part 0…1 of `progress`.
   * @param over whether the match has ended in this word
   */
  draw(word, deed, progress, over = false) {
    this.fit();
    const { pen, unit } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = ink("rock-deep");
    pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
    pen.setTransform(unit, 0, 0, unit, unit / 4, unit / 4);
    this.#terrain(word);
    const both = sides(word, this.battleSeed);
    const places = { a: centre(both.a.pos), b: centre(both.b.pos) };
    const order = places.a[1] <= places.b[1] ? ["a", "b"] : ["b", "a"];
    for (const side of order) {
      const other = side === "a" ? "b" : "a";
      this.#beast(side, both[side], places[side], places[other], deed, progress, over);
    }
    for (const side of order) {
      const goes = progress > 0 && deed?.side === side && deed.way !== null;
      if (!goes && both[side].hp > 0) this.#heading(both[side].heading, places[side]);
    }
    if (deed) this.#effects(deed, places, progress);
  }

  #terrain(word) {
    const { pen } = this;
    const [near, far, rock, top] = ["ground-a", "ground-b", "rock", "rock-top"].map(ink);
    for (let tile = 0; tile < TILES * TILES; tile++) {
      const [x, y] = [tile & 7, tile >> 3];
      pen.fillStyle = (x + y) & 1 ? near : far;
      pen.fillRect(x, y, 1.01, 1.01);
    }
    for (let tile = 0; tile < TILES * TILES; tile++) {
      const [x, y] = [tile & 7, tile >> 3];
      if (isHazard(word, tile)) this.#pool(x, y);
      if (isWall(word, tile)) {
        this.#block(x + 0.04, y + 0.12, 0.92, 0.86, rock);
        this.#block(x + 0.04, y + 0.02, 0.92, 0.72, top);
        pen.strokeStyle = rock;
        pen.lineWidth = 0.035;
        pen.beginPath();
        const turn = (tile * 7) % 3;
        pen.moveTo(x + 0.25 + 0.1 * turn, y + 0.16);
        pen.lineTo(x + 0.4 + 0.08 * turn, y + 0.36);
        pen.lineTo(x + 0.34 + 0.1 * turn, y + 0.56);
        pen.stroke();
      }
    }
  }

  #block(x, y, width, height, colour) {
    this.pen.fillStyle = colour;
    this.pen.beginPath();
    this.pen.roundRect(x, y, width, height, 0.16);
    this.pen.fill();
  }

  #pool(x, y) {
    const { pen } = this;
    pen.fillStyle = ink("pool");
    pen.beginPath();
    pen.roundRect(x + 0.06, y + 0.06, 0.88, 0.88, 0.3);
    pen.fill();
    pen.strokeStyle = ink("pool-glow");
    pen.lineWidth = 0.05;
    pen.lineCap = "round";
    for (const [dx, dy] of [
      [0.22, 0.34],
      [0.48, 0.58],
      [0.26, 0.78],
    ]) {
      pen.beginPath();
      pen.moveTo(x + dx, y + dy);
      pen.quadraticCurveTo(x + dx + 0.08, y + dy - 0.12, x + dx + 0.16, y + dy);
      pen.quadraticCurveTo(x + dx + 0.24, y + dy + 0.12, x + dx + 0.32, y + dy);
      pen.stroke();
    }
  }

  #beast(side, body, [x, y], [otherX, otherY], deed, progress, over) {
    const { pen } = this;
    const acts = deed?.side === side;
    let [px, py, tall, wide, lean] = [x, y, 1, 1, 0];
    if (acts && deed.from !== deed.to) {
      const t = smooth(Math.min(1, progress / 0.8));
      const [toX, toY] = centre(deed.to);
      [px, py] = [mix(x, toX, t), mix(y, toY, t) - 0.28 * thrust(t)];
    }
    if (acts && deed.kind === "attack") {
      const reach = 0.42 * thrust((progress - 0.15) / 0.6);
      [px, py] = [px + (otherX - x) * reach, py + (otherY - y) * reach];
      wide = 1 + 0.12 * reach;
    }
    if (acts && deed.kind === "rest") tall = 1 - 0.1 * thrust(progress);
    if (!acts && deed?.damage > 0) {
      const shake = thrust((progress - 0.35) / 0.4);
      px += 0.08 * shake * Math.sin(40 * progress);
      lean = 0.12 * shake;
    }
    const fallen = body.hp === 0;
    pen.save();
    pen.translate(px, py);
    pen.fillStyle = "rgba(0,0,0,.28)";
    pen.beginPath();
    pen.ellipse(0, 0.4, 0.4, 0.12, 0, 0, 2 * Math.PI);
    pen.fill();
    pen.strokeStyle = this.rims[side];
    pen.lineWidth = 0.06;
    pen.stroke();
    if (body.tempDef > 0 && !fallen) this.#guard(body.tempDef);
    if (fallen) {
      pen.rotate(side === "a" ? -1.35 : 1.35);
      pen.globalAlpha = 0.6;
    }
    pen.rotate(lean);
    // A beast looks at its enemy; portraits look to the right of their tails.
    pen.scale((otherX < x ? -1 : 1) * wide, tall * (over && !fallen ? 1.08 : 1));
    pen.drawImage(this.sprites[side], -0.76, -0.9, 1.52, 1.52);
    pen.restore();
  }

  /** An arrowhead on the edge of its tile, towards where a beast that has moved went last. */
  #heading(heading, [x, y]) {
    if (!heading) return;
    const { pen } = this;
    pen.save();
    pen.translate(x, y);
    pen.rotate(TURNS[heading - 1]);
    pen.beginPath();
    pen.moveTo(0.38, -0.16);
    pen.lineTo(0.55, 0);
    pen.lineTo(0.38, 0.16);
    pen.closePath();
    pen.fillStyle = ink("paper");
    pen.fill();
    pen.strokeStyle = "rgba(0,0,0,.75)";
    pen.lineWidth = 0.04;
    pen.lineJoin = "round";
    pen.stroke();
    pen.restore();
  }

  #guard(tempDef) {
    const { pen } = this;
    pen.strokeStyle = ink("guard");
    pen.globalAlpha = 0.35 + Math.min(0.6, tempDef / 160);
    pen.lineWidth = 0.05 + tempDef / 1500;
    pen.beginPath();
    pen.ellipse(0, -0.12, 0.56, 0.62, 0, 0, 2 * Math.PI);
    pen.stroke();
    pen.globalAlpha = 1;
  }

  #effects(deed, places, progress) {
    const target = places[deed.side === "a" ? "b" : "a"];
    const own = centre(deed.to);
    if (deed.kind === "attack" && progress > 0.4) {
      const t = (progress - 0.4) / 0.6;
      this.#burst(target, t, deed.critical);
      this.#word(
        deed.damage ? `−${deed.damage}${deed.critical ? "!" : ""}` : "0",
        target,
        t,
        deed.critical ? "gold" : "hurt",
      );
    }
    if (deed.kind === "block" && progress > 0.2) this.#word("guard", own, (progress - 0.2) / 0.8, "guard", 0.34);
    if (deed.kind === "rest" && progress > 0.2) this.#word("z z", own, (progress - 0.2) / 0.8, "paper", 0.34);
  }

  #burst([x, y], t, critical) {
    const { pen } = this;
    pen.strokeStyle = ink(critical ? "gold" : "hurt");
    pen.globalAlpha = Math.max(0, 1 - 1.4 * t);
    pen.lineWidth = 0.07;
    const rays = critical ? 12 : 8;
    for (let i = 0; i < rays; i++) {
      const angle = (2 * Math.PI * i) / rays + 0.3;
      const [from, to] = [0.25 + 0.4 * t, 0.4 + 0.7 * t];
      pen.beginPath();
      pen.moveTo(x + from * Math.cos(angle), y + from * Math.sin(angle));
      pen.lineTo(x + to * Math.cos(angle), y + to * Math.sin(angle));
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  #word(text, [x, y], t, colour, size = 0.5) {
    const { pen } = this;
    const top = Math.max(0.45, y - 0.75 - 0.35 * t);
    pen.globalAlpha = Math.max(0, 1 - Math.max(0, t - 0.7) / 0.3);
    pen.font = `800 ${size}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.lineWidth = 0.1;
    pen.lineJoin = "round";
    pen.strokeStyle = "rgba(0,0,0,.75)";
    pen.strokeText(text, x, top);
    pen.fillStyle = ink(colour);
    pen.fillText(text, x, top);
    pen.globalAlpha = 1;
  }
}
