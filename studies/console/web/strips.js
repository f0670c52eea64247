// The four strips under one time axis: expression, valence, skin conductance,
// gaze; and the numbers beside them.

import { byId, make, setText } from "./dom.js";
import { readPalette } from "./palette.js";
import { Strip, hatching, windowMs } from "./strip.js";
import { number, signed } from "./words.js";

/** @typedef {import("./series.js").Lab} Lab */
/** @typedef {import("./series.js").Series} Series */
/** @typedef {import("./strip.js").Span} Span */

/** Channel, name and line dash; two dashes for those that colour alone tells apart badly.
 * @type {[string, string, number[]][]} */
const expressions = [
  ["p_neutral", "neutral", []],
  ["p_happy", "happy", []],
  ["p_surprised", "surprised", []],
  ["p_sad", "sad", []],
  ["p_angry", "angry", []],
  ["p_fearful", "fearful", [5, 3]],
  ["p_disgusted", "disgusted", [5, 3]],
];

/** The axes that never change. @type {[number, string][]} */
const unit = [[0, "0"], [1, "1"]];
/** @type {[number, string][]} */
const plusMinus = [[-1, "−1"], [0, "0"], [1, "+1"]];

/** A clip that sends no frames for this long is not on the screen any more. */
const clipSilentMs = 1000;
/** The smallest range of the skin-conductance axis, in µS: noise must not look like a response. */
const leastRangeUS = 0.5;
/** Room for the names of the clips above a probability of 1, as a share of the axis. */
const labelRoom = 0.16;
/** Numbers change at this pace; faster cannot be read. */
const readMs = 200;

