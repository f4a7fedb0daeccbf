// Figures of one beast's windows, as the server relays them.
const KEPT = 4000;

/**
 * Points in order of steps. The server tells only what fits a window on chain, so a step that comes again replaces that
 * point alone: nobody's message takes others' away.
 */
export class Live {
  constructor() {
    this.points = [];
  }

  add({ step, loss, move_accuracy, block_accuracy }) {
    const point = { step, loss, move: move_accuracy, block: block_accuracy };
    const at = this.points.findIndex((one) => one.step >= step);
    if (at < 0) this.points.push(point);
    else this.points.splice(at, this.points[at].step === step ? 1 : 0, point);
    if (this.points.length > KEPT) this.points.shift();
  }

  /** Forget what lies after a step. */
  upTo(step) {
    this.points = this.points.filter((point) => point.step <= step);
  }

  column(name) {
    return this.points.map((point) => point[name]);
  }
}
