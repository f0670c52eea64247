// The clip as it was on the screen at the cursor, with gaze and fixations over it. The
// clip's own pixels are shown upright and in its own shape; all places are fractions of it.

import { ask, reason } from "../api.js";
import { byId, make, setText } from "../dom.js";
import { boldness } from "../strip.js";
import { lastUntil } from "./frames.js";
import { unanswered } from "./source.js";
import { clock, short } from "../words.js";

/** @typedef {import("./types.js").Presentation} Presentation */

/** A clip that plays is put right by a jump beyond this, by a change of pace below it, s. */
const jumpS = 0.25;
/** Into a frame, so that rounding never shows the one before it, s. */
const intoFrameS = 0.002;
/** How much of the gaze path is drawn, ms. */
const trailMs = 700;
/** For how long a fixation that has ended is drawn, ms. */
const fixationMs = 1500;
/** Gaze older than this is not where the eyes are, ms. */
const gazeStaleMs = 120;
const usualAspect = 9 / 16;
/** After this a clip is asked for again that nobody answered about, ms. */
const againMs = 3000;

/** What is said of a clip that the lab has replaced or given away. */
export const notThatClip = "The lab has not got this clip any more";

/** What the participant saw beside clips, by the action of a step. @type {Record<string, string>} */
const words = {
  fixation: "Fixation cross", neutral: "Neutral face: fixation cross", rest: "Rest", breath: "Deep breath", fill: "The participant read or answered",
  calibrate: "Gaze calibration", validate: "Gaze validation", camera: "Seat and light", begin: "Waiting for the experimenter", play: "Blank, before or after the clip",
};

