// The participant's face at the cursor, where it was kept with consent.

import { reason } from "../api.js";
import { byId, setText } from "../dom.js";
import { lastUntil } from "./frames.js";
import { unanswered } from "./source.js";

/** Pictures that are kept decoded: those around the cursor. */
const keep = 90;
/** How many are fetched ahead while it plays. */
const ahead = 8;
/** A picture older than this is not that of the cursor, ms. */
const staleMs = 500;
/** After this a picture is asked for again that nobody answered about, ms. */
const againMs = 2000;

export class Face {
  /** @param {import("./source.js").Source} source @param {import("./types.js").Recording} recording */
  constructor(source, recording) {
    this.source = source;
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("face"));
    /** @type {number[]} */
    this.times = [];
    this.words = "Loading"; // why there are no times
    /** @type {Map<number, ImageBitmap|string|null>} null: on its way; words: why it cannot be had */
    this.pictures = new Map();
    this.drawn = -1;
    const filmed = recording.streams.some((s) => s.kind === "face");
    setText(byId("face-note"), filmed ? "No video of the face is kept. Expressions were estimated live, and the pictures forgotten." : "No camera took part in this session.");
    byId("face-note").hidden = Boolean(recording.face);
    this.canvas.hidden = !recording.face;
    /** @type {() => void} */
    this.onArrival = () => {};
    if (recording.face) this.list();
  }

  /** Asks when the kept pictures were taken. */
  async list() {
    try {
      this.times = await this.source.faceTimes();
      this.words = this.times.length > 0 ? "" : "No picture can be read";
    } catch (error) {
      this.words = `No pictures: ${reason(error)}`;
      if (unanswered(error)) setTimeout(() => this.list(), againMs);
    }
    this.onArrival();
  }

  /** @param {number} t @param {boolean} playing */
  draw(t, playing) {
    if (this.canvas.hidden) return;
    const i = lastUntil(this.times, t);
    const there = i >= 0 && t - this.times[i] <= staleMs;
    if (there) {
      for (let n = i; n <= Math.min(i + (playing ? ahead : 1), this.times.length - 1); n++) this.fetch(n);
    }
    const picture = there ? this.pictures.get(i) : undefined;
    if (picture instanceof ImageBitmap) this.show(i, picture);
    else if (!picture && there && this.drawn >= 0 && Math.abs(t - this.times[this.drawn]) <= staleMs) return; // the one of a moment ago, until it comes
    else this.clear();
    const missing = typeof picture === "string" ? `No picture: ${picture}` : "Loading";
    setText(byId("face-words"), this.words || (!there ? "No picture of this moment" : this.drawn >= 0 ? "" : missing));
  }

  /** @param {number} i @param {ImageBitmap} picture */
  show(i, picture) {
    if (this.drawn === i) return;
    this.drawn = i;
    if (this.canvas.width !== picture.width || this.canvas.height !== picture.height) {
      [this.canvas.width, this.canvas.height] = [picture.width, picture.height];
      this.canvas.style.setProperty("--aspect", (picture.width / picture.height).toFixed(4));
    }
    this.canvas.getContext("2d")?.drawImage(picture, 0, 0);
  }

  /** What is not of this moment is not left standing. */
  clear() {
    if (this.drawn < 0) return;
    this.drawn = -1;
    this.canvas.getContext("2d")?.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** @param {number} n */
  async fetch(n) {
    if (this.pictures.has(n)) return;
    this.pictures.set(n, null);
    for (const [old, picture] of this.pictures) {
      if (this.pictures.size <= keep) break;
      if (picture instanceof ImageBitmap) picture.close();
      this.pictures.delete(old);
    }
    try {
      this.pictures.set(n, await this.source.face(n));
    } catch (error) {
      this.pictures.set(n, reason(error));
      if (unanswered(error)) {
        setTimeout(() => {
          this.pictures.delete(n);
          this.onArrival();
        }, againMs);
      }
    }
    this.onArrival();
  }
}
