// Which of a beast's windows the film shows. A frame is {window, step, epoch, source, hash}; window -1 is the newborn,
// whose state follows from its DNA.
export const NEWBORN = -1;
const FALLEN = new Set(["slashed", "void"]);

/** At most `most` of a list, evenly spaced; the last is always one of them. */
export function spread(list, most) {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, i) => list[Math.floor(((i + 1) * list.length) / most) - 1]);
}

/** The frames of a film: the newborn, then at most `most` of the windows that stand, oldest first. */
export function framesOf(checkpoints, most) {
  const standing = checkpoints.filter(({ state }) => !FALLEN.has(state)).toSorted((a, b) => a.index - b.index);
  const frames = spread(standing, most).map((c) => ({
    window: c.index,
    step: c.global_step,
    epoch: c.epoch,
    source: c.source,
    hash: c.h128,
  }));
  return [{ window: NEWBORN, step: 0, epoch: 0, source: null, hash: null }, ...frames];
}

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
