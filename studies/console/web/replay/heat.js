// Where people looked, over the frame: this person or everybody, in a moving window or
// over the whole clip. The server makes the picture; the page lays it over the clip.

import { reason } from "../api.js";
import { byId, setText } from "../dom.js";
import { count } from "../words.js";
import { notThatClip } from "./screen.js";
import { unanswered } from "./source.js";

/** Width of the moving window, and how finely it moves, ms. */
const windowMs = 500;
const stepMs = 100;
/** Pictures that are kept. */
const keep = 200;
/** After this a map is asked for again that nobody answered about, ms. */
const againMs = 2000;

/** @typedef {{bitmap: ImageBitmap|null, words: string}} Picture bitmap null: there is none, and words say why */
/** @typedef {{of: string, middle: number}} Place which clip and whose, and around which time; 0 of a whole clip */

export class Heat {
  /** @param {import("./source.js").Source} source @param {import("./frames.js").Frames} frames */
  constructor(source, frames) {
    this.source = source;
    this.frames = frames;
    this.on = false;
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("heat"));
    this.who = /** @type {HTMLSelectElement} */ (byId("heat-who"));
    this.span = /** @type {HTMLSelectElement} */ (byId("heat-span"));
    this.opacity = /** @type {HTMLInputElement} */ (byId("heat-opacity"));
    /** @type {Map<string, Picture|null>} null: on its way */
    this.maps = new Map();
    this.busy = false;
    /** @type {{place: Place, map: Picture}|null} what is painted */
    this.drawn = null;
    this.failed = ""; // why the latest was not to be had
    /** @type {() => void} */
    this.onArrival = () => {};
    byId("heat-toggle").onclick = () => this.toggle();
    this.who.onchange = this.span.onchange = () => this.onArrival();
    this.opacity.oninput = () => this.fade();
    this.fade();
  }

  fade() {
    this.canvas.style.opacity = String(Number(this.opacity.value) / 100);
  }

  toggle() {
    this.on = !this.on;
    byId("heat-toggle").setAttribute("aria-pressed", String(this.on));
    byId("heat-settings").hidden = !this.on;
    this.onArrival();
  }

  /** @param {number} t */
  draw(t) {
    const p = this.on ? this.frames.at(t) : undefined;
    const frame = p && this.frames.shown(t)?.frame;
    const whole = this.span.value === "clip";
    const all = this.who.value === "all";
    const other = p && all && !p.clip; // the lab's clip of that name is another one
    this.canvas.hidden = !p || !frame || Boolean(other);
    if (!p || !frame || other) {
      setText(byId("heat-words"), !this.on ? "" : other ? notThatClip : "No clip here");
      return;
    }
    const middle = whole ? 0 : Math.round((all ? frame.media_ms : t) / stepMs) * stepMs;
    const of = `${this.who.value} ${all ? p.stimulus : p.presentation} ${this.span.value}`;
    const key = `${of} ${middle}`;
    const known = this.maps.get(key);
    if (known === undefined && !this.busy) {
      const clip = this.frames.clip(p)?.shown ?? [];
      const until = whole ? (clip.at(-1)?.media_ms ?? 0) : middle + windowMs / 2;
      this.fetch(key, all
        ? () => this.source.heatOfAll(p.stimulus, whole ? 0 : Math.max(0, middle - windowMs / 2) / 1000, until / 1000)
        : () => this.source.heat(p.presentation, whole ? p.from_ms : Math.max(p.from_ms, middle - windowMs / 2), whole ? p.until_ms : Math.min(p.until_ms, until)));
    }
    const drawn = this.drawn?.place;
    if (known) this.paint({ of, middle }, known);
    else if (drawn?.of !== of || Math.abs(drawn.middle - middle) > windowMs) { // what is painted is of something else
      this.clear(this.failed || "Loading");
    }
  }

  /** @param {string} key @param {() => Promise<{bitmap: ImageBitmap, headers: Headers}>} ask */
  async fetch(key, ask) {
    this.busy = true;
    this.maps.set(key, null);
    for (const [old, map] of this.maps) {
      if (this.maps.size <= keep) break;
      map?.bitmap?.close();
      this.maps.delete(old);
    }
    try {
      const { bitmap, headers } = await ask();
      const fixations = Number(headers.get("X-Emolab-Fixations") ?? NaN);
      this.maps.set(key, { bitmap, words: Number.isFinite(fixations) ? `${count(fixations)} ${fixations === 1 ? "fixation" : "fixations"}` : "" });
      this.failed = "";
    } catch (error) {
      this.failed = `No map: ${reason(error)}`;
      this.maps.set(key, { bitmap: null, words: this.failed });
      if (unanswered(error)) {
        setTimeout(() => {
          this.maps.delete(key);
          this.onArrival();
        }, againMs);
      }
    }
    this.busy = false;
    this.onArrival();
  }

  /** @param {Place} place @param {Picture} map */
  paint(place, map) {
    if (!map.bitmap) this.clear(map.words);
    else if (this.drawn?.map !== map) {
      [this.canvas.width, this.canvas.height] = [map.bitmap.width, map.bitmap.height];
      this.canvas.getContext("2d")?.drawImage(map.bitmap, 0, 0);
      setText(byId("heat-words"), map.words);
    }
    if (map.bitmap) this.drawn = { place, map };
  }

  /** No map, and why. @param {string} words */
  clear(words) {
    setText(byId("heat-words"), words);
    this.drawn = null;
    this.canvas.width = this.canvas.height = 1;
  }
}
