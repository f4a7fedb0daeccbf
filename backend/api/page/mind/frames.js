// Which of a beast's windows the film shows. A frame is {window, step, epoch, source, hash}; window -1 is the newborn,
// whose state follows from its DNA.
export const NEWBORN = -1;

const HATCHED = { window: NEWBORN, step: 0, epoch: 0, source: null, hash: null };

/** The frames of a film from a beast's curve: the newborn, then a window for each of its points, oldest first. */
export const framesOf = ({ index, step, epoch, source, hash }) => [
  HATCHED,
  ...index.map((window, i) => ({ window, step: step[i], epoch: epoch[i], source: source[i], hash: hash[i] })),
];

/**
 * In which order n frames are worth having: the last, the first, then ever finer between them, so that the film spans the
 * whole life from the start.
 */
export function byWorth(n) {
  const order = [];
  const take = (i) => i >= 0 && i < n && !order.includes(i) && order.push(i);
  take(n - 1);
  take(0);
  for (let gap = n - 1; gap > 0; gap = Math.floor(gap / 2)) for (let i = gap; i < n; i += gap) take(i);
  for (let i = 0; i < n; i++) take(i);
  return order;
}
