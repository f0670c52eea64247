// One panel of traces: a uPlot that shows what it is given and tells what is pointed at.

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { make, setText } from "../dom.js";
import { hatching } from "../strip.js";
import { number } from "../words.js";
import { ticks } from "./ruler.js";

/** @typedef {import("./panels.js").Panel} Panel */
/** @typedef {import("../palette.js").Palette} Palette */
/** @typedef {(number|null)[]} Values */

/** Width of the value axis in root font sizes; replay.css has it too (--axis). */
const axisRem = 3;
/** A pointer that moved less than this was a click, px. */
const clickPx = 3;
const pxPerTick = 90;
/** How uPlot.join takes what was not measured. */
const expandNulls = 2;

/**
 * @typedef {{seek: (t: number) => void, zoomTo: (from: number, until: number) => void, select: (from: number, until: number) => void,
 *   all: () => void, zoom: (factor: number, at: number) => void, pan: (share: number) => void, hover: (t: number|null) => void}} Gestures
 * @typedef {{bands: import("./types.js").Band[], clips: import("./types.js").Presentation[], responses: number[]}} Scene
 */

export class Chart {
  /** @param {Panel} panel @param {Palette} palette @param {Gestures} gestures @param {Scene} scene */
  constructor(panel, palette, gestures, scene) {
    this.panel = panel;
    this.palette = palette;
    this.gestures = gestures;
    this.scene = scene;
    this.plot = make("div", "plot");
    this.readout = panel.lines.map((l) => {
      const value = make("dd", "num", "–");
      const key = make("dt", "key", l.label);
      key.style.setProperty("--k", `var(--${l.colour})`);
      if (l.dash) key.classList.add("dashed");
      return { row: make("div", "row", key, value), value };
    });
    this.element = make("div", "panel",
      make("h3", "", panel.title, make("span", "quiet", panel.unit)),
      this.plot, make("dl", `readout${panel.lines.length > 3 ? " many" : ""}`, ...this.readout.map((r) => r.row)));
    this.element.style.setProperty("--grow", String(panel.grow));
    /** @type {uPlot.AlignedData} undefined where only another line has a value: no hole */
    this.data = [[], ...panel.lines.map(() => [])];
    /** @type {uPlot|undefined} */
    this.u = undefined;
    this.weight = 1; // lines are as heavy as the text
    this.shift = false;
  }

  /** Draws it for the first time, or anew in another size. @param {number} from @param {number} until */
  build(from, until) {
    this.u?.destroy();
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const box = this.plot.getBoundingClientRect();
    const { palette, panel } = this;
    const font = `${(0.72 * rem).toFixed(1)}px ${getComputedStyle(this.plot).fontFamily}`;
    const weight = Math.max(1, rem / 12);
    this.weight = weight;
    this.u = new uPlot({
      width: Math.max(50, box.width), height: Math.max(30, box.height),
      legend: { show: false }, padding: [0.35 * rem, 0, 0.35 * rem, 0],
      cursor: {
        y: false, drag: { x: true, y: false, setScale: false }, sync: { key: "replay", setSeries: false }, points: { show: false },
        bind: { dblclick: () => () => { this.gestures.all(); return null; } },
      },
      scales: { x: { time: false, auto: false, min: from, max: until }, y: panel.range ? { auto: false, range: panel.range } : { range: widened } },
      axes: [
        { size: 0, gap: 0, ticks: { show: false }, values: () => [], grid: { stroke: palette.line, width: 1 }, splits: (u, _axis, min, max) => ticks(min, max, u.width / pxPerTick) },
        {
          size: axisRem * rem, gap: 0.4 * rem, font, stroke: palette.muted, ticks: { show: false }, grid: { stroke: palette.line, width: 1 },
          space: 1.6 * rem, ...(panel.levels ? { splits: () => panel.levels ?? [] } : {}),
          values: (_u, splits) => splits.map((v) => number(v, panel.range ? (Number.isInteger(v) ? 0 : 1) : digitsOf(splits))),
        },
      ],
      series: [{}, ...panel.lines.map((l) => ({ stroke: palette[l.colour], width: 1.25 * weight, dash: l.dash, points: { show: false } }))],
      hooks: {
        drawClear: [(u) => this.background(u)],
        draw: [(u) => this.foreground(u)],
        setSelect: [(u) => this.selected(u)],
        setCursor: [(u) => this.hovered(u)],
      },
    }, this.data, this.plot);
    this.listen(this.u);
  }

