// The one cursor that clip, face, gaze and traces follow, and the stretch of time that
// the traces show. Everything listens to these two; nothing else keeps a time.

const slowest = 0.25;
const fastest = 4;

/** Tells whoever listens. */
class Teller {
  constructor() {
    /** @type {(() => void)[]} */
    this.listeners = [];
  }

  /** @param {() => void} listener */
  listen(listener) {
    this.listeners.push(listener);
  }

  tell() {
    for (const listener of this.listeners) listener();
  }
}

/** @typedef {{from: number, until: number}} Stretch in ms */

export class Playhead extends Teller {
  /** @param {number} duration ms */
  constructor(duration) {
    super();
    this.duration = duration;
    this.t = 0;
    this.playing = false;
    this.speed = 1;
    this.loop = false;
    /** @type {Stretch|null} */
    this.selection = null;
  }

  /** @param {number} t */
  seek(t) {
    this.t = Math.min(Math.max(t, 0), this.duration);
    this.tell();
  }

  /** @param {boolean} [on] */
  play(on = !this.playing) {
    if (on && this.t >= this.duration) this.t = 0;
    this.playing = on;
    this.tell();
  }

  /** Twice or half as fast. @param {1|-1} direction */
  pace(direction) {
    this.speed = Math.min(fastest, Math.max(slowest, this.speed * 2 ** direction));
    this.tell();
  }

  /** @param {Stretch|null} selection */
  select(selection) {
    this.selection = selection && selection.until > selection.from ? selection : null;
    if (!this.selection) this.loop = false;
    this.tell();
  }

  /** Sets one end of the selection to the cursor. @param {"from"|"until"} end */
  mark(end) {
    const old = this.selection ?? { from: 0, until: this.duration };
    const next = { ...old, [end]: this.t };
    if (next.until <= next.from) next[end === "from" ? "until" : "from"] = end === "from" ? this.duration : 0;
    this.select(next);
  }

  /** Goes on by so many ms of real time. @param {number} elapsed */
  advance(elapsed) {
    if (!this.playing) return;
    let t = this.t + elapsed * this.speed;
    const loop = this.loop ? this.selection : null;
    if (loop && (t >= loop.until || t < loop.from)) t = loop.from;
    if (t >= this.duration) this.playing = false;
    this.seek(t);
  }
}

/** The shortest stretch that is worth looking at, ms. */
const shortest = 100;

export class View extends Teller {
  /** @param {number} duration ms */
  constructor(duration) {
    super();
    this.duration = Math.max(duration, shortest);
    this.from = 0;
    this.until = this.duration;
  }

  get span() {
    return this.until - this.from;
  }

  /** @param {number} from @param {number} until */
  show(from, until) {
    const span = Math.min(Math.max(until - from, shortest), this.duration);
    const start = Math.min(Math.max(from, 0), this.duration - span);
    if (start === this.from && start + span === this.until) return;
    this.from = start;
    this.until = start + span;
    this.tell();
  }

  all() {
    this.show(0, this.duration);
  }

  /** A place of the stretch stays where it is, and the rest comes closer or goes away.
   * @param {number} factor below 1 = closer @param {number} at ms */
  zoom(factor, at) {
    this.show(at - (at - this.from) * factor, at + (this.until - at) * factor);
  }

  /** @param {number} share of what is shown */
  pan(share) {
    this.show(this.from + share * this.span, this.until + share * this.span);
  }

  /** Turns the page when the cursor has left it. @param {number} t */
  follow(t) {
    if (t >= this.from && t <= this.until) return;
    this.show(t - 0.1 * this.span, t + 0.9 * this.span);
  }
}
