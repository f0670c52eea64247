// The console page: connects, and hands what comes to the panels. The server is the truth;
// nothing here survives a reload but the theme, the look of the picture and the page's name.

import { get, namePage } from "./api.js";
import { byId, setText } from "./dom.js";
import { Lab } from "./lab.js";
import { Panels } from "./panels.js";
import * as alarms from "./panels/alarms.js";
import * as bar from "./panels/bar.js";
import * as begin from "./panels/begin.js";
import * as blind from "./panels/blind.js";
import * as calibration from "./panels/calibration.js";
import * as cohort from "./panels/cohort.js";
import * as custody from "./panels/custody.js";
import * as marks from "./panels/marks.js";
import * as mirror from "./panels/mirror.js";
import * as outcome from "./panels/outcome.js";
import * as pen from "./panels/pen.js";
import * as people from "./panels/people.js";
import * as picture from "./panels/picture.js";
import * as ready from "./panels/ready.js";
import * as sessions from "./panels/sessions.js";
import * as start from "./panels/start.js";
import * as stop from "./panels/stop.js";
import * as streams from "./panels/streams.js";
import * as strips from "./panels/strips.js";
import * as usable from "./panels/usable.js";
import { connect } from "./socket.js";
import { wireTheme } from "./theme.js";

/** @typedef {import("./types.js").Status} Status */

/** How long a complaint stays. */
const complaintMs = 8000;
/** How long it is not said again that this screen is too slow. */
const skippedMs = 60_000;
/** With "less motion" asked for, the page is drawn in steps of this length. */
const calmFrameMs = 250;

/** The banner: what stays comes back after anything else has had its time. */
let bannerTimer = 0;
let standing = "";
/** @param {string} text @param {boolean} [stays] */
function say(text, stays) {
  clearTimeout(bannerTimer);
  if (stays) standing = text;
  const e = byId("banner");
  setText(e, text || standing);
  e.hidden = (text || standing) === "";
  if (text && !stays) bannerTimer = window.setTimeout(() => say(""), complaintMs);
}

const lab = new Lab(say);
const panels = new Panels(lab);
let listedFor = ""; // what the list of sessions was fetched for
lab.relist = () => {
  listedFor = "";
};

/** The picture has a key of its own: F shows its next look. @type {import("./panels.js").Module} */
const live = {
  mount(host, known) {
    const panel = picture.mount(host);
    const off = known.keys.on("f", () => panel.next());
    return {
      update: (report) => panel.update(report),
      unmount() {
        off();
        panel.unmount();
      },
    };
  },
};

/** In the order in which they are told. @type {[string, string, import("./panels.js").Module][]} */
const all = [
  ["Status bar", "bar", bar], ["Pen", "pen", pen], ["Start", "start", start], ["Begin", "begin", begin], ["Stop", "stop", stop], ["Blind mode", "blind", blind],
  ["Readiness", "ready", ready], ["Participant’s screen", "mirror", mirror], ["Calibration", "calibration", calibration], ["Strips", "strips", strips],
  ["Usable seconds", "usable", usable], ["Alarms", "alarms", alarms], ["Outcome", "outcomes", outcome], ["Marks", "marks", marks], ["Streams", "streams", streams],
  ["Cohort", "cohort", cohort], ["Sessions", "sessions", sessions], ["People", "person-dialog", people], ["Withdrawal", "withdraw-dialog", custody],
];
for (const [name, id, module] of all) panels.mount(name, byId(id), module);
let skippedAt = -Infinity;
let pictured = false; // the picture asks the server, which has to know this page first

/** @param {Status} status */
async function list(status) {
  if (lab.role === "viewer") return; // whoever only watches is told of no other session
  const key = JSON.stringify([status.session_id, status.state, status.busy === "", status.recording_over, status.blind, status.last_outcome, status.recovered?.length]);
  if (key === listedFor) return;
  listedFor = key;
  try {
    const [sessions, cohort] = await Promise.all([get("/api/sessions"), get("/api/cohort")]);
    if (key !== listedFor) return; // asked again meanwhile: the later answer counts
    [lab.sessions, lab.cohort] = [sessions, cohort];
    const { report } = lab;
    if (report) panels.each((p) => p.update(report));
  } catch {
    if (key === listedFor) listedFor = ""; // tried again with the next status
  }
}

/** Which part of a visit it is decides what is on the page. @param {Status} s */
function phase(s) {
  return s.live || (s.state === "recording" && s.recording_over) ? "live" : "idle";
}

connect({
  hello(hello) {
    lab.connected = true;
    lab.role = hello.role;
    namePage(hello.console);
    say("", true);
    document.body.classList.remove("down");
    document.body.dataset.role = hello.role;
    lab.clock.reset();
    lab.rings.reset(hello.streams);
    listedFor = "";
    if (!pictured) panels.mount("Picture", byId("picture-panel"), live);
    pictured = true;
  },
  replay() {
    lab.rings.clear();
  },
  report(report) {
    lab.report = report;
    if (!Number.isFinite(lab.clock.now())) lab.clock.heard(report.now_ms);
    document.body.dataset.phase = phase(report.status);
    panels.each((p) => p.update(report));
    list(report.status);
    document.body.dataset.ready = "true";
  },
  batch(batch) {
    lab.clock.heard(batch.now);
    lab.rings.push(batch.blocks);
  },
  skipped(batches) {
    if (performance.now() - skippedAt < skippedMs) return; // it stays too slow, and that was said
    skippedAt = performance.now();
    say(`This screen was too slow and skipped ${batches} updates since it was opened. The recording is not affected.`);
  },
  fault(text) {
    say(text);
  },
  down(why) {
    const before = lab.connected;
    lab.connected = false;
    document.body.classList.add("down");
    panels.each((p) => p.down?.());
    if (why === "denied") {
      say("The token of this page opens nothing any more: it has run out, or Emolab has another. Open the address that Emolab printed, or ask for one.", true);
    } else if (before || lab.report) {
      say("No connection to the lab. If Emolab still runs, it goes on recording; look at its window. Trying again.", true);
    } else {
      say("The lab does not answer yet. Trying again.", true);
    }
  },
});

wireTheme(() => panels.each((p) => p.restyle?.()), "g");

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let drawn = 0;
/** @param {number} at */
function frame(at) {
  requestAnimationFrame(frame); // the browser stops calling while the page is hidden
  if (calm.matches && at - drawn < calmFrameMs) return;
  drawn = at;
  const now = lab.clock.now();
  if (Number.isFinite(now)) panels.each((p) => p.draw?.(now));
}
requestAnimationFrame(frame);
