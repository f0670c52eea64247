// How the latest session ended, sessions that were cut off and wait for a
// decision, and the list of all.

import { byId, icon, make, setText } from "./dom.js";
import { runs } from "./phase.js";
import { baseName, count, erasing, short, standing, started } from "./words.js";

/** @typedef {import("./types.js").Status} Status */
/** @typedef {import("./types.js").Summary} Summary */
/** @typedef {(command: "continue"|"seal", body: {session_id: string}) => Promise<void>} Send */

/** @type {Record<string, "ok"|"rec"|"minor"|"major"|"idle">} */
const stateIcons = { prepared: "idle", declined: "idle", sealed: "ok", recording: "rec", recovered: "minor", failed: "major" };

/** @param {string} path */
function bundleLink(path, text = "bundle") {
  const name = baseName(path);
  const a = make("a", "download", icon("down"), text);
  a.setAttribute("href", `/api/bundles/${encodeURIComponent(name)}`);
  a.setAttribute("download", name);
  return a;
}

/** @param {Status} s */
export function showOutcome(s) {
  const box = byId("outcome");
  const o = s.last_outcome;
  box.hidden = !o || runs(s) || s.busy !== "";
  const again = (s.recovered ?? []).some((r) => r.id === o?.session_id);
  const key = JSON.stringify([o, again]);
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
    if (o.error) words.push(` The bundle could not be written: ${o.error}`);
  }
  if (o.bundle) words.push(" ", bundleLink(o.bundle, "Download the bundle"));
  box.replaceChildren(...words);
}

/** @param {import("./types.js").Outcome} o */
function declined(o) {
  const head = o.reason?.startsWith("stopped") ? "Stopped before the recording." : "The participant does not take part.";
  return [make("strong", "", head), ` ${o.reason ? `Why: ${o.reason}. ` : ""}Nothing was recorded.`];
}

/** @param {import("./types.js").Outcome} o */
function withdrawn(o) {
  if (o.error) return [make("strong", "", "The participant withdrew,"), ` but ${o.error}`];
  return [make("strong", "", "The participant withdrew."), ` ${erased(o.erasure)}`];
}

/** What was erased, in words. @param {import("./types.js").Erasure|null|undefined} e */
export function erased(e) {
  if (!e) return "Everything of them is erased.";
  const tell = e.recipients?.length ? ` To be told, because they were given a bundle: ${e.recipients.join(", ")}.` : "";
  return `Everything of them is erased: ${count(e.rows)} rows, ${count(e.files)} files.${tell}`;
}

/** @param {Status} s @param {Send} send */
export function showRecovered(s, send) {
  const box = byId("recovered");
  const list = s.recovered ?? [];
  const idle = !runs(s) && s.busy === "";
  const key = JSON.stringify([list.map((r) => r.id), idle]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...list.map((r) => {
    const go = make("button", "", "Continue");
    const seal = make("button", "", "Seal as it is");
    for (const b of [go, seal]) {
      b.setAttribute("type", "button");
      b.toggleAttribute("disabled", !idle);
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
export function showSessions(sessions, now, open) {
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
      make("span", "facts num", facts.join(" · ")),
      s.bundle ? bundleLink(s.bundle) : make("span", "download"));
    if (s.simulated) item.append(make("span", "tag", "simulated"));
    if (s.reason) item.title = s.reason;
    return item;
  }));
}
