// The console page: wires the parts together. The server is the truth; nothing
// here survives a reload but the theme, and nothing needs to.

import { showAlarms } from "./alarms.js";
import { Bar } from "./bar.js";
import { Calibration } from "./calibration.js";
import { Commands, post, reason } from "./commands.js";
import { byId, setText } from "./dom.js";
import { LabClock } from "./labclock.js";
import { Mirror } from "./mirror.js";
import { unseen } from "./phase.js";
import { Purge, Withdrawal } from "./custody.js";
import { Paper } from "./paper.js";
import { People, showCohort } from "./people.js";
import { Lab } from "./series.js";
import { showOutcome, showRecovered, showSessions } from "./sessions.js";
import { connect } from "./socket.js";
import { showStreams } from "./streams.js";
import { Strips } from "./strips.js";
import { wireTheme } from "./theme.js";

/** @typedef {import("./types.js").Status} Status */
/** @typedef {import("./types.js").Summary} Summary */

/** How long a complaint stays. */
const complaintMs = 8000;
/** With "less motion" asked for, the strips move in steps of this length. */
const calmFrameMs = 250;

const lab = new Lab();
const clock = new LabClock();
const bar = new Bar();
const strips = new Strips(lab);
const mirror = new Mirror(lab);
/** @type {Summary[]} */
let sessions = [];
let listedFor = ""; // what the list of sessions was fetched for
let connected = false;
let stageOpen = true; // as the latest status said

/** The banner: a lost connection stays until it is back, anything else for a while. */
let bannerTimer = 0;
let stageMissed = false; // the banner says that the participant's screen is not open
let standing = ""; // what stays, and comes back after anything else
/** @param {string} text @param {boolean} [stays] */
function banner(text, stays) {
  clearTimeout(bannerTimer);
  stageMissed = false;
  if (stays) standing = text;
  const e = byId("banner");
  setText(e, text || standing);
  e.hidden = (text || standing) === "";
  if (text && !stays) bannerTimer = window.setTimeout(() => banner(""), complaintMs);
}

const calibration = new Calibration();
const commands = new Commands((text) => banner(text), () => sessions);
const relist = () => {
  listedFor = "";
};
const paper = new Paper();
const people = new People((text) => banner(text), relist, paper);
new Withdrawal((text) => banner(text), relist, paper);
new Purge((text) => banner(text), relist);

/** @param {"continue"|"seal"} command @param {{session_id: string}} body */
async function decide(command, body) {
  try {
    await post(command, body);
    if (command === "continue") return;
    // Who was cut off has not seen the last page, with the code by which they may withdraw.
    /** @type {Summary[]} */
    const all = await get("/api/sessions");
    const sealed = all.find((s) => s.id === body.session_id);
    if (!sealed) return;
    if (document.querySelector("dialog[open]")) banner(`${sealed.participant} is sealed. They have not seen the last page: give them a receipt, by their code in the list.`);
    else people.open(sealed, "receipt");
  } catch (error) {
    banner(`${command === "seal" ? "Not sealed" : "Not continued"}: ${reason(error)}`);
    stageMissed = command === "continue" && !stageOpen;
  }
}

/** @param {string} path @returns {Promise<any>} */
async function get(path) {
  const response = await fetch(path, { cache: "no-store" });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.json();
}

/** @param {Status} status */
async function listSessions(status) {
  const key = JSON.stringify([status.session_id, status.state, status.busy === "", status.recording_over, status.last_outcome, status.recovered?.length]);
  if (key === listedFor) return;
  listedFor = key;
  try {
    sessions = await get("/api/sessions");
    showSessions(sessions, status, (s) => people.open(s));
    showCohort(await get("/api/cohort"));
  } catch {
    listedFor = ""; // tried again with the next status
  }
}

connect({
  hello(hello) {
    connected = true;
    banner("", true);
    document.body.classList.remove("down");
    clock.reset();
    lab.reset(hello.streams);
    listedFor = "";
  },
  replay() {
    lab.clear();
  },
  report(report) {
    const status = report.status;
    if (!Number.isFinite(clock.now())) clock.heard(report.now_ms);
    if (status.plan.steps?.length) { // after the session its clips are still on the strips
      const names = new Map(status.plan.steps.map((s) => [s.presentation ?? 0, s.stimulus ?? ""]));
      strips.stimulusOf = (presentation) => names.get(presentation) ?? `clip ${presentation}`;
    }
    strips.veil(unseen(status));
    bar.update(status, report.now_ms);
    mirror.update(status);
    commands.update(status);
    calibration.update(status);
    stageOpen = status.stage_connected;
    if (stageMissed && stageOpen) banner("");
    showStreams(status.streams ?? []);
    showAlarms(status.alarms ?? []);
    showOutcome(status);
    showRecovered(status, decide);
    listSessions(status);
    document.body.dataset.ready = "true";
  },
  batch(batch) {
    clock.heard(batch.now);
    lab.push(batch.blocks);
  },
  skipped(batches) {
    banner(`This screen was too slow and skipped ${batches} updates since it was opened. The recording is not affected.`);
  },
  fault(text) {
    banner(text);
  },
  down(why) {
    document.body.classList.add("down");
    bar.down();
    mirror.down();
    commands.down();
    calibration.down();
    showAlarms(undefined);
    if (why === "denied") {
      banner("Emolab was started again and has a new token. Open the address that it printed.", true);
    } else if (connected) {
      banner("No connection to the lab. If Emolab still runs, it goes on recording; look at its window. Trying again.", true);
    } else {
      banner("The lab does not answer yet. Trying again.", true);
    }
  },
});

wireTheme(() => {
  strips.restyle();
  mirror.restyle();
});

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let drawn = 0;
/** @param {number} at */
function frame(at) {
  requestAnimationFrame(frame); // the browser stops calling while the page is hidden
  if (calm.matches && at - drawn < calmFrameMs) return;
  drawn = at;
  const now = clock.now();
  if (!Number.isFinite(now)) return;
  strips.draw(now);
  mirror.draw(now);
  bar.tick(now, mirror.onScreen(now));
}
requestAnimationFrame(frame);
