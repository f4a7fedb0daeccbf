// A click is a press and its release on one control. News may draw that control anew in between, for which the browser
// clicks nothing: the reader's hand was right, and nothing happens. Such a click goes to the control in its place here.
//
// Touches need none of it: a browser tells of their press and release at once, where the finger was lifted.

const BY_MOUSE = "a[href], button, summary, label, input";
const BY_SPACE = "button, summary, input";
const SAYING = ["id", "name", "type", "aria-label"];

/** What a reader takes a control for: on which view and in which row it is, and where it leads or what it says. */
const meaning = (control) =>
  [
    location.hash,
    control.closest("[data-key]")?.dataset.key,
    control.localName,
    ...SAYING.map((name) => control.getAttribute(name)),
    control.getAttribute("href") ?? control.textContent,
  ].join("\n");

/** {target, meaning}: what was pressed last, until it is released. */
let pressed = null;

function press({ target }, controls) {
  const control = target.closest?.(controls);
  pressed = control ? { target, meaning: meaning(control) } : null;
}

function release(event, controls) {
  const before = pressed;
  pressed = null;
  const control = event.target.closest?.(controls);
  if (!before || !control || before.target.isConnected || meaning(control) !== before.meaning) return;
  const { ctrlKey, shiftKey, altKey, metaKey } = event;
  let clicked = false; // by the browser after all: it does that before anything else
  const see = ({ target }) => (clicked ||= control.contains(target));
  addEventListener("click", see, true);
  setTimeout(() => {
    removeEventListener("click", see, true);
    const like = { bubbles: true, cancelable: true, composed: true, view: window, ctrlKey, shiftKey, altKey, metaKey };
    if (!clicked) control.dispatchEvent(new MouseEvent("click", like));
  });
}

/** From now on no click is lost to news. */
export function startPresses() {
  const listen = (type, handler) => addEventListener(type, handler, true);
  listen("mousedown", (event) => event.button === 0 && press(event, BY_MOUSE));
  listen("mouseup", (event) => event.button === 0 && release(event, BY_MOUSE));
  listen("keydown", (event) => event.key === " " && !event.repeat && press(event, BY_SPACE));
  listen("keyup", (event) => event.key === " " && release(event, BY_SPACE));
}
