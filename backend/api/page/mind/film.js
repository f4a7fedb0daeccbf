// The slider over a beast's life: one bar per frame, as high as the share of the teacher's moves that its brain makes.
import { h, show } from "../dom.js";
import { count, percent, words } from "../format.js";
import { NEWBORN } from "./frames.js";

export const frameName = ({ window }) => (window === NEWBORN ? "newborn" : `window ${window}`);

function inWords(frame, held) {
  if (frame.window === NEWBORN) return "Newborn, before any training";
  const learned = held?.marks?.optimal;
  const skill = learned === undefined || learned === null ? "" : `, ${percent(learned)} of its moves right`;
  return `Window ${frame.window}, epoch ${frame.epoch}, step ${count(frame.step)}${skill}`;
}

const bar = (frame) => h("i", { class: frame.source ?? "newborn" });

/**
 * @param onGo given the number of the frame that the reader wants
 * @param onPlay given whether the film should run
 * @returns {{element, draw, fill}} `draw({frames, held, at, before, playing})`, where `held(frame)` is what is known of it;
 *   `fill({frames, held})` only the bars
 */
export function film({ onGo, onPlay }) {
  const bars = h("div", { class: "bars", "aria-hidden": "true" });
  const slider = h("input", { type: "range", min: 0, step: 1, "aria-label": "Window", id: "film" });
  const play = h("button", { type: "button", class: "play", onclick: () => onPlay(play.dataset.playing !== "true") });
  const label = h("p", { class: "frame" });
  slider.addEventListener("input", () => onGo(Number(slider.value)));
  const element = h("div", { class: "film" }, play, h("div", { class: "reel" }, bars, slider), label);
  let drawn = [];

  function fill({ frames, held }) {
    if (drawn !== frames) return;
    frames.forEach((frame, i) => {
      const found = held(frame);
      bars.children[i].dataset.held = found ? (found.problem ? "absent" : "yes") : "no";
      bars.children[i].style.setProperty("--part", found?.marks?.optimal ?? 0);
    });
  }

  return {
    element,
    fill,
    draw({ frames, held, at, before, playing }) {
      if (drawn !== frames) {
        drawn = frames;
        slider.max = frames.length - 1;
        show(bars, frames.map(bar));
      }
      frames.forEach((_, i) => (bars.children[i].dataset.state = i === at ? "now" : i === before ? "before" : ""));
      fill({ frames, held });
      const text = inWords(frames[at], held(frames[at]));
      slider.value = at;
      slider.setAttribute("aria-valuetext", text);
      slider.disabled = frames.length < 2;
      play.dataset.playing = String(playing);
      play.disabled = frames.length < 2;
      play.setAttribute("aria-label", playing ? "Pause the film" : "Play its learning as a film");
      show(play, playing ? "❚❚" : "▶");
      const source = frames[at].source
        ? h("span", { class: `source ${frames[at].source}` }, words(frames[at].source))
        : null;
      show(label, h("b", {}, text), source);
    },
  };
}
