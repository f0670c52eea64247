// The strips under one time axis: expression, valence, skin conductance, pupil, gaze; the
// lines of the marks through all of them, and the numbers beside them.

import { byId, setText } from "../dom.js";
import { readPalette } from "../palette.js";
import { unseen } from "../phase.js";
import { Readouts, expressions } from "../readouts.js";
import { Strip, hatching, windowMs } from "../strip.js";
import { number } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../series.js").Rings} Rings */
/** @typedef {import("../strip.js").Flag} Flag */
/** @typedef {import("../types.js").Report} Report */
/** @typedef {import("../series.js").Series} Series */
/** @typedef {import("../strip.js").Span} Span */

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

/** The smallest range of the pupil's axis, in mm. */
const leastRangeMM = 0.5;
/** How marks are named at their line; alarms and such of the program itself have none. */
const markNames = /** @type {Record<string, string>} */ ({ marker: "M", note: "N", distraction: "D", technical: "T", external: "E" });

/** @param {HTMLElement} _ @param {Lab} lab @returns {import("../lab.js").Panel} */
export function mount(_, lab) {
  const strips = new Strips(lab.rings);
  return {
    update: (report) => strips.update(report),
    draw: (now) => strips.draw(now),
    restyle: () => strips.restyle(),
    unmount: () => strips.unmount(),
  };
}

class Strips {
  /** @param {Rings} rings */
  constructor(rings) {
    this.lab = rings;
    this.expression = new Strip(canvasOf("strip-expression"));
    this.valence = new Strip(canvasOf("strip-valence"));
    this.eda = new Strip(canvasOf("strip-eda"));
    this.pupil = new Strip(canvasOf("strip-pupil"));
    this.gaze = new Strip(canvasOf("strip-gaze"));
    this.all = [this.expression, this.valence, this.eda, this.pupil, this.gaze];
    this.edaRange = new Range(["eda_us"], leastRangeUS);
    this.pupilRange = new Range(["pupil_left_mm", "pupil_right_mm"], leastRangeMM);
    /** @type {Flag[]} the marks, by lab ms */
    this.flags = [];
    /** @type {(presentation: number) => string} */
    this.stimulusOf = () => "";
    this.nextRead = 0;
    this.veiled = false;
    this.blind = false;
    this.readouts = new Readouts();
    this.hatched = 0; // for which weight of lines the hatch is made
    /** @type {CanvasPattern|null} */
    this.hatch = null;
    this.restyle();
  }

  /** @param {Report} report */
  update({ status, now_ms }) {
    if (status.plan.steps?.length) { // after the session its clips are still on the strips
      const names = new Map(status.plan.steps.map((s) => [s.presentation ?? 0, s.stimulus ?? ""]));
      this.stimulusOf = (presentation) => names.get(presentation) ?? `clip ${presentation}`;
    }
    this.flags = (status.marks ?? []).filter((m) => markNames[m.kind]).map((m) => ({ at: now_ms - m.age_ms, label: markNames[m.kind] }));
    const why = unseen(status);
    this.veiled = why !== "";
    byId("strips-veil").hidden = !this.veiled;
    if (this.veiled) for (const range of [this.edaRange, this.pupilRange]) range.forget(); // an axis tells where a skin was, too
    if (why) setText(byId("strips-veil"), why);
    this.blind = Boolean(status.blind);
    for (const id of ["strip-expression", "strip-valence"]) byId(id).classList.toggle("hidden-blind", this.blind);
  }

  unmount() {
    for (const s of this.all) s.unmount();
  }

  /** After a change of theme. */
  restyle() {
    this.palette = readPalette();
    for (const s of this.all) s.resize();
    this.hatched = 0;
  }

  /** @param {number} now lab ms */
  draw(now) {
    if (now >= this.nextRead || now < this.nextRead - 2 * readMs) {
      this.nextRead = now + readMs;
      this.readouts.show(this.lab, now);
    }
    if (this.expression.width === 0) return; // something else stands where the strips do
    const p = this.palette ?? readPalette();
    if (this.hatched !== this.expression.bold) { // the theme or the size of the text is another
      this.hatched = this.expression.bold;
      this.hatch = hatching(this.expression.ctx, p.invalid, this.hatched);
    }
    const { hatch } = this;
    const spans = clips(this.lab.of("stimulus"), now, this.stimulusOf);
    const seen = (/** @type {string} */ kind) => (this.veiled ? undefined : this.lab.of(kind));
    const face = this.blind ? undefined : seen("face");
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
      v.line(face, "arousal", { colour: p.muted, width: 1.2, dash: [4, 4], valid: "face_found" });
      v.line(face, "valence", { colour: p.ink, valid: "face_found" });
    }
    v.labels(p, plusMinus);

    const s = this.eda;
    if (eda) this.edaRange.fit(eda, now);
    const scale = this.edaRange.begin(s, now);
    s.bands(spans, p, false);
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

    const u = this.pupil;
    if (gaze) this.pupilRange.fit(gaze, now);
    const size = this.pupilRange.begin(u, now);
    u.bands(spans, p, false);
    u.grid(p, size);
    if (gaze) {
      u.holes(gaze, "gaze_valid", p, "no eyes", hatch, now);
      u.line(gaze, "pupil_right_mm", { colour: p.accent, width: 1.2, valid: "gaze_valid" });
      u.line(gaze, "pupil_left_mm", { colour: p.ink, valid: "gaze_valid" });
    }
    u.labels(p, size);

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
    for (const strip of this.all) strip.flags(this.flags, p, strip === this.gaze);
  }
}

/** The range of an axis that follows its values and keeps still as long as it can. */
export class Range {
  /** @param {string[]} channels @param {number} least its smallest extent */
  constructor(channels, least) {
    this.channels = channels;
    this.least = least;
    this.low = NaN;
    this.high = NaN;
  }

  forget() {
    this.low = this.high = NaN;
  }

  /** @param {Strip} strip @param {number} now @returns {[number, string][]} the lines of its axis */
  begin(strip, now) {
    const known = !Number.isNaN(this.low);
    strip.begin(now, known ? this.low : 0, known ? this.high : 1);
    return known ? levels(this.low, this.high) : [];
  }

  /** It grows at once, and shrinks only when half of it is empty.
   * @param {Series} series @param {number} now */
  fit(series, now) {
    let lo = Infinity;
    let hi = -Infinity;
    const [first, end] = series.since(now - windowMs);
    for (const channel of this.channels) {
      const values = series.column(channel);
      for (let n = first; values && n < end; n++) {
        const v = values[series.slot(n)];
        if (!(v > 0)) continue; // an open circuit or a closed eye is a hole, not a value
        if (v < lo) lo = v;
        if (v > hi) hi = v;
      }
    }
    if (lo > hi) return;
    const room = Math.max(hi - lo, this.least);
    const shown = this.high - this.low;
    if (lo >= this.low && hi <= this.high && shown < 2.6 * room) return;
    const middle = (lo + hi) / 2;
    const step = tickStep(room * 1.4);
    this.low = Math.max(0, Math.floor((middle - room * 0.7) / step) * step);
    this.high = Math.ceil((middle + room * 0.7) / step) * step;
  }
}

/** @param {string} id @returns {HTMLCanvasElement} */
function canvasOf(id) {
  const canvas = byId(id).querySelector("canvas");
  if (!canvas) throw new Error(`#${id} has no canvas`);
  return canvas;
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
