// What was on the screen at a moment: which presentation, which frame of its clip, and
// which frame of the camera comes next. Fetched clip by clip when it is first needed.

import { reason } from "../api.js";
import { traceId } from "./panels.js";

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
/** After this a clip is asked for again that could not be fetched, ms. */
const againMs = 3000;
/** The most rows that the server gives: a clip has fewer, so nothing of it is thinned. */
export const unthinned = 20_000;

/** What is known of one presentation. @typedef {{shown: ShownFrame[], times: number[], gaze: Rows|null, failed?: string}} Clip
 *   failed: why it could not be fetched */

export class Frames {
  /** @param {import("./source.js").Source} source @param {import("./types.js").Recording} recording @param {(error: unknown) => void} fault */
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
      if (this.traced("gaze_x")) clip.gaze = await this.source.columns(traceId, ["gaze_x", "gaze_y"], p.from_ms, p.until_ms, unthinned);
    } catch (error) {
      clip.failed = reason(error);
      this.fault(error);
      setTimeout(() => {
        this.clips.delete(p.presentation);
        this.onArrival();
      }, againMs);
    }
    this.clips.set(p.presentation, clip);
    this.onArrival();
  }

  /** @param {string} name of a column of the joined trace */
  traced(name) {
    return this.recording.streams.some((s) => s.id === traceId && s.columns.some((c) => c.name === name));
  }

  /** The frame of the clip that was on the screen. @param {number} t */
  shown(t) {
    const p = this.at(t);
    const clip = p && this.clip(p);
    if (!p || !clip) return undefined;
    const i = lastUntil(clip.times, t);
    return i < 0 ? undefined : { presentation: p, frame: clip.shown[i], index: i };
  }

  /** The time of the displayed frame before or after. What comes after the last one of a clip
   * is the end of the clip; outside of clips it is the frames of the camera, up to the next clip.
   * @param {number} t @param {1|-1} direction @returns {Promise<number>} */
  async step(t, direction) {
    const p = this.at(t);
    const clip = p && await this.load(p);
    if (p && clip && !clip.failed) {
      const within = next(clip.times, t, direction);
      if (within !== undefined) return within;
      if (direction > 0) return p.until_ms;
    }
    const camera = await this.stepCamera(t, direction);
    const neighbour = direction > 0
      ? this.recording.presentations.find((q) => q.from_ms > t)
      : this.recording.presentations.findLast((q) => q.until_ms <= t);
    if (!neighbour || (camera !== t && (direction > 0 ? camera < neighbour.from_ms : camera >= neighbour.until_ms))) return camera;
    return (await this.load(neighbour))?.times.at(direction > 0 ? 0 : -1) ?? camera;
  }

  /** The time of the camera's frame before or after; t where there is none.
   * @param {number} t @param {1|-1} direction @returns {Promise<number>} */
  async stepCamera(t, direction) {
    if (!this.traced("valence")) return t;
    const ask = (/** @type {number} */ from, /** @type {number} */ until, /** @type {number} */ points) => this.source.columns(traceId, ["valence"], from, until, points);
    try {
      if (t - 1000 < this.camera.from || t + 1000 > this.camera.until) {
        this.camera = { from: t - around, until: t + around, times: (await ask(t - around, t + around, unthinned)).times };
      }
      const near = next(this.camera.times, t, direction);
      if (near !== undefined) return near;
      // The camera was away for longer: of two points, one is the first row of all and one the last.
      const { from, until } = this.camera;
      if (direction > 0 ? until >= this.recording.duration_ms : from <= 0) return t;
      const rows = direction > 0 ? await ask(until, this.recording.duration_ms, 2) : await ask(0, from, 2);
      return (direction > 0 ? rows.times[0] : rows.times.at(-1)) ?? t;
    } catch (error) {
      this.fault(error);
      return t;
    }
  }
}

/** The time before or after t. @param {ArrayLike<number>} times @param {number} t @param {1|-1} direction */
function next(times, t, direction) {
  const i = lastUntil(times, t);
  if (direction > 0) return times[i + 1];
  return times[i] < t ? times[i] : times[i - 1];
}
