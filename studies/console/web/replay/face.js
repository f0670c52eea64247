// The participant's face at the cursor, where it was kept with consent.

import { byId, setText } from "../dom.js";
import { lastUntil } from "./frames.js";

/** Pictures that are kept decoded: those around the cursor. */
const keep = 90;
/** How many are fetched ahead while it plays. */
const ahead = 8;
/** A picture older than this is not that of the cursor, ms. */
const staleMs = 500;

export class Face {
  /** @param {import("./api.js").Source} source @param {import("./types.js").Recording} recording @param {(error: unknown) => void} fault */
  constructor(source, recording, fault) {
    this.source = source;
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("face"));
    /** @type {number[]} */
    this.times = [];
    /** @type {Map<number, ImageBitmap|null>} null: on its way, or not to be had */
    this.pictures = new Map();
    this.drawn = -1;
    byId("face-note").hidden = Boolean(recording.face);
    this.canvas.hidden = !recording.face;
    if (recording.face) {
      source.faceTimes().then((times) => {
        this.times = times;
        this.onArrival();
      }, fault);
    }
    /** @type {() => void} */
    this.onArrival = () => {};
  }

  /** @param {number} t @param {boolean} playing */
  draw(t, playing) {
    if (this.canvas.hidden) return;
    const i = lastUntil(this.times, t);
    const there = i >= 0 && t - this.times[i] <= staleMs;
    setText(byId("face-words"), there || this.times.length === 0 ? "" : "No picture of this moment");
    this.canvas.classList.toggle("none", !there);
    if (!there) return;
    for (let n = i; n <= Math.min(i + (playing ? ahead : 1), this.times.length - 1); n++) this.fetch(n);
    const picture = this.pictures.get(i);
    if (!picture || this.drawn === i) return;
    this.drawn = i;
    if (this.canvas.width !== picture.width || this.canvas.height !== picture.height) {
      [this.canvas.width, this.canvas.height] = [picture.width, picture.height];
      this.canvas.style.setProperty("--aspect", (picture.width / picture.height).toFixed(4));
    }
    this.canvas.getContext("2d")?.drawImage(picture, 0, 0);
  }

  /** @param {number} n */
  async fetch(n) {
    if (this.pictures.has(n)) return;
    this.pictures.set(n, null);
    for (const old of this.pictures.keys()) {
      if (this.pictures.size <= keep) break;
      this.pictures.get(old)?.close();
      this.pictures.delete(old);
    }
    try {
      this.pictures.set(n, await this.source.face(n));
      this.onArrival();
    } catch {
      // A picture that cannot be had stays away; the words say so when none is shown.
    }
  }
}
