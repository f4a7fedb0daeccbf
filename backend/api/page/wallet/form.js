// The form of an action: its fields, and what there is to choose from.
import { Problem, get } from "../api.js";
import { colours, face, nameOf } from "../beastly.js";
import { h, show } from "../dom.js";

const MOST = 8;

/** What a field offers: where the server lists it, one of it as {value, label, faces}, and what to say if there is none. */
const OFFERS = {
  beasts: {
    path: (account) => `/v1/beasts?owner=${account}&limit=${MOST}`,
    one: ({ id, dna }) => ({ value: id, label: `${nameOf(dna)} № ${id}`, faces: [[dna, id]] }),
    none: "This account has no beast yet.",
  },
  matches: {
    path: (account, status) => `/v1/matches?owner=${account}&status=${status}&limit=${MOST}`,
    one: ({ id, beast_a, dna_a, beast_b, dna_b }) => ({
      value: id,
      label: `Match ${id}`,
      faces: [
        [dna_a, beast_a],
        [dna_b, beast_b],
      ],
    }),
    none: "No match of this account stands where this is for.",
  },
};

/** A strip of what may be chosen, which fills once the server has answered. */
function choices([kind, status], element, account, signal) {
  const { path, one, none } = OFFERS[kind];
  const strip = h("div", { class: "offers" });
  const mark = () => {
    for (const button of strip.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.value === element.value));
  };
  const offer = ({ value, label, faces }) =>
    h(
      "button",
      {
        type: "button",
        class: "offer",
        value: String(value),
        onclick: () => ((element.value = String(value)), mark()),
      },
      faces
        .filter(([dna]) => dna)
        .map(([dna, id]) => h("span", { class: "token", "aria-hidden": "true", vars: colours(dna) }, face(dna, id))),
      label,
    );
  element.addEventListener("input", mark);
  get(path(account, status), signal)
    .then(({ items }) => {
      show(strip, items.length ? items.map((item) => offer(one(item))) : h("p", { class: "hint" }, none));
      mark();
    })
    .catch((error) => {
      if (!signal.aborted && !(error instanceof Problem)) throw error; // without the list a number can still be written
    });
  return strip;
}

/** The form of an action; `submit` gets its values. */
export function form(action, values, { account, signal, submit }) {
  const inputs = action.fields.map((field) => [field, input(field, values.get(field.name) ?? "")]);
  const read = () => Object.fromEntries(inputs.map(([{ name }, element]) => [name, element.value]));
  return h(
    "form",
    {
      class: "deed",
      onsubmit: (event) => {
        event.preventDefault();
        submit(read());
      },
    },
    inputs.map(([{ label, name, offers }, element]) =>
      h(
        "div",
        { class: "field" },
        h("label", { for: `field-${name}` }, label),
        element,
        offers ? choices(offers, element, account, signal) : null,
      ),
    ),
    h("button", { class: "primary", type: "submit" }, "See what it does"),
  );
}

function input({ name, kind, options, optional, example }, value) {
  const id = `field-${name}`;
  if (kind === "choice") {
    const select = h(
      "select",
      { id, name },
      options.map(([one, label]) => h("option", { value: one }, label)),
    );
    if (options.some(([one]) => one === value)) select.value = value;
    return select;
  }
  return h("input", {
    id,
    name,
    value,
    required: !optional,
    autocomplete: "off",
    inputmode: kind === "id" ? "numeric" : "decimal",
    placeholder: example,
  });
}
