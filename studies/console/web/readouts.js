// The numbers beside the strips.

import { byId, make, setText } from "./dom.js";
import { number, signed } from "./words.js";

/** @typedef {import("./series.js").Rings} Rings */
/** @typedef {import("./series.js").Series} Series */

/** Channel, name and line dash; two dashes for those that colour alone tells apart badly.
 * @type {[string, string, number[]][]} */
export const expressions = [
  ["p_neutral", "neutral", []],
  ["p_happy", "happy", []],
  ["p_surprised", "surprised", []],
  ["p_sad", "sad", []],
  ["p_angry", "angry", []],
  ["p_fearful", "fearful", [5, 3]],
  ["p_disgusted", "disgusted", [5, 3]],
];

/** The numbers beside the strips. */
export class Readouts {
  constructor() {
    this.expression = new Map(expressions.map(([channel, name]) => {
      const value = make("dd", "num");
      const row = make("div", "row", make("dt", `key key-${name}`, name), value);
      byId("read-expression").append(row);
      return [channel, { row, value }];
    }));
    this.valence = entry("read-valence", "valence", "big");
    this.arousal = entry("read-valence", "arousal", "key key-dashed");
    this.eda = entry("read-eda", "µS", "big");
    this.level = entry("read-eda", "level", "key key-dashed");
    this.x = entry("read-gaze", "x", "key key-x");
    this.y = entry("read-gaze", "y", "key key-y");
    this.left = entry("read-pupil", "left mm", "key key-x");
    this.right = entry("read-pupil", "right mm", "key key-y");
  }

  /** @param {Rings} lab @param {number} now */
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
    setText(this.left, number(gaze ? gaze.last("pupil_left_mm") : NaN, 1));
    setText(this.right, number(gaze ? gaze.last("pupil_right_mm") : NaN, 1));
  }
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
