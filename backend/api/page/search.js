// The search box of the frame: where what somebody typed leads.

const ACCOUNT = /^0x[0-9a-f]{40}$/i;
const NUMBERED = /^(beast|match|battle|case|dispute)\s*(?:№|#)?\s*([0-9]{1,18})$/i;
const PLACES = { beast: "beasts", match: "battles", battle: "battles", case: "disputes", dispute: "disputes" };

/** The address for a search: an account's, a numbered thing's, or the beasts that it finds. */
export function destination(text) {
  const wanted = text.trim();
  if (ACCOUNT.test(wanted)) return `#/accounts/${wanted.toLowerCase()}`;
  const numbered = NUMBERED.exec(wanted);
  if (numbered) return `#/${PLACES[numbered[1].toLowerCase()]}/${numbered[2].replace(/^0+(?=\d)/, "")}`;
  return wanted ? `#/beasts?q=${encodeURIComponent(wanted)}` : "#/beasts";
}
