// A click is a press and its release on one control. News may draw that control anew in between, for which the browser
// clicks nothing: the reader's hand was right, and nothing happens. Such a click goes to the control in its place here.
//
// Touches are left to the browser: most tell of a press and its release at once, where the finger was lifted.

const BY_MOUSE = "a[href], button, summary, label, input";
const BY_SPACE = "button, summary, input";
const SAYING = ["id", "name", "type", "value", "aria-label"];

/** Where a wallet is asked to sign nothing is supposed; news do not change that view. */
const SIGNING = ".view.act";

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
  pressed = control && !control.closest(SIGNING) ? { target, meaning: meaning(control) } : null;
}

/** What the press has become is no click: a drag, or a menu. */
function forget() {
  pressed = null;
}

function release(event, controls) {
  const before = pressed;
  pressed = null;
  const control = event.target.closest?.(controls);
  if (!before || before.target.isConnected) return;
  if (!control || control.matches(":disabled") || meaning(control) !== before.meaning) return;
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
  listen("dragstart", forget);
  listen("contextmenu", forget);
}
