// One live strip: a canvas with a window of time, its newest end at the right.
// It knows how to draw; what it draws is decided in strips.js.

import { fit } from "./canvas.js";

/** @typedef {import("./series.js").Series} Series */
/** @typedef {import("./palette.js").Palette} Palette */

/** The length of all strips. */
export const windowMs = 20_000;
/** A vertical line every five seconds. */
const gridMs = 5_000;

/** @typedef {{from: number, until: number, label: string}} Span a stretch of time, in lab ms */
/** @typedef {{at: number, label: string}} Flag an instant, in lab ms */

export class Strip {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const ctx = canvas.getContext("2d");
    if (!ctx) throw new Error("this browser has no canvas");
    this.canvas = canvas;
    this.ctx = ctx;
    this.width = 0; // CSS px
    this.height = 0;
    this.from = 0; // lab ms at the left edge
    this.low = 0; // value at the bottom
    this.high = 1;
    this.font = "11px sans-serif";
    this.small = 11;
    this.bold = 1; // lines are as heavy as the text
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(canvas);
    this.resize();
  }

  unmount() {
    this.sizes.disconnect();
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    this.width = box.width;
    this.height = box.height;
    fit(this.canvas, this.ctx, box);
    const style = getComputedStyle(this.canvas);
    this.small = parseFloat(style.fontSize) || 11;
    this.bold = Math.max(1, this.small / 11);
    this.font = `${this.small}px ${style.fontFamily}`;
  }

  /** Clears, and sets the window. @param {number} now @param {number} low @param {number} high */
  begin(now, low, high) {
    this.from = now - windowMs;
    this.low = low;
    this.high = high;
    this.ctx.clearRect(0, 0, this.width, this.height);
  }

  /** @param {number} t lab ms */
  x(t) {
    return ((t - this.from) / windowMs) * this.width;
  }

  /** @param {number} v */
  y(v) {
    const pad = 5; // lines at the limits stay whole
    return this.height - pad - ((v - this.low) / (this.high - this.low)) * (this.height - 2 * pad);
  }

  /** Shades the stretches in which a clip was on the screen, with a line at each
   * beginning. @param {Span[]} spans @param {Palette} p @param {boolean} labels */
  bands(spans, p, labels) {
    const { ctx, height } = this;
    ctx.font = this.font;
    ctx.textBaseline = "top";
    for (const s of spans) {
      const x0 = this.x(s.from);
      const x1 = Math.min(this.x(s.until), this.width);
      if (x1 < 0) continue;
      ctx.fillStyle = p.band;
      ctx.fillRect(x0, 0, x1 - x0, height);
      ctx.fillStyle = p.muted;
      if (x0 >= 0) ctx.fillRect(Math.round(x0), 0, Math.round(this.bold), height);
      const at = Math.max(x0 + 5, 2.2 * this.small); // clear of the axis label at the left edge
      if (labels && at + ctx.measureText(s.label).width < x1) ctx.fillText(s.label, at, 2);
    }
  }

  /** Lines through all strips where something was marked, with a letter at one of them.
   * @param {Flag[]} list @param {Palette} p @param {boolean} labels */
  flags(list, p, labels) {
    const { ctx, height } = this;
    ctx.font = this.font;
    ctx.textBaseline = "bottom";
    ctx.fillStyle = p.accent;
    const bold = Math.round(this.bold);
    /** @type {number[]} where the letters of each row end, so that none lies on another */
    const ends = [];
    for (const f of list) {
      const x = Math.round(this.x(f.at));
      if (x < 0) continue;
      for (let y = 0; y < height; y += 6 * bold) ctx.fillRect(x, y, bold, 3 * bold);
      if (!labels) continue;
      const at = x + 3 * bold;
      let row = ends.findIndex((end) => end < at);
      if (row < 0) row = ends.length;
      ends[row] = at + ctx.measureText(f.label).width + bold;
      ctx.fillText(f.label, at, height - 1 - row * this.small);
    }
  }

  /** @param {Palette} p @param {[number, string][]} levels horizontal lines: value, label */
  grid(p, levels) {
    const { ctx, width, height } = this;
    ctx.fillStyle = p.line;
    for (let t = gridMs; t < windowMs; t += gridMs) ctx.fillRect(Math.round((t / windowMs) * width), 0, 1, height);
    for (const [v] of levels) ctx.fillRect(0, Math.round(this.y(v)), width, 1);
  }

  /** The values of the axis, over the lines so that they stay legible.
   * @param {Palette} p @param {[number, string][]} levels */
  labels(p, levels) {
    const { ctx, height } = this;
    ctx.font = this.font;
    ctx.textBaseline = "middle";
    for (const [v, label] of levels) {
      if (!label) continue;
      const y = Math.round(this.y(v));
      const w = ctx.measureText(label).width + 6;
      const at = Math.min(Math.max(y, this.small * 0.6), height - this.small * 0.6);
      ctx.fillStyle = p.panel;
      ctx.fillRect(0, at - this.small * 0.6, w, this.small * 1.2);
      ctx.fillStyle = p.muted;
      ctx.fillText(label, 1, at);
    }
  }

  /** Draws one channel as a line that breaks where something is missing.
   * @param {Series} series @param {string} channel
   * @param {{colour: string, width?: number, dash?: number[], valid?: string}} how
   *   valid: a channel that must be above 0 for a row to count */
  line(series, channel, how) {
    const values = series.column(channel);
    if (!values) return;
    const valid = how.valid ? series.column(how.valid) : undefined;
    const { ctx } = this;
    const [first, end] = series.since(this.from - series.reach);
    ctx.beginPath();
    let last = -Infinity;
    for (let n = first; n < end; n++) {
      const i = series.slot(n);
      const v = values[i];
      const t = series.times[i];
      if (v !== v || (valid && !(valid[i] > 0))) continue;
      const x = this.x(t);
      const y = this.y(v);
      if (t - last > series.reach || t < last || series.gaps[i]) {
        ctx.moveTo(x, y);
      } else {
        ctx.lineTo(x, y);
      }
      last = t;
    }
    ctx.strokeStyle = how.colour;
    ctx.lineWidth = (how.width ?? 1.5) * this.bold;
    ctx.lineJoin = "round";
    ctx.setLineDash(how.dash ?? []);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  /** Short ticks at the bottom where a channel is above 0. @param {Series} series
   * @param {string} channel @param {string} colour */
  ticks(series, channel, colour) {
    const values = series.column(channel);
    if (!values) return;
    const [first, end] = series.since(this.from);
    this.ctx.fillStyle = colour;
    const [half, high] = [Math.round(this.bold), 9 * this.bold];
    for (let n = first; n < end; n++) {
      const i = series.slot(n);
      if (values[i] > 0) this.ctx.fillRect(Math.round(this.x(series.times[i])) - half, this.height - high, 2 * half, high);
    }
  }

  /** Hatches the stretches without a usable row, the present one with its word.
   * @param {Series} series @param {string|undefined} valid channel that must be above 0
   * @param {Palette} p @param {string} word what is missing although the stream delivers
   * @param {CanvasPattern|null} hatch @param {number} now */
  holes(series, valid, p, word, hatch, now) {
    const column = valid ? series.column(valid) : undefined;
    const [first, end] = series.since(this.from - series.reach);
    let last = end > first ? -Infinity : this.from;
    if (end > first && first === 0) last = series.times[series.slot(first)]; // before the page had any data
    for (let n = first; n < end; n++) {
      const i = series.slot(n);
      if (column && !(column[i] > 0)) continue;
      this.hole(Math.max(last, this.from), series.times[i], series.reach, p, "", hatch);
      last = series.times[i];
    }
    const patience = series.reach + 250; // the newest data are always on their way
    if (now - series.lastTime > patience) word = "no data";
    this.hole(Math.max(last, this.from), now, patience, p, word, hatch);
  }

  /** @param {number} t0 @param {number} t1 @param {number} reach @param {Palette} p
   * @param {string} word @param {CanvasPattern|null} hatch */
  hole(t0, t1, reach, p, word, hatch) {
    if (t1 - t0 <= reach) return;
    const { ctx, height } = this;
    const x0 = this.x(t0);
    const x1 = this.x(t1);
    ctx.fillStyle = hatch ?? p.band;
    ctx.fillRect(x0, 0, x1 - x0, height);
    if (!word) return;
    ctx.font = this.font;
    ctx.textBaseline = "middle";
    const w = ctx.measureText(word).width + 12;
    if (x1 - x0 < w + 4) return;
    ctx.fillStyle = p.panel;
    ctx.fillRect(x1 - w - 4, height / 2 - this.small, w, 2 * this.small);
    ctx.fillStyle = p.invalid;
    ctx.fillText(word, x1 - w + 2, height / 2);
  }
}

/** The height of a picture on a usual screen, for which lines over it are measured, in px. */
const usualHeight = 400;

/** How much heavier lines are over a larger picture, so that they are seen as well on it.
 * @param {number} height */
export function boldness(height) {
  return Math.max(1, height / usualHeight);
}

/** The diagonal hatch of invalid stretches. @param {CanvasRenderingContext2D} ctx
 * @param {string} colour @param {number} bold 1, or more where text is larger @returns {CanvasPattern|null} */
export function hatching(ctx, colour, bold) {
  const size = Math.round(8 * bold);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const t = tile.getContext("2d");
  if (!t) return null;
  t.strokeStyle = colour;
  t.globalAlpha = 0.28;
  t.lineWidth = 1.2 * bold;
  t.beginPath();
  for (const d of [-size, 0, size]) {
    t.moveTo(d - 1, size + 1);
    t.lineTo(d + size + 1, -1);
  }
  t.stroke();
  return ctx.createPattern(tile, "repeat");
}
