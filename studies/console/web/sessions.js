// How the latest session ended, sessions that were cut off and wait for a
// decision, and the list of all.

import { byId, icon, make, setText } from "./dom.js";
import { baseName, short, started } from "./words.js";

/** @typedef {import("./types.js").Status} Status */
/** @typedef {import("./types.js").Summary} Summary */
/** @typedef {(command: "continue"|"seal", body: object) => Promise<void>} Send */

/** @type {Record<string, "ok"|"rec"|"minor"|"major"|"idle">} */
const stateIcons = { sealed: "ok", recording: "rec", recovered: "minor", failed: "major" };

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
  box.hidden = !o || s.state === "recording" || s.busy !== "";
  const again = (s.recovered ?? []).some((r) => r.id === o?.session_id);
  const key = JSON.stringify([o, again]);
  if (!o || box.dataset.key === key) return;
  box.dataset.key = key;
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
  if (o.bundle) words.push(" ", bundleLink(o.bundle));
  box.replaceChildren(...words);
}

/** @param {Status} s @param {Send} send */
export function showRecovered(s, send) {
  const box = byId("recovered");
  const list = s.recovered ?? [];
  const idle = s.state !== "recording" && s.busy === "";
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

/** @param {Summary[]} sessions */
export function showSessions(sessions) {
  const newest = [...sessions].sort((a, b) => b.started.localeCompare(a.started));
  setText(byId("session-count"), sessions.length ? String(sessions.length) : "");
  if (newest.length === 0) {
    byId("session-list").replaceChildren(make("li", "calm", "None yet."));
    return;
  }
  byId("session-list").replaceChildren(...newest.map((s) => {
    const facts = [started(s.started), short(s.duration_ns / 1e6)];
    if (s.segments > 1) facts.push(`${s.segments} segments`);
    const item = make("li", s.state,
      make("span", "who", s.participant),
      make("span", `badge ${s.state}`, icon(stateIcons[s.state] ?? "idle"), s.state),
      make("span", "facts num", facts.join(" · ")),
      s.bundle ? bundleLink(s.bundle) : make("span", "download"));
    if (s.simulated) item.append(make("span", "tag", "simulated"));
    if (s.reason) item.title = s.reason;
    return item;
  }));
}
