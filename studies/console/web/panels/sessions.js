// The list of all sessions.

import { bundleLink } from "../bundle.js";
import { byId, icon, make, setText } from "../dom.js";
import { runs } from "../phase.js";
import { erasing, short, standing, started } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../types.js").Status} Status */
/** @typedef {import("../types.js").Summary} Summary */

/** @type {Record<string, "ok"|"rec"|"minor"|"major"|"idle">} */
const stateIcons = { prepared: "idle", declined: "idle", sealed: "ok", recording: "rec", recovered: "minor", failed: "major" };

/** @param {HTMLElement} host @param {Lab} lab @returns {import("../lab.js").Panel} */
export function mount(host, lab) {
  let drawn = "";
  return {
    update(report) {
      host.hidden = lab.role === "viewer";
      const s = report.status;
      const key = JSON.stringify([lab.sessions, s.session_id, s.state, s.busy !== "", s.recording_over]);
      if (key === drawn) return;
      drawn = key;
      showSessions(lab.sessions, s, (about) => lab.openPerson(undefined, about));
    },
    unmount() {
      byId("session-list").replaceChildren();
    },
  };
}

/** Whether a session counts, in words. @param {Summary} s */
function counts(s) {
  if (s.usable === true) return "usable";
  if (s.usable === false) return `not usable${s.usable_why ? `: ${s.usable_why}` : ""}`;
  return "";
}

/** States in which a session is over, and something can be done about it. */
const over = ["sealed", "recovered", "failed", "declined"];

/** States in which it is not known yet how long a session is. */
const going = ["prepared", "recording", "ended"];

/** The session that runs as it stands now: the list may have been fetched a moment before.
 * @param {Summary} s @param {Status} now */
function live(s, now) {
  return s.id === now.session_id && runs(now) && going.includes(s.state) ? { ...s, state: now.recording_over ? "ended" : now.state } : s;
}

/** @param {Summary[]} sessions @param {Status} now @param {(s: Summary) => void} open what is done about one */
function showSessions(sessions, now, open) {
  const newest = sessions.map((s) => live(s, now)).sort((a, b) => b.started.localeCompare(a.started));
  setText(byId("session-count"), sessions.length ? String(sessions.length) : "");
  if (newest.length === 0) {
    byId("session-list").replaceChildren(make("li", "calm", "None yet."));
    return;
  }
  byId("session-list").replaceChildren(...newest.map((s) => {
    const facts = [started(s.started)];
    if (!going.includes(s.state) && s.state !== "declined" && !erasing(s) && !s.traces_erased) facts.push(short(s.duration_ns / 1e6));
    if (s.segments > 1) facts.push(`${s.segments} segments`);
    if ((s.run ?? 1) > 1 && s.state !== "declined") facts.push(`run ${s.run}`);
    if (s.traces_erased) facts.push(`recordings erased ${started(s.traces_erased)}`);
    if (s.video_erased) facts.push(`face video erased ${started(s.video_erased)}`);
    if (counts(s)) facts.push(counts(s));
    let who = make("span", "who", s.participant);
    if (over.includes(s.state) && !(erasing(s) && now.busy)) {
      who = make("button", "who plain", s.participant);
      who.setAttribute("type", "button");
      who.title = "Usable or not, another participant’s, a receipt, or withdrawn";
      who.onclick = () => open(s);
    }
    const state = erasing(s) ? "erasing" : s.state;
    const item = make("li", state,
      who,
      make("span", `badge ${state}`, icon(stateIcons[state] ?? "idle"), standing(s)),
      make("span", "facts num", facts.join(" · "), ...(s.simulated ? [" ", make("span", "tag", "simulated")] : [])),
      s.bundle ? bundleLink(s.bundle) : make("span", "download"));
    if (s.state === "sealed") item.append(replayLink(s));
    if (s.reason) item.title = s.reason;
    return item;
  }));
}

/** @param {Summary} s */
function replayLink(s) {
  const a = make("a", "replay", "replay");
  a.setAttribute("href", `/replay/${encodeURIComponent(s.id)}`);
  a.setAttribute("aria-label", `Replay the session of ${s.participant}`);
  return a;
}
