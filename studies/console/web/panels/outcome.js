// How the latest session ended, and sessions that were cut off and wait for a decision.

import { get, post, reason } from "../api.js";
import { bundleLink } from "../bundle.js";
import { byId, icon, make } from "../dom.js";
import { runs } from "../phase.js";
import { erased, short, started } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../types.js").Status} Status */
/** @typedef {import("../types.js").Summary} Summary */
/** @typedef {(command: "continue"|"seal", body: {session_id: string}) => Promise<void>} Send */

/** @param {HTMLElement} host @param {Lab} lab @returns {import("../lab.js").Panel} */
export function mount(host, lab) {
  /** @type {Send} */
  async function decide(command, body) {
    if (!lab.permits()) return;
    try {
      await post(command, body);
      if (command === "continue") return;
      // Who was cut off has not seen the last page, with the code by which they may withdraw.
      /** @type {Summary[]} */
      const all = await get("/api/sessions");
      const sealed = all.find((s) => s.id === body.session_id);
      if (!sealed) return;
      if (document.querySelector("dialog[open]")) lab.say(`${sealed.participant} is sealed. They have not seen the last page: give them a receipt, by their code in the list.`);
      else lab.openPerson("receipt", sealed);
    } catch (error) {
      lab.say(`${command === "seal" ? "Not sealed" : "Not continued"}: ${reason(error)}`);
      stageMissed = command === "continue" && lab.status?.stage_connected === false;
    }
  }
  let stageMissed = false; // the banner says that the participant's screen is not open
  return {
    update(report) {
      if (stageMissed && report.status.stage_connected) {
        stageMissed = false;
        lab.say("");
      }
      showOutcome(report.status, lab.sessions.find((s) => s.id === report.status.last_outcome?.session_id));
      showRecovered(report.status, lab, decide);
    },
    unmount() {
      host.hidden = true;
    },
  };
}

/** @param {Status} s @param {Summary|undefined} listed the session as the list has it */
function showOutcome(s, listed) {
  const box = byId("outcome");
  const o = s.last_outcome;
  box.hidden = !o || runs(s) || s.busy !== "";
  const again = (s.recovered ?? []).some((r) => r.id === o?.session_id);
  const counted = counts(listed);
  const key = JSON.stringify([o, again, counted]);
  if (!o || box.dataset.key === key) return;
  box.dataset.key = key;
  if (o.state === "declined" || o.state === "withdrawn") {
    box.className = "outcome fine";
    box.replaceChildren(icon("ok"), ...(o.state === "declined" ? declined(o) : withdrawn(o)));
    return;
  }
  const failed = o.state !== "sealed";
  box.className = `outcome ${failed ? "major" : o.error ? "minor" : "fine"}`;
  /** @type {(Node|string)[]} */
  const words = [icon(failed ? "major" : o.error ? "minor" : "ok")];
  if (o.state === "recovered") words.push(make("strong", "", "Session not sealed:"), ` ${o.error}. What was recorded is kept. ${again ? "Try again." : "Start Emolab again and seal it then."}`);
  else if (failed) words.push(make("strong", "", "Session failed."), ` ${o.error || "The reason is in the log."} What was recorded until then is kept.`);
  else {
    words.push(make("strong", "", "Session sealed. Safe to remove electrodes."));
    if (o.reason) words.push(` It ended early: ${o.reason}.`);
    if (counted) words.push(` ${counted}`);
    if (o.error) words.push(` The bundle could not be written: ${o.error}`);
  }
  if (o.bundle) words.push(" ", bundleLink(o.bundle, "Download the bundle"));
  box.replaceChildren(...words);
}

/** Whether a sealed session counts for the study; "" where nobody has judged it. @param {Summary|undefined} s */
function counts(s) {
  if (s?.usable === true) return "It counts: it is usable.";
  return s?.usable === false ? `It does not count${s.usable_why ? `: ${s.usable_why}` : ""}.` : "";
}

/** @param {import("../types.js").Outcome} o */
function declined(o) {
  const head = o.reason?.startsWith("stopped") ? "Stopped before the recording." : "The participant does not take part.";
  return [make("strong", "", head), ` ${o.reason ? `Why: ${o.reason}. ` : ""}Nothing was recorded.`];
}

/** @param {import("../types.js").Outcome} o */
function withdrawn(o) {
  if (o.error) return [make("strong", "", "The participant withdrew,"), ` but ${o.error}`];
  return [make("strong", "", "The participant withdrew."), ` ${erased(o.erasure)}`];
}

/** @param {Status} s @param {Lab} lab @param {Send} send */
function showRecovered(s, lab, send) {
  const box = byId("recovered");
  const list = s.recovered ?? [];
  const idle = !runs(s) && s.busy === "";
  const key = JSON.stringify([list.map((r) => r.id), idle, lab.barred]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...list.map((r) => {
    const go = make("button", "", "Continue");
    const seal = make("button", "", "Seal as it is");
    for (const b of [go, seal]) {
      b.setAttribute("type", "button");
      lab.allow(b, idle);
    }
    const act = (/** @type {"continue"|"seal"} */ command) => async () => {
      go.setAttribute("disabled", "");
      seal.setAttribute("disabled", "");
      await send(command, { session_id: r.id });
      box.dataset.key = ""; // whatever came of it, the next status draws this again
    };
    go.onclick = act("continue");
    seal.onclick = act("seal");
    return make("div", "recovered minor",
      make("p", "", icon("minor"), make("strong", "", `${r.participant || r.id} was cut off`),
        ` after ${short(r.duration_ns / 1e6)}, started ${started(r.started)}. What was recorded until then is safe.`),
      make("div", "buttons", go, seal));
  }));
}
