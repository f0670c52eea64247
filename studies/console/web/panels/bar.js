// The status bar: what must be legible from the other end of the room.

import { byId, setIcon, setText, tell } from "../dom.js";
import { missing } from "../checks.js";
import { dialogOf } from "../dialog.js";
import { compares, confirms, present, runs, shown, stepWords, waits } from "../phase.js";
import { clock, disk, short } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../lab.js").OnScreen} OnScreen */
/** @typedef {import("../lab.js").Panel} Panel */
/** @typedef {import("../types.js").Status} Status */
/** @typedef {import("../types.js").Step} Step */

/** More characters than this do not fit beside the rest in large type. */
const longWords = 12;
/** Nor does a longer code: the bar is to stay one line at 1920 pixels. */
const longCode = 7;
/** Below this many hours the disk becomes a deviation. */
const fewHours = 2;

const clipWords = /** @type {Record<string, string>} */ ({ fixation: "Fixation, clip", play: "Clip", rest: "Rest, clip", fill: "Rating, clip" });
const stateIcons = /** @type {Record<string, string>} */ ({ intake: "idle", over: "ok" });

/** @param {HTMLElement} _ @param {Lab} lab @returns {Panel} */
export function mount(_, lab) {
  const bar = new Bar(lab);
  const help = dialogOf("help-dialog");
  const open = () => help.showModal();
  byId("help").onclick = open;
  const off = lab.keys.on("?", open);
  return {
    update: (report) => bar.update(report.status, report.now_ms),
    draw: (now) => bar.draw(now),
    down: () => bar.down(),
    unmount() {
      off();
      byId("help").onclick = null;
    },
  };
}

