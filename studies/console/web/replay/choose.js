// The list of sessions that can be looked at again.

import { get } from "../api.js";
import { byId, icon, make } from "../dom.js";
import { erasing, short, standing, started } from "../words.js";

/** @typedef {import("../types.js").Summary} Summary */

/** States of sessions that are over; only a sealed one can be looked at. */
const shown = ["sealed", "recovered", "failed"];
/** @type {Record<string, "ok"|"minor"|"major">} */
const stateIcons = { sealed: "ok", recovered: "minor", failed: "major" };

/** The address of a session's replay. @param {string} session */
export const addressOf = (session) => `/replay/${encodeURIComponent(session)}`;

/** Lists them, the latest first. */
export async function listSessions() {
  /** @type {Summary[]} */
  const all = await get("/api/sessions");
  const sessions = all.filter((s) => shown.includes(s.state) && !erasing(s) && !s.traces_erased).sort((a, b) => b.started.localeCompare(a.started));
  byId("none-recorded").hidden = sessions.length > 0;
  byId("sessions").hidden = sessions.length === 0;
  byId("session-rows").replaceChildren(...sessions.map(row));
}

/** @param {Summary} s */
function row(s) {
  const link = make(s.state === "sealed" ? "a" : "span", "", s.participant || s.id);
  if (s.state === "sealed") link.setAttribute("href", addressOf(s.id));
  else link.title = s.state === "recovered" ? "Cut off: seal it in the console first" : "Only a sealed session can be looked at";
  const who = make("th", "", link, s.simulated ? make("span", "tag", "simulated") : "");
  who.setAttribute("scope", "row");
  const counts = s.usable === true ? "usable" : s.usable === false ? `not usable${s.usable_why ? `: ${s.usable_why}` : ""}` : "not judged";
  return make("tr", "", who,
    make("td", `badge ${s.state}`, icon(stateIcons[s.state] ?? "ok"), standing(s)),
    make("td", s.usable === false ? "" : "quiet", counts),
    make("td", "num", started(s.started)),
    make("td", "num", short(s.duration_ns / 1e6)),
    make("td", "quiet id", s.id));
}