  /** @param {uPlot} u */
  listen(u) {
    let down = 0;
    u.over.addEventListener("mousedown", (event) => {
      down = event.clientX;
      this.shift = event.shiftKey;
    });
    u.over.addEventListener("click", (event) => {
      if (Math.abs(event.clientX - down) <= clickPx) this.gestures.seek(u.posToVal(event.clientX - u.over.getBoundingClientRect().left, "x"));
    });
    u.over.addEventListener("wheel", (event) => {
      event.preventDefault();
      const rect = u.over.getBoundingClientRect();
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.gestures.pan((event.deltaX || event.deltaY) / rect.width);
      else this.gestures.zoom(Math.exp(event.deltaY / 400), u.posToVal(event.clientX - rect.left, "x"));
    }, { passive: false });
    u.over.addEventListener("mouseleave", () => this.gestures.hover(null));
  }

  /** @param {uPlot} u */
  hovered(u) {
    if (u.cursor.event && (u.cursor.left ?? -1) >= 0) this.gestures.hover(u.posToVal(u.cursor.left ?? 0, "x"));
  }

  /** @param {uPlot} u */
  selected(u) {
    const { left, width } = u.select;
    if (width <= clickPx) return;
    const [from, until] = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (this.shift) this.gestures.select(from, until);
    else this.gestures.zoomTo(from, until);
  }

  /** @param {[number[], ...Values[]][]} tables of the streams, in the order of the lines @param {number} from @param {number} until */
  set(tables, from, until) {
    // A hole of one stream lies among the rows of another: it is as wide as its own rows are apart.
    this.data = uPlot.join(/** @type {any} */ (tables), tables.map((table) => table.map(() => expandNulls)));
    this.u?.setData(this.data, false);
    this.show(from, until);
  }

  /** @param {number} from @param {number} until */
  show(from, until) {
    this.u?.setScale("x", { min: from, max: until });
  }

  /** Clips as pale bands with a line where each begins, and hatching where nothing can be used. @param {uPlot} u */
  background(u) {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const x = (/** @type {number} */ t) => Math.min(left + width, Math.max(left, u.valToPos(t, "x", true)));
    ctx.save();
    for (const clip of this.scene.clips) {
      const [x0, x1] = [x(clip.from_ms), x(clip.until_ms)];
      if (x1 <= x0) continue;
      ctx.fillStyle = this.palette.band;
      ctx.fillRect(x0, top, x1 - x0, height);
    }
    const hatch = hatching(ctx, this.palette.invalid, this.weight * (window.devicePixelRatio || 1));
    ctx.fillStyle = hatch ?? this.palette.band;
    for (const band of this.scene.bands) {
      if (band.kind !== this.panel.kind) continue;
      const [x0, x1] = [x(band.from_ms), x(band.until_ms)];
      if (x1 > x0) ctx.fillRect(x0, top, Math.max(1, x1 - x0), height);
    }
    ctx.restore();
  }

  /** A tick at the bottom for each response of the skin. @param {uPlot} u */
  foreground(u) {
    if (!this.panel.responses) return;
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const tick = 0.7 * parseFloat(getComputedStyle(this.plot).fontSize) * (window.devicePixelRatio || 1);
    ctx.fillStyle = this.palette.accent;
    for (const t of this.scene.responses) {
      const x = u.valToPos(t, "x", true);
      if (x >= left && x <= left + width) ctx.fillRect(Math.round(x - tick / 10), top + height - tick, tick / 5, tick);
    }
  }

  /** Tells the values of a moment. @param {(line: import("./panels.js").Line) => number} value NaN where nothing was measured */
  read(value) {
    this.panel.lines.forEach((l, n) => setText(this.readout[n].value, number(value(l), l.digits)));
  }

  destroy() {
    this.u?.destroy();
    this.element.remove();
  }
}

/** Some air above and below what varies, and never a scale of nothing. @param {uPlot} _u @param {number|null} low @param {number|null} high
 * @returns {[number, number]} */
function widened(_u, low, high) {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const air = Math.max((high - low) * 0.1, Math.abs(high) * 0.005, 0.005);
  return [low - air, high + air];
}

/** As many digits as tell the levels of an axis apart. @param {number[]} splits */
function digitsOf(splits) {
  const apart = splits.length > 1 ? Math.abs(splits[1] - splits[0]) : 1;
  return Math.min(3, Math.max(0, Math.ceil(-Math.log10(apart) - 1e-9)));
}