class Bar {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.startMs = NaN; // lab time at which the session began
    this.told = ""; // the state as it was told last
  }

  /** @param {Status} s @param {number} nowMs lab time of this status */
  update(s, nowMs) {
    this.startMs = nowMs - s.elapsed_ms;
    setText(byId("study-id"), s.study_id || "Emolab");
    setText(byId("study-title"), s.study_title);
    setText(byId("participant"), s.participant || "–");
    byId("participant").classList.toggle("quiet", !s.participant);
    byId("participant").classList.toggle("long", s.participant.length > longCode);
    this.confirmed(s);

    const state = s.busy ? "busy" : compares(s) ? "intake" : s.state === "recording" ? s.recording_over ? "over" : "rec" : s.state === "prepared" ? "intake" : "idle";
    byId("state").dataset.state = state;
    setIcon(byId("state"), stateIcons[state] ?? state);
    const kept = s.face_video ? " · with face video" : "";
    setText(byId("state-label"), s.paused && runs(s) ? "Paused by the participant" : state === "intake" ? "Nothing is recorded yet" : state === "rec" ? `${s.segment > 0 ? `Recording · segment ${s.segment + 1}` : "Recording"}${kept}` : "State");
    if (state === "idle") setText(byId("state-text"), missing(s, "start").length ? "Not ready" : "Ready");
    if (state === "over") setText(byId("state-text"), "Recording ended");
    if (state === "intake") setText(byId("state-text"), confirms(s) ? "Compares the code" : waits(s) ? "Participant waits" : "Participant reads");
    if (s.stopped && runs(s)) {
      setText(byId("state-label"), "On the last pages; Stop again closes them");
      setText(byId("state-text"), "Stopped");
    }
    if (state === "busy") setText(byId("state-text"), s.busy);

    this.tell(state === "rec" ? "Recording" : byId("state-text").textContent ?? "");

    this.disk(disk(s.disk_hours), s.disk_hours >= 0 && s.disk_hours < fewHours);
    const major = this.alarms(s);
    document.title = `${state === "rec" ? "● " : ""}${s.participant ? `${s.participant} · ` : ""}${major ? `${major} major · ` : ""}Emolab console`;
    this.draw(this.lab.clock.now());
  }

  /** Tells a new state, without its clock. @param {string} state */
  tell(state) {
    if (state === this.told) return;
    this.told = state;
    tell(state);
  }

  /** @param {string} hours in words @param {boolean} low */
  disk(hours, low) {
    setText(byId("disk"), hours);
    setText(byId("disk-label"), low ? "Disk, little left" : "Disk");
    byId("disk-icon").toggleAttribute("hidden", !low);
    byId("disk-cell").classList.toggle("minor", low);
  }

  /** Who has confirmed the participant's code. @param {Status} s */
  confirmed(s) {
    const [they, we] = [Boolean(s.confirmed?.participant), Boolean(s.confirmed?.operator)];
    const both = they && we;
    byId("confirmed").hidden = !runs(s) || !(they || we);
    setIcon(byId("confirmed"), both ? "ok" : "idle");
    setText(byId("confirmed-text"), both ? "confirmed on both sides" : they ? "confirmed by them" : "confirmed by you");
  }

  /** The worst that lasts and is not put aside; one that nobody has seen yet is written
   * across the room. What is over is counted in grey. @param {Status} s @returns {number} how many are major */
  alarms(s) {
    const alarms = (s.alarms ?? []).filter((a) => a.state === "active" || a.state === "acknowledged");
    const over = (s.alarms ?? []).filter((a) => a.state === "cleared").length;
    const majors = alarms.filter((a) => a.severity === "major");
    const unseen = majors.filter((a) => a.state === "active");
    const worst = majors.length ? "major" : alarms.length ? "minor" : over ? "over" : "ok";
    byId("worst").dataset.severity = worst;
    byId("worst").dataset.room = String(unseen.length > 0);
    setIcon(byId("worst"), worst === "over" ? "idle" : worst);
    const many = `${majors.length || alarms.length || over} ${worst}`;
    setText(byId("worst-text"), worst === "ok" ? "none" : many);
    setText(byId("worst-what"), unseen.length ? `${unseen[0].text}${unseen.length > 1 ? `, and ${unseen.length - 1} more` : ""}` : "");
    return majors.length;
  }

  /** The line to the server is dead: nobody here knows what the lab does now. */
  down() {
    byId("state").dataset.state = "unknown";
    setIcon(byId("state"), "off");
    setText(byId("state-label"), "State");
    setText(byId("state-text"), "not known");
    setText(byId("step-label"), "Plan");
    setText(byId("step-text"), "–");
    setText(byId("step-time"), "");
    byId("step-progress").hidden = true;
    this.tell("No connection to the lab");
    this.disk("–", false);
    byId("worst").dataset.severity = "unknown";
    byId("worst").dataset.room = "false";
    setIcon(byId("worst"), "off");
    setText(byId("worst-text"), "–");
    setText(byId("worst-what"), "");
    document.title = "No connection · Emolab console";
  }

  /** Between two statuses: the time of the session and the place in the clip.
   * @param {number} now lab ms */
  draw(now) {
    const s = this.lab.status;
    if (!s) return;
    if (s.live) setText(byId("state-text"), `REC ${clock(now - this.startMs)}`);
    this.step(s, this.lab.onScreen(now));
  }

  /** @param {Status} s @param {OnScreen|undefined} on */
  step(s, on) {
    const steps = shown(s);
    const plays = steps.filter((p) => p.action === "play");
    const running = runs(s);
    // What the screen says it shows comes before what was ordered.
    const step = (running && on && steps.find((p) => p.action === "play" && p.presentation === on.presentation)) || present(s);
    setText(byId("step-label"), step?.stimulus ? `${step.stimulus}${step.again ? ", shown again" : ""}` : "Plan");
    byId("step-progress").hidden = step?.action !== "play";
    if (!step) {
      const total = steps.reduce((ms, p) => ms + p.duration_ns / 1e6, 0);
      sayStep(running ? s.stage_waiting ? `Waits for ${s.stage_waiting}` : confirms(s) ? "–" : "About to begin" : plays.length && s.busy ? "Shown" : "–");
      setText(byId("step-time"), running && plays.length ? `${plays.length === 1 ? "1 clip" : `${plays.length} clips`}, ${short(total)}` : "");
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
    sayStep(`${clipWords[step.action] ?? "Clip"} ${clipNumber(plays, step)} of ${plays.length}`, step.action !== "play");
    const showing = on && step.action === "play";
    const length = step.duration_ns / 1e6;
    setText(byId("step-time"), length ? `${showing ? `${short(on.mediaMs)} / ` : ""}${short(length)}` : "");
    byId("step-bar").style.width = showing ? `${Math.min(100, (100 * on.mediaMs) / Math.max(length, 1)).toFixed(1)}%` : "0";
  }
}

/** What cannot stand in one line of the bar stands in two; a clip is read at two metres.
 * @param {string} text @param {boolean} [may] be small */
function sayStep(text, may = true) {
  const e = byId("step-text");
  e.classList.toggle("long", may && text.length > longWords);
  setText(e, text);
}

/** Which clip a step belongs to: fixation to the one that follows, rest and ratings to
 * the one before. @param {Step[]} plays @param {Step} step */
function clipNumber(plays, step) {
  const before = plays.filter((p) => p.index < step.index).length;
  return step.action === "rest" || step.action === "fill" ? before : before + 1;
}
