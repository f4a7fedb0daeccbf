// A colour for each beast that is compared, and a dash, so that nobody needs to see colours to tell them apart.
export const INKS = ["accent", "steel", "moss", "plum", "gold", "hurt"];
const DASHES = [null, [8, 4], [2, 4], [10, 3, 2, 3], [5, 2], [1, 3]];

/** How many can be told apart. */
export const MOST = INKS.length;

export const dashOf = (i) => DASHES[i];

/** CSS variables of the i-th. */
export const inkVars = (i) => ({ tone: `var(--${INKS[i]})` });