export class Screen {
  /** @param {import("./frames.js").Frames} frames @param {import("./types.js").Recording} recording */
  constructor(frames, recording) {
    this.frames = frames;
    this.recording = recording;
    this.box = byId("clip");
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("gaze"));
    const ctx = this.canvas.getContext("2d");
    if (!ctx) throw new Error("this browser has no canvas");
    this.ctx = ctx;
    /** @type {Map<string, HTMLVideoElement>} */
    this.videos = new Map();
    /** @type {import("./types.js").Fixation[]} */
    this.fixations = [];
    this.showGaze = true;
    this.sound = false;
    this.width = 0;
    this.height = 0;
    /** Called when the picture has another size or shape. @type {() => void} */
    this.onResize = () => {};
    /** Called when a clip has come to the frame that it was sent to. @type {() => void} */
    this.onArrival = () => {};
    new ResizeObserver(() => this.resize()).observe(this.box);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) for (const v of this.videos.values()) v.pause(); // the cursor stands still, too
    });
    this.shape(usualAspect);
  }

  resize() {
    const box = this.box.getBoundingClientRect();
    const dpr = window.devicePixelRatio || 1;
    [this.width, this.height] = [box.width, box.height];
    this.canvas.width = Math.max(1, Math.round(box.width * dpr));
    this.canvas.height = Math.max(1, Math.round(box.height * dpr));
    this.ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    this.onResize();
  }

  /** @param {number} aspect width to height */
  shape(aspect) {
    this.box.style.setProperty("--aspect", aspect.toFixed(5));
  }

  /** @param {Presentation} p @returns {HTMLVideoElement|undefined} undefined where the lab has not got the clip any more */
  video(p) {
    if (!p.clip) return undefined;
    const known = this.videos.get(p.clip);
    if (known) return known;
    const v = document.createElement("video");
    v.playsInline = true;
    v.preload = "auto";
    v.hidden = true;
    v.tabIndex = -1;
    v.onseeked = v.onloadeddata = () => this.onArrival();
    v.onerror = () => this.fault(v, p.clip);
    v.src = p.clip;
    this.videos.set(p.clip, v);
    this.box.prepend(v);
    return v;
  }

  /** A clip that does not come, or does not play: only the server knows which. @param {HTMLVideoElement} v @param {string} clip */
  async fault(v, clip) {
    try {
      await ask(clip, async () => {}, { method: "HEAD" });
      v.dataset.fault = "This browser cannot play the clip";
    } catch (error) {
      if (unanswered(error)) {
        v.dataset.fault = `No clip: ${reason(error)}`;
        setTimeout(() => {
          delete v.dataset.fault;
          v.load();
        }, againMs);
      } else v.dataset.fault = "The file of this clip is not where the study has it";
    }
    this.onArrival();
  }

  /** Shows the moment of the cursor. @param {import("./playhead.js").Playhead} head */
  draw(head) {
    const p = this.frames.at(head.t);
    const shown = this.frames.shown(head.t);
    const video = p && this.video(p);
    for (const v of this.videos.values()) {
      if (v === video) continue;
      v.hidden = true;
      if (!v.paused) v.pause();
    }
    if (p && p.width_px > 0 && p.height_px > 0) this.shape(p.width_px / p.height_px);
    if (video) {
      video.hidden = !shown || Boolean(video.dataset.fault);
      if (shown) this.follow(video, shown.frame, head);
    }
    this.box.classList.toggle("empty", !video || video.hidden);
    setText(byId("clip-words"), this.words(head.t, p, Boolean(shown), video));
    this.caption(p, shown);
    this.drawGaze(head.t, p);
  }

  /** @param {HTMLVideoElement} v @param {import("./types.js").ShownFrame} frame @param {import("./playhead.js").Playhead} head */
  follow(v, frame, head) {
    if (v.readyState < 1) return;
    v.muted = !this.sound || head.speed !== 1;
    const wanted = frame.media_ms / 1000 + intoFrameS;
    if (!head.playing) {
      if (!v.paused) v.pause();
      if (v.dataset.at !== String(frame.media_ms) || Math.abs(v.currentTime - wanted) > 0.001) {
        if (v.seeking) return; // the next call comes when it has arrived
        v.dataset.at = String(frame.media_ms);
        v.currentTime = wanted;
      }
      return;
    }
    v.dataset.at = "";
    const now = (frame.media_ms + (head.t - frame.at_ms)) / 1000;
    const behind = now - v.currentTime;
    if (Math.abs(behind) > jumpS * Math.max(1, head.speed)) {
      if (!v.seeking) v.currentTime = Math.min(now, v.duration || now);
    } else {
      v.playbackRate = Math.min(4, Math.max(0.1, head.speed * (1 + Math.min(0.25, Math.max(-0.2, behind)))));
    }
    if (v.paused && !v.ended) v.play().catch(() => {}); // refused in the background; tried again
  }

  /** What is said instead of a clip. @param {number} t @param {Presentation|undefined} p @param {boolean} shown @param {HTMLVideoElement|undefined} v */
  words(t, p, shown, v) {
    const clip = p && this.frames.clip(p);
    if (p && !clip) return "Loading";
    if (clip?.failed) return `What was on the screen is not known here: ${clip.failed}`;
    if (p && !v) return notThatClip;
    if (v?.dataset.fault) return v.dataset.fault;
    if (p) return shown ? "" : "No frame of the clip on the screen yet";
    const i = lastUntil(this.recording.steps.map((s) => s.from_ms), t);
    const step = this.recording.steps[i];
    return step ? step.words || words[step.action] || step.action : "Before the first step";
  }

  /** @param {Presentation|undefined} p @param {{frame: import("./types.js").ShownFrame}|undefined} shown */
  caption(p, shown) {
    setText(byId("clip-name"), p ? [p.stimulus, p.brand, p.again ? "shown again" : ""].filter(Boolean).join(" · ") : "");
    setText(byId("clip-time"), shown ? `clip ${short(shown.frame.media_ms)}.${String(Math.floor(shown.frame.media_ms) % 1000).padStart(3, "0")} · frame ${shown.frame.frame}` : "");
  }

  /** @param {number} t @param {Presentation|undefined} p */
  drawGaze(t, p) {
    const { ctx, width, height } = this;
    ctx.clearRect(0, 0, width, height);
    if (!p || !this.showGaze) return;
    this.drawFixations(t, p);
    const rows = this.frames.clip(p)?.gaze;
    if (!rows) return;
    const [xs, ys] = rows.columns;
    const end = lastUntil(rows.times, t);
    let [px, py, seen] = [0, 0, false];
    ctx.lineCap = "round";
    for (let i = Math.max(0, lastUntil(rows.times, t - trailMs)); i <= end; i++) {
      const [x, y] = [xs[i] * width, ys[i] * height];
      if (!(x === x && y === y)) {
        seen = false;
        continue;
      }
      if (seen) {
        const age = Math.max(0, 1 - (t - rows.times[i]) / trailMs);
        for (const [line, colour] of /** @type {[number, string][]} */ ([[4, `rgba(0,0,0,${0.3 * age})`], [2, `rgba(255,255,255,${0.8 * age})`]])) {
          ctx.beginPath();
          ctx.moveTo(px, py);
          ctx.lineTo(x, y);
          ctx.lineWidth = line * boldness(height);
          ctx.strokeStyle = colour;
          ctx.stroke();
        }
      }
      [px, py, seen] = [x, y, true];
    }
    if (!seen || end < 0 || t - rows.times[end] > gazeStaleMs) return;
    this.disc(px, py, Math.max(5, height * 0.018), "", [[4.5, "rgba(0,0,0,.7)"], [2, "#fff"]]);
  }

  /** The latest fixations as discs, larger for longer, fading. @param {number} t @param {Presentation} p */
  drawFixations(t, p) {
    const first = lastUntil(this.fixations.map((f) => f.from_ms), t);
    for (let i = Math.max(0, first - 12); i <= first; i++) {
      const f = this.fixations[i];
      const left = 1 - Math.max(0, t - f.until_ms) / fixationMs;
      if (left <= 0 || f.presentation !== p.presentation) continue;
      const r = this.height * 0.014 * Math.sqrt((Math.min(t, f.until_ms) - f.from_ms) / 100);
      this.disc(f.x * this.width, f.y * this.height, r, `rgba(255,255,255,${0.4 * left})`, [[1, `rgba(0,0,0,${0.55 * left})`]]);
    }
  }

  /** @param {number} x @param {number} y @param {number} r @param {string} fill @param {[number, string][]} rings width, colour */
  disc(x, y, r, fill, rings) {
    const { ctx } = this;
    for (const [line, colour] of rings) {
      ctx.beginPath();
      ctx.arc(x, y, r, 0, 2 * Math.PI);
      if (fill) {
        ctx.fillStyle = fill;
        ctx.fill();
      }
      ctx.lineWidth = line * boldness(this.height);
      ctx.strokeStyle = colour;
      ctx.stroke();
    }
  }
}

/** 00:01:23.456. @param {number} t ms */
export function exact(t) {
  return `${clock(t)}.${String(Math.floor(Math.max(0, t)) % 1000).padStart(3, "0")}`;
}

/** What a presentation is called in lists and lanes. @param {Presentation} p */
export function clipName(p) {
  return p.stimulus;
}

/** @param {Presentation} p @returns {Node[]} */
export function clipLabel(p) {
  return [make("strong", "", clipName(p)), document.createTextNode(p.brand ? ` ${p.brand}` : "")];
}
