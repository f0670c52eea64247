// The participant's screen in small: the clip where it lies on that screen,
// following its media time, with the gaze over it.

import { fit } from "../canvas.js";
import { byId, setText } from "../dom.js";
import { readPalette } from "../palette.js";
import { compares, confirms, pageName, present as presentStep, runs } from "../phase.js";
import { boldness } from "../strip.js";
import { short } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../lab.js").OnScreen} OnScreen */
/** @typedef {import("../lab.js").Panel} Panel */
/** @typedef {import("../types.js").Status} Status */
/** @typedef {import("../types.js").Step} Step */

/** The mirror is put right by a jump beyond this, by a change of pace below it, in seconds. */
const jumpS = 0.3;
/** Frames older than this say that the clip stands still or has gone. */
const staleMs = 600;
/** How much of the gaze path is drawn. */
const trailMs = 700;
/** For how long a fixation that has ended is drawn. */
const fixationMs = 3000;
/** Gaze older than this is not where the eyes are. */
const gazeStaleMs = 300;
const usualAspect = 16 / 9;

/** @param {HTMLElement} _ @param {Lab} lab @returns {Panel} */
export function mount(_, lab) {
  const mirror = new Mirror(lab);
  lab.onScreen = (now) => mirror.onScreen(now);
  return {
    update: (report) => mirror.update(report.status),
    draw: (now) => mirror.draw(now),
    down: () => mirror.down(),
    restyle: () => mirror.restyle(),
    unmount() {
      lab.onScreen = () => undefined;
      mirror.unmount();
    },
  };
}

