// What was on the screen at a moment: which presentation, which frame of its clip, and
// which frame of the camera comes next. Fetched clip by clip when it is first needed.

/** @typedef {import("./types.js").Presentation} Presentation */
/** @typedef {import("./types.js").ShownFrame} ShownFrame */
/** @typedef {import("./types.js").Rows} Rows */

/** The index of the last time that is not after t; -1 = none. @param {ArrayLike<number>} times @param {number} t */
export function lastUntil(times, t) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** How much of the camera's times is fetched around the cursor, ms. */
const around = 5000;
/** The most rows that the server gives: a clip has fewer, so nothing of it is thinned. */
export const unthinned = 20_000;

/** What is known of one presentation. @typedef {{shown: ShownFrame[], times: number[], gaze: Rows|null}} Clip */

export class Frames {
  /** @param {import("./api.js").Source} source @param {import("./types.js").Recording} recording @param {(error: unknown) => void} fault */
  constructor(source, recording, fault) {
    this.source = source;
    this.recording = recording;
    this.fault = fault;
    /** @type {Map<number, Clip|Promise<void>>} */
    this.clips = new Map();
    this.camera = { from: 0, until: 0, times: /** @type {ArrayLike<number>} */ ([]) };
    /** @type {() => void} */
    this.onArrival = () => {};
  }

  /** @param {number} t @returns {Presentation|undefined} */
  at(t) {
    return this.recording.presentations.find((p) => t >= p.from_ms && t < p.until_ms);
  }

  /** The clip of a presentation; undefined until it has come. @param {Presentation} p @returns {Clip|undefined} */
  clip(p) {
    const known = this.clips.get(p.presentation);
    if (known && !(known instanceof Promise)) return known;
    if (!known) this.clips.set(p.presentation, this.fetch(p));
    return undefined;
  }

  /** Waits for the clip of a presentation. @param {Presentation} p */
  async load(p) {
    this.clip(p);
    await this.clips.get(p.presentation);
    return this.clip(p);
  }

  /** @param {Presentation} p */
  async fetch(p) {
    /** @type {Clip} */
    const clip = { shown: [], times: [], gaze: null };
    try {
      clip.shown = await this.source.shown(p.presentation);
      clip.times = clip.shown.map((f) => f.at_ms);
      const trace = this.recording.streams.find((s) => s.id === "trace");
      if (trace?.columns.some((c) => c.name === "gaze_x")) {
        clip.gaze = await this.source.columns("trace", ["gaze_x", "gaze_y"], p.from_ms, p.until_ms, unthinned);
      }
    } catch (error) {
      this.fault(error);
    }
    this.clips.set(p.presentation, clip);
    this.onArrival();
  }

  /** The frame of the clip that was on the screen. @param {number} t */
  shown(t) {
    const p = this.at(t);
    const clip = p && this.clip(p);
    if (!p || !clip) return undefined;
    const i = lastUntil(clip.times, t);
    return i < 0 ? undefined : { presentation: p, frame: clip.shown[i], index: i };
  }

  /** The time of the displayed frame before or after; outside of clips that of the camera.
   * @param {number} t @param {1|-1} direction @returns {Promise<number>} */
  async step(t, direction) {
    const p = this.at(t);
    const clip = p && await this.load(p);
    if (!clip || clip.times.length === 0) return this.stepCamera(t, direction);
    return next(clip.times, t, direction) ?? this.stepCamera(t, direction);
  }

  /** @param {number} t @param {1|-1} direction @returns {Promise<number>} */
  async stepCamera(t, direction) {
    if (t - 1000 < this.camera.from || t + 1000 > this.camera.until) {
      try {
        const rows = await this.source.columns("trace", ["valence"], t - around, t + around, unthinned);
        this.camera = { from: t - around, until: t + around, times: rows.times };
      } catch (error) {
        this.fault(error);
      }
    }
    return next(this.camera.times, t, direction) ?? t;
  }
}

/** The time before or after t. @param {ArrayLike<number>} times @param {number} t @param {1|-1} direction */
function next(times, t, direction) {
  const i = lastUntil(times, t);
  if (direction > 0) return times[i + 1];
  return times[i] < t ? times[i] : times[i - 1];
}
