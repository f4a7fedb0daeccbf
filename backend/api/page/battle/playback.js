// Where a replay stands and how it goes on with time; what that looks like is told to whoever listens.
const TURN_MS = 640;
const SPEEDS = [1, 2, 4];

/**
 * A replay of `turns` turns.
 * @param told `settled(turn, playing)` after each change of turn or of playing, `moved(turn, progress)` between turns
 */
export class Playback {
  #last = null;

  constructor(turns, start, told) {
    this.turns = turns;
    this.turn = Math.min(Math.max(Math.trunc(start) || 0, 0), turns);
    this.progress = 0;
    this.playing = false;
    this.speed = SPEEDS[0];
    this.told = told;
  }

  get over() {
    return this.turn === this.turns;
  }

  /** Stop, and stand before a turn. */
  go(to) {
    this.playing = false;
    this.#stand(Math.min(Math.max(to, 0), this.turns));
  }

  play(on) {
    this.playing = on && this.turns > 0;
    this.#last = null;
    if (this.playing && this.over) this.#stand(0);
    else this.told.settled(this.turn, this.playing);
  }

  faster() {
    this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length];
  }

  /** Another course from here on. */
  recut(turns, turn) {
    this.turns = turns;
    this.go(turn);
  }

  /** Let the time of a frame pass; whether another frame is wanted. */
  tick(time) {
    if (!this.playing) return false;
    this.progress += this.#last === null ? 0 : ((time - this.#last) * this.speed) / TURN_MS;
    this.#last = time;
    if (this.progress < 1) this.told.moved(this.turn, this.progress);
    else {
      this.playing = this.turn + 1 < this.turns;
      this.#stand(this.turn + 1);
    }
    return this.playing;
  }

  #stand(turn) {
    this.turn = turn;
    this.progress = 0;
    this.told.settled(turn, this.playing);
  }
}