export class Strips {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.expression = new Strip(canvasOf("strip-expression"));
    this.valence = new Strip(canvasOf("strip-valence"));
    this.eda = new Strip(canvasOf("strip-eda"));
    this.gaze = new Strip(canvasOf("strip-gaze"));
    this.edaLow = NaN;
    this.edaHigh = NaN;
    /** @type {(presentation: number) => string} */
    this.stimulusOf = () => "";
    this.nextRead = 0;
    this.blind = false;
    this.readouts = new Readouts();
    this.restyle();
  }

  /** Draws nothing, and says why, or draws again. @param {string} why "" to draw */
  veil(why) {
    this.blind = why !== "";
    byId("strips-veil").hidden = !this.blind;
    if (this.blind) this.edaLow = this.edaHigh = NaN; // an axis tells where a skin was, too
    if (why) setText(byId("strips-veil"), why);
  }

  /** After a change of theme. */
  restyle() {
    this.palette = readPalette();
    this.hatch = hatching(this.expression.ctx, this.palette.invalid);
    for (const s of [this.expression, this.valence, this.eda, this.gaze]) s.resize();
  }

  /** @param {number} now lab ms */
  draw(now) {
    const p = this.palette ?? readPalette();
    const hatch = this.hatch ?? null;
    const spans = clips(this.lab.of("stimulus"), now, this.stimulusOf);
    const seen = (/** @type {string} */ kind) => (this.blind ? undefined : this.lab.of(kind));
    const face = seen("face");
    const eda = seen("eda");
    const gaze = seen("gaze");
    const trace = this.lab.of("trace");

    const e = this.expression;
    e.begin(now, 0, 1 + labelRoom);
    e.bands(spans, p, true);
    e.grid(p, unit);
    if (face) {
      e.holes(face, "face_found", p, "no face", hatch, now);
      for (const [channel, name, dash] of expressions) {
        e.line(face, channel, { colour: p[`c-${name}`], width: 1.6, dash, valid: "face_found" });
      }
    }

    e.labels(p, unit);

    const v = this.valence;
    v.begin(now, -1, 1);
    v.bands(spans, p, false);
    v.grid(p, plusMinus);
    if (face) {
      v.holes(face, "face_found", p, "no face", hatch, now);
      v.line(face, "valence", { colour: p.ink, valid: "face_found" });
    }
    v.labels(p, plusMinus);

    const s = this.eda;
    if (eda) this.fitEDA(eda, now);
    s.begin(now, Number.isNaN(this.edaLow) ? 0 : this.edaLow, Number.isNaN(this.edaHigh) ? 1 : this.edaHigh);
    s.bands(spans, p, false);
    const scale = Number.isNaN(this.edaLow) ? [] : levels(this.edaLow, this.edaHigh);
    s.grid(p, scale);
    if (eda) {
      s.holes(eda, "eda_us", p, "no skin contact", hatch, now);
      if (trace) {
        s.line(trace, "scl_us", { colour: p.muted, width: 1.2, dash: [4, 4] });
        s.ticks(trace, "scr_onset", p.accent);
      }
      s.line(eda, "eda_us", { colour: p.ink, valid: "eda_us" });
    }
    s.labels(p, scale);

    const g = this.gaze;
    g.begin(now, -0.02, 1.02);
    g.bands(spans, p, false);
    g.grid(p, unit);
    if (gaze) {
      g.holes(gaze, "gaze_valid", p, "no eyes", hatch, now);
      g.line(gaze, "gaze_x", { colour: p.ink, valid: "gaze_valid" });
      g.line(gaze, "gaze_y", { colour: p.accent, valid: "gaze_valid" });
    }
    g.labels(p, unit);

    if (now >= this.nextRead || now < this.nextRead - 2 * readMs) {
      this.nextRead = now + readMs;
      this.readouts.show(this.lab, now);
    }
  }

  /** Keeps the range of the axis still: it grows at once and shrinks only when
   * half of it is empty. @param {Series} eda @param {number} now */
  fitEDA(eda, now) {
    const values = eda.column("eda_us");
    if (!values) return;
    let lo = Infinity;
    let hi = -Infinity;
    const [first, end] = eda.since(now - windowMs);
    for (let n = first; n < end; n++) {
      const v = values[eda.slot(n)];
      if (!(v > 0)) continue; // an open circuit is a hole, not a value
      if (v < lo) lo = v;
      if (v > hi) hi = v;
    }
    if (lo > hi) return;
    const room = Math.max(hi - lo, leastRangeUS);
    const shown = this.edaHigh - this.edaLow;
    if (lo >= this.edaLow && hi <= this.edaHigh && shown < 2.6 * room) return;
    const middle = (lo + hi) / 2;
    const step = tickStep(room * 1.4);
    this.edaLow = Math.max(0, Math.floor((middle - room * 0.7) / step) * step);
    this.edaHigh = Math.ceil((middle + room * 0.7) / step) * step;
  }
}

/** The numbers beside the strips. */
class Readouts {
  constructor() {
    this.expression = new Map(expressions.map(([channel, name]) => {
      const value = make("dd", "num");
      const row = make("div", "row", make("dt", `key key-${name}`, name), value);
      byId("read-expression").append(row);
      return [channel, { row, value }];
    }));
    this.valence = entry("read-valence", "valence", "big");
    this.arousal = entry("read-valence", "arousal");
    this.eda = entry("read-eda", "µS", "big");
    this.level = entry("read-eda", "level");
    this.x = entry("read-gaze", "x", "key key-x");
    this.y = entry("read-gaze", "y", "key key-y");
    this.pupil = entry("read-gaze", "pupil mm");
  }

