// How much of the session can be used, and how well its times are known.

import { byId, make, setText } from "../dom.js";
import { deviceName, number } from "../words.js";
import { clipName } from "./screen.js";

/** The columns of the table, by what the server calls them. */
const modalities = /** @type {const} */ ([["face", "Face"], ["gaze", "Gaze"], ["eda", "Skin"]]);

/** @param {import("./types.js").Recording} recording @param {(t: number) => void} go */
export function showQuality(recording, go) {
  byId("no-usable").hidden = recording.usable.length > 0;
  byId("usable-table").hidden = recording.usable.length === 0;
  byId("usable").replaceChildren(...recording.presentations.map((p) => {
    const to = make("button", "plain jump", clipName(p));
    to.setAttribute("type", "button");
    to.title = "Go to this clip";
    to.onclick = () => go(p.from_ms);
    const name = make("th", "", to, p.again ? make("span", "quiet", " again") : "");
    name.setAttribute("scope", "row");
    return make("tr", "", name, ...modalities.map(([modality]) => cell(recording.usable.find((u) => u.presentation === p.presentation && u.modality === modality))));
  }));
  byId("sync").replaceChildren(...recording.streams.filter((s) => !["trace", "marks"].includes(s.id)).map((s) => {
    const name = make("th", "", deviceName(s, recording.streams), s.simulated ? make("span", "tag", "simulated") : "");
    name.setAttribute("scope", "row");
    return make("tr", "", name,
      make("td", "num", s.rate_hz > 0 ? number(s.rate_hz, s.rate_hz < 100 ? 1 : 0) : "–"),
      make("td", "num", !(s.bound_ms > 0) ? "not known" : `± ${number(s.bound_ms, s.bound_ms < 10 ? 1 : 0)}`));
  }));
  setText(byId("derivation"), recording.derivation);
  setText(byId("calibration"), recording.calibration || "No gaze calibration.");
}

/** Usable seconds, with a bar for the share. @param {import("./types.js").Usable|undefined} u */
function cell(u) {
  if (!u) return make("td", "num quiet", "–");
  const fill = make("i");
  fill.style.width = `${Math.round(u.share * 100)}%`;
  const td = make("td", "num", `${number(u.usable_s, 1)} s`, make("span", "share", fill));
  td.title = `${number(u.usable_s, 1)} of ${number(u.seconds, 1)} s, ${Math.round(u.share * 100)} %`;
  return td;
}
