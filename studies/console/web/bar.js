// The status bar: what must be legible from the other end of the room.

import { byId, setIcon, setText } from "./dom.js";
import { present, runs, stepWords, waits } from "./phase.js";
import { clock, disk, short } from "./words.js";

/** @typedef {import("./types.js").Status} Status */
/** @typedef {import("./types.js").Step} Step */
/** @typedef {import("./mirror.js").OnScreen} OnScreen */

/** More characters than this do not fit beside the rest. */
const longWords = 22;
/** Below this many hours the disk becomes a deviation. */
const fewHours = 2;

const clipWords = /** @type {Record<string, string>} */ ({ fixation: "Fixation, clip", play: "Clip", rest: "Rest, clip", fill: "Rating, clip" });

export class Bar {
  constructor() {
    /** @type {Status|undefined} */
    this.status = undefined;
    this.startMs = NaN; // lab time at which the session began
    this.known = false; // whether the state of the lab is known at present
  }

  /** @param {Status} s @param {number} nowMs lab time of this status */
  update(s, nowMs) {
    this.status = s;
    this.known = true;
    this.startMs = nowMs - s.elapsed_ms;
    setText(byId("study-id"), s.study_id || "Emolab");
    setText(byId("study-title"), s.study_title);
    setText(byId("participant"), s.participant || "–");
    byId("participant").classList.toggle("quiet", !s.participant);

    const state = s.busy ? "busy" : s.state === "recording" ? s.recording_over ? "over" : "rec" : s.state === "prepared" ? "intake" : "idle";
    byId("state").dataset.state = state;
    setIcon(byId("state"), state === "intake" ? "idle" : state === "over" ? "ok" : state);
    const kept = s.face_video ? " · with face video" : "";
    setText(byId("state-label"), s.paused && runs(s) ? "Paused by the participant" : state === "intake" ? "Nothing is recorded yet" : state === "rec" ? `${s.segment > 0 ? `Recording · segment ${s.segment + 1}` : "Recording"}${kept}` : "State");
    if (state === "idle") setText(byId("state-text"), "Ready");
    if (state === "over") setText(byId("state-text"), "Recording ended");
    if (state === "intake") setText(byId("state-text"), waits(s) ? "Participant waits" : "Participant reads");
    if (s.stopped && runs(s)) {
      setText(byId("state-label"), "On the last pages; Stop again closes them");
      setText(byId("state-text"), "Stopped");
    }
    if (state === "busy") setText(byId("state-text"), s.busy);

    setText(byId("disk"), disk(s.disk_hours));
    byId("disk").classList.toggle("minor", s.disk_hours >= 0 && s.disk_hours < fewHours);

    const alarms = s.alarms ?? [];
    const major = alarms.filter((a) => a.severity === "major").length;
    const worst = major ? "major" : alarms.length ? "minor" : "ok";
    byId("worst").dataset.severity = worst;
    setIcon(byId("worst"), worst);
    setText(byId("worst-text"), worst === "ok" ? "none" : `${major || alarms.length} ${worst}`);

    byId("start").hidden = state !== "idle";
    byId("begin").hidden = !waits(s);
    byId("stop").hidden = !runs(s);
    document.title = `${state === "rec" ? "● " : ""}${s.participant ? `${s.participant} · ` : ""}${major ? `${major} major · ` : ""}Emolab console`;
    this.step(undefined);
  }

  /** The line to the server is dead: nobody here knows what the lab does now. */
  down() {
    this.known = false;
    byId("state").dataset.state = "unknown";
    setIcon(byId("state"), "off");
    setText(byId("state-label"), "State");
    setText(byId("state-text"), "not known");
    setText(byId("step-label"), "Plan");
    setText(byId("step-text"), "–");
    setText(byId("step-time"), "");
    byId("step-progress").hidden = true;
    setText(byId("disk"), "–");
    byId("disk").classList.remove("minor");
    byId("worst").dataset.severity = "unknown";
    setIcon(byId("worst"), "off");
    setText(byId("worst-text"), "–");
    document.title = "No connection · Emolab console";
  }

  /** Between two statuses: the time of the session and the place in the clip.
   * @param {number} now lab ms @param {OnScreen|undefined} on */
  tick(now, on) {
    const s = this.status;
    if (!s || !this.known) return;
    if (s.state === "recording" && !s.busy && !s.recording_over) setText(byId("state-text"), `REC ${clock(now - this.startMs)}`);
    this.step(on);
  }

  /** @param {OnScreen|undefined} on */
  step(on) {
    const s = this.status;
    if (!s) return;
    const steps = s.plan.steps ?? [];
    const plays = steps.filter((p) => p.action === "play");
    const running = runs(s);
    // What the screen says it shows comes before what was ordered.
    const step = (running && on && steps.find((p) => p.action === "play" && p.presentation === on.presentation)) || present(s);
    setText(byId("step-label"), step?.stimulus ?? "Plan");
    byId("step-progress").hidden = step?.action !== "play";
    if (!step) {
      const total = steps.reduce((ms, p) => ms + p.duration_ns / 1e6, 0);
      sayStep(running ? s.stage_waiting ? `Waits for ${s.stage_waiting}` : "About to begin" : plays.length && s.busy ? "Shown" : "–");
      setText(byId("step-time"), running && plays.length ? `${plays.length} clips, ${short(total)}` : "");
      byId("step-bar").style.width = "0";
      return;
    }
    const words = step.stimulus ? undefined : stepWords(step);
    if (words) { // as long as it takes
      const check = s.check?.step === step.index ? s.check : undefined;
      sayStep(check?.targets ? `${words}: target ${Math.min(check.shown + 1, check.targets)} of ${check.targets}` : words);
      setText(byId("step-time"), step.duration_ns ? short(step.duration_ns / 1e6) : "");
      return;
    }
    sayStep(`${clipWords[step.action]} ${clipNumber(steps, step)} of ${plays.length}`);
    const showing = on && step.action === "play";
    const length = step.duration_ns / 1e6;
    setText(byId("step-time"), length ? `${showing ? `${short(on.mediaMs)} / ` : ""}${short(length)}` : "");
    byId("step-bar").style.width = showing ? `${Math.min(100, (100 * on.mediaMs) / Math.max(length, 1)).toFixed(1)}%` : "0";
  }
}

/** What cannot stand in one line of the bar stands in two. @param {string} text */
function sayStep(text) {
  const e = byId("step-text");
  e.classList.toggle("long", text.length > longWords);
  setText(e, text);
}

/** Which clip a step belongs to: fixation to the one that follows, rest and ratings to
 * the one before. @param {Step[]} steps @param {Step} step */
function clipNumber(steps, step) {
  const before = steps.slice(0, step.index).filter((p) => p.action === "play").length;
  return step.action === "rest" || step.action === "fill" ? before : before + 1;
}