  /** @param {Lab} lab @param {number} now */
  show(lab, now) {
    const face = fresh(lab.of("face"), now, "face_found");
    let top = "";
    let best = 0;
    for (const [channel] of expressions) {
      const v = face ? face.last(channel) : NaN;
      if (v > best) [top, best] = [channel, v];
    }
    for (const [channel, { row, value }] of this.expression) {
      setText(value, percent(face ? face.last(channel) : NaN));
      row.classList.toggle("top", channel === top);
    }
    setText(this.valence, signed(face ? face.last("valence") : NaN));
    setText(this.arousal, signed(face ? face.last("arousal") : NaN));
    const eda = fresh(lab.of("eda"), now, "eda_us");
    setText(this.eda, number(eda ? eda.last("eda_us") : NaN, 2));
    const trace = fresh(lab.of("trace"), now);
    setText(this.level, number(trace ? trace.last("scl_us") : NaN, 2));
    if (this.level.parentElement) this.level.parentElement.hidden = !trace;
    const gaze = fresh(lab.of("gaze"), now, "gaze_valid");
    setText(this.x, number(gaze ? gaze.last("gaze_x") : NaN, 2));
    setText(this.y, number(gaze ? gaze.last("gaze_y") : NaN, 2));
    setText(this.pupil, number(gaze ? mean(gaze.last("pupil_left_mm"), gaze.last("pupil_right_mm")) : NaN, 1));
  }
}

/** @param {string} id @returns {HTMLCanvasElement} */
function canvasOf(id) {
  const canvas = byId(id).querySelector("canvas");
  if (!canvas) throw new Error(`#${id} has no canvas`);
  return canvas;
}

/** @param {string} list @param {string} name @param {string} [style] */
function entry(list, name, style) {
  const value = make("dd", "num");
  const key = make("dt", style?.startsWith("key") ? style : "", name);
  byId(list).append(make("div", style === "big" ? "row big" : "row", key, value));
  return value;
}

/** The series if its latest row is recent and valid. @param {Series|undefined} s
 * @param {number} now @param {string} [valid] */
function fresh(s, now, valid) {
  if (!s || now - s.lastTime > s.reach + 500) return undefined;
  return valid && !(s.last(valid) > 0) ? undefined : s;
}

/** @param {number} v */
function percent(v) {
  return Number.isFinite(v) ? `${Math.round(v * 100)} %` : "–";
}

/** The mean of those that are known. @param {number} a @param {number} b */
function mean(a, b) {
  if (Number.isNaN(a)) return b;
  return Number.isNaN(b) ? a : (a + b) / 2;
}

/** 1, 2 or 5 times a power of ten: four steps or so in a range. @param {number} range */
function tickStep(range) {
  const raw = range / 4;
  const ten = 10 ** Math.floor(Math.log10(raw));
  const m = raw / ten;
  return ten * (m > 5 ? 10 : m > 2 ? 5 : m > 1 ? 2 : 1);
}

/** @param {number} low @param {number} high @returns {[number, string][]} */
function levels(low, high) {
  const step = tickStep(high - low);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  /** @type {[number, string][]} */
  const list = [];
  for (let v = low; v <= high + step / 100; v += step) list.push([v, number(v, digits)]);
  // Only the ends carry a label: the lines between them are plain from these.
  return list.map(([v, label], i) => [v, i === 0 || i === list.length - 1 ? label : ""]);
}

/** When which clip was on the screen. A row of the stimulus stream is in force
 * until the next one.
 * @param {Series|undefined} stimulus @param {number} now
 * @param {(presentation: number) => string} name @returns {Span[]} */
export function clips(stimulus, now, name) {
  /** @type {Span[]} */
  const spans = [];
  const presentation = stimulus?.column("presentation");
  if (!stimulus || !presentation) return spans;
  const [first, end] = stimulus.since(now - windowMs - clipSilentMs);
  let current = 0;
  let last = -Infinity;
  for (let n = first; n < end; n++) {
    const i = stimulus.slot(n);
    const t = stimulus.times[i];
    const open = spans[spans.length - 1];
    if (current > 0 && open) open.until = Math.min(t, last + clipSilentMs);
    if (presentation[i] > 0 && (presentation[i] !== current || t - last > clipSilentMs)) {
      spans.push({ from: t, until: t, label: name(presentation[i]) });
    }
    current = presentation[i];
    last = t;
  }
  const open = spans[spans.length - 1];
  if (current > 0 && open) open.until = Math.min(now, last + clipSilentMs);
  return spans;
}