class Mirror {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.screen = byId("screen");
    this.picture = byId("picture");
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("gaze"));
    const ctx = this.canvas.getContext("2d");
    if (!ctx) throw new Error("this browser has no canvas");
    this.ctx = ctx;
    /** @type {Map<string, HTMLVideoElement>} the clip that plays and the one that follows */
    this.videos = new Map();
    /** @type {Status|undefined} */
    this.status = undefined;
    this.heard = 0; // page ms at which it was told
    this.known = false; // whether the state of the lab is known at present
    this.shown = "";
    this.aspect = usualAspect;
    this.palette = readPalette();
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.screen);
    this.resize();
  }

  unmount() {
    this.sizes.disconnect();
    for (const video of this.videos.values()) video.remove();
  }

  restyle() {
    this.palette = readPalette();
  }

  resize() {
    const box = this.screen.getBoundingClientRect();
    this.width = box.width;
    this.height = box.height;
    fit(this.canvas, this.ctx, box);
  }

  /** @param {Status} status */
  update(status) {
    this.status = status;
    this.known = true;
    const steps = status.plan.steps ?? [];
    const ahead = steps.slice(Math.max(status.step, 0)).filter((s) => s.action === "play" && s.stimulus);
    // Which clip it is, is hidden from a blind console: the server would refuse it.
    const wanted = runs(status) && !status.blind ? ahead.slice(0, 2).map((s) => s.stimulus ?? "") : [];
    for (const [id, video] of this.videos) {
      if (wanted.includes(id)) continue;
      video.removeAttribute("src");
      video.load();
      video.remove();
      this.videos.delete(id);
    }
    for (const id of wanted) this.video(id);
    this.heard = performance.now();
    const eyes = status.eyes;
    setText(byId("fixations"), eyes && status.state === "recording"
      ? `· ${eyes.fixations === 1 ? "1 fixation" : `${eyes.fixations} fixations`}, ${eyes.per_second.toFixed(1)} a second` : "");
    byId("gaze-note").hidden = status.state !== "recording" || !status.gaze_corrected;
  }

  /** The line to the server is dead. */
  down() {
    this.known = false;
  }

  /** @param {string} id of a stimulus */
  video(id) {
    const known = this.videos.get(id);
    if (known) return known;
    const v = document.createElement("video");
    v.muted = true;
    v.playsInline = true;
    v.preload = "auto";
    v.hidden = true;
    v.tabIndex = -1;
    v.src = `/stage/stimuli/${encodeURIComponent(id)}`;
    this.picture.append(v);
    this.videos.set(id, v);
    return v;
  }

  /** What the participant's screen shows now, by its own account; nothing on a
   * dead line, where it cannot be known.
   * @param {number} now lab ms @returns {OnScreen|undefined} */
  onScreen(now) {
    const s = this.lab.rings.of("stimulus");
    if (!this.known || !s || now - s.lastTime > staleMs || !(s.last("presentation") > 0)) return undefined;
    return {
      presentation: s.last("presentation"),
      mediaMs: s.last("media_ns") / 1e6 + (now - s.lastTime),
      rect: [s.last("rect_x"), s.last("rect_y"), s.last("rect_w"), s.last("rect_h")],
    };
  }

  /** @param {number} now lab ms */
  draw(now) {
    const on = this.onScreen(now);
    const step = on && this.status?.plan.steps?.find((s) => s.action === "play" && s.presentation === on.presentation);
    this.follow(on, step || undefined);
    this.words(on, step || undefined);
    this.ctx.clearRect(0, 0, this.width ?? 0, this.height ?? 0);
    this.drawTarget();
    this.drawFixations();
    this.drawGaze(now);
  }

  /** The latest fixations as discs, larger for longer, fading. */
  drawFixations() {
    if (!this.known || this.status?.state !== "recording") return;
    const { ctx, width = 0, height = 0 } = this;
    for (const f of this.status.eyes?.recent ?? []) {
      const left = 1 - (f.age_ms + performance.now() - this.heard) / fixationMs;
      if (left <= 0) continue;
      ctx.beginPath();
      ctx.arc(f.x * width, f.y * height, height * 0.012 * Math.sqrt(f.duration_ms / 100), 0, 2 * Math.PI);
      ctx.fillStyle = `rgba(255,255,255,${(0.45 * left).toFixed(3)})`;
      ctx.fill();
      ctx.strokeStyle = `rgba(0,0,0,${(0.6 * left).toFixed(3)})`;
      ctx.lineWidth = boldness(height);
      ctx.stroke();
    }
  }

  /** The target that stands on the participant's screen, if one does. */
  target() {
    return this.known && runs(this.status) ? this.status?.check?.target : undefined;
  }

  drawTarget() {
    const target = this.target();
    if (!target) return;
    const { ctx, width = 0, height = 0 } = this;
    const [x, y, r] = [target.x * width, target.y * height, Math.max(5, height * 0.02)];
    ctx.beginPath();
    ctx.arc(x, y, r, 0, 2 * Math.PI);
    ctx.fillStyle = "#1b1d1f";
    ctx.fill();
    ctx.beginPath();
    ctx.arc(x, y, r / 3, 0, 2 * Math.PI);
    ctx.fillStyle = "#fff";
    ctx.fill();
  }

  /** @param {OnScreen|undefined} on @param {Step|undefined} step */
  follow(on, step) {
    const id = on && step?.stimulus ? step.stimulus : "";
    if (id !== this.shown) {
      for (const [other, v] of this.videos) {
        v.hidden = other !== id;
        if (other !== id) v.pause();
      }
      this.shown = id;
    }
    this.picture.hidden = !on;
    this.picture.classList.toggle("veiled", Boolean(this.status?.blind));
    if (!on || !id) return;
    const [x, y, w, h] = on.rect.every(Number.isFinite) ? on.rect : [0.34, 0, 0.32, 1];
    const percent = (/** @type {number} */ v) => `${(v * 100).toFixed(2)}%`;
    Object.assign(this.picture.style, { left: percent(x), top: percent(y), width: percent(w), height: percent(h) });

    if (this.status?.blind) return;
    const v = this.video(id);
    v.hidden = false;
    if (v.videoWidth > 0 && w > 0 && h > 0) {
      // The picture's own shape and the share of the screen that it covers tell
      // the shape of a screen that the server has never seen.
      const aspect = (v.videoWidth / w) / (v.videoHeight / h);
      if (aspect > 0.3 && aspect < 5 && Math.abs(aspect - this.aspect) > 0.01) {
        this.aspect = aspect;
        this.screen.style.setProperty("--aspect", aspect.toFixed(4));
      }
    }
    if (v.readyState < 2) return;
    const target = on.mediaMs / 1000;
    const behind = target - v.currentTime;
    if (target >= v.duration) {
      v.pause();
      return;
    }
    if (Math.abs(behind) > jumpS) {
      if (!v.seeking) v.currentTime = target;
    } else {
      v.playbackRate = Math.min(1.25, Math.max(0.8, 1 + behind));
    }
    if (v.paused) v.play().catch(() => {}); // refused while the tab is in the background; tried again
  }

  /** @param {OnScreen|undefined} on @param {Step|undefined} step */
  words(on, step) {
    const status = this.status;
    const present = presentStep(status);
    const cross = present?.action === "fixation" || present?.action === "neutral";
    byId("cross").hidden = Boolean(on) || !this.known || Boolean(status?.stage_waiting) || Boolean(status?.paused) || compares(status) || !cross;
    let word = on && status?.blind ? "Hidden: the console is blind" : "";
    if (!on) {
      if (!this.known) word = "Not known";
      else if (!status?.stage_connected) word = "Stage page not open";
      else if (!runs(status)) word = status.busy ? "Blank" : "Waiting for a session";
      else if (status.stage_waiting) word = `Waits for ${status.stage_waiting}`;
      else if (status.paused) word = "Paused";
      else if (confirms(status)) word = "The participant compares the code";
      else if (present?.action === "fill") word = `The participant reads: ${pageName(present.sheet)}`;
      else if (present?.action === "begin") word = "Waits for you to begin";
      else if (present?.action === "camera") word = "Seat and light";
      else if (present?.action === "calibrate" || present?.action === "validate") word = this.target() ? "" : "Words to the participant";
      else if (present?.action === "breath") word = "Deep breath";
      else if (present?.action === "rest") word = "Rest";
      else if (present?.action === "reshow") word = "Between blocks";
      else if (present?.action === "play") word = "Loading the clip";
      else if (!present) word = "About to begin";
    }
    setText(byId("screen-word"), word);
    setText(byId("mirror-caption"), on && step ? `${step.stimulus} · ${short(on.mediaMs)}` : "");
  }

  /** @param {number} now */
  drawGaze(now) {
    const { ctx, width = 0, height = 0 } = this;
    const gaze = this.lab.rings.of("gaze");
    const xs = gaze?.column("gaze_x");
    const ys = gaze?.column("gaze_y");
    const valid = gaze?.column("gaze_valid");
    if (!gaze || !xs || !ys || !valid || now - gaze.lastTime > gazeStaleMs) return;

    const [first, end] = gaze.since(now - trailMs);
    const bold = boldness(height);
    ctx.lineCap = "round";
    let seen = false;
    let px = 0;
    let py = 0;
    for (let n = first; n < end; n++) {
      const i = gaze.slot(n);
      if (!(valid[i] > 0)) {
        seen = false;
        continue;
      }
      const x = xs[i] * width;
      const y = ys[i] * height;
      if (seen) {
        ctx.strokeStyle = `rgba(255,255,255,${(0.55 * (1 - (now - gaze.times[i]) / trailMs)).toFixed(3)})`;
        ctx.lineWidth = 2 * bold;
        ctx.beginPath();
        ctx.moveTo(px, py);
        ctx.lineTo(x, y);
        ctx.stroke();
      }
      [px, py, seen] = [x, y, true];
    }
    if (!seen) return;
    // White on black on white: seen on any picture, and no colour that means something else.
    const r = Math.max(6, height * 0.028);
    for (const [radius, colour, line] of /** @type {[number, string, number][]} */ ([[r, "rgba(0,0,0,.75)", 4.5], [r, "#fff", 2]])) {
      ctx.beginPath();
      ctx.arc(px, py, radius, 0, 2 * Math.PI);
      ctx.strokeStyle = colour;
      ctx.lineWidth = line * bold;
      ctx.stroke();
    }
  }
}
