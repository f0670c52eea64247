// Where people looked, over the frame: this person or everybody, in a moving window or
// over the whole clip. The server makes the picture; the page lays it over the clip.

import { byId, setText } from "../dom.js";
import { count } from "../words.js";

/** Width of the moving window, and how finely it moves, ms. */
const windowMs = 500;
const stepMs = 100;
/** Pictures that are kept. */
const keep = 200;

/** @typedef {{bitmap: ImageBitmap|null, words: string}} Picture bitmap null: there is none, and words say why */

export class Heat {
  /** @param {import("./api.js").Source} source @param {import("./frames.js").Frames} frames */
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
    this.drawn = "";
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
    this.canvas.hidden = !p || !frame;
    if (!p || !frame) {
      setText(byId("heat-words"), this.on ? "No clip here" : "");
      return;
    }
    const whole = this.span.value === "clip";
    const all = this.who.value === "all";
    const middle = Math.round((all ? frame.media_ms : t) / stepMs) * stepMs;
    const key = `${this.who.value} ${all ? p.stimulus : p.presentation} ${whole ? "clip" : middle}`;
    const known = this.maps.get(key);
    if (known === undefined && !this.busy) {
      const clip = this.frames.clip(p)?.shown ?? [];
      const until = whole ? (clip.at(-1)?.media_ms ?? 0) : middle + windowMs / 2;
      this.fetch(key, all
        ? () => this.source.heatOfAll(p.stimulus, whole ? 0 : Math.max(0, middle - windowMs / 2) / 1000, until / 1000)
        : () => this.source.heat(p.presentation, whole ? p.from_ms : Math.max(p.from_ms, middle - windowMs / 2), whole ? p.until_ms : Math.min(p.until_ms, until)));
    }
    if (known && this.drawn !== key) this.paint(key, known);
  }

  /** @param {string} key @param {() => Promise<{bitmap: ImageBitmap, headers: Headers}>} ask */
  async fetch(key, ask) {
    this.busy = true;
    for (const [old, map] of this.maps) {
      if (this.maps.size < keep) break;
      map?.bitmap?.close();
      this.maps.delete(old);
    }
    try {
      const { bitmap, headers } = await ask();
      const fixations = Number(headers.get("X-Emolab-Fixations") ?? NaN);
      this.maps.set(key, { bitmap, words: Number.isFinite(fixations) ? `${count(fixations)} ${fixations === 1 ? "fixation" : "fixations"}` : "" });
    } catch (error) {
      this.maps.set(key, { bitmap: null, words: error instanceof Error ? error.message : String(error) });
    }
    this.busy = false;
    this.onArrival();
  }

  /** @param {string} key @param {Picture} map */
  paint(key, map) {
    this.drawn = key;
    setText(byId("heat-words"), map.words);
    this.canvas.width = map.bitmap?.width ?? 1;
    this.canvas.height = map.bitmap?.height ?? 1;
    if (map.bitmap) this.canvas.getContext("2d")?.drawImage(map.bitmap, 0, 0);
  }
}
