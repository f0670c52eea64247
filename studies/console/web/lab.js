// What every panel is given: the lab as this page knows it.

import { pageId } from "./api.js";
import { Keys } from "./keys.js";
import { LabClock } from "./labclock.js";
import { Rings } from "./series.js";
import { consoleOf } from "./words.js";

/** @typedef {import("./types.js").Report} Report */
/** @typedef {import("./types.js").Summary} Summary */
/** @typedef {import("./types.js").Cohort} Cohort */
/** @typedef {import("./types.js").Role} Role */

/**
 * The life of a panel. draw is called for each frame, restyle after a change of theme, and
 * down when the line to the server is dead and nothing can be known.
 * @typedef {object} Panel
 * @property {(report: Report) => void} update
 * @property {() => void} unmount
 * @property {(now: number) => void} [draw]
 * @property {() => void} [restyle]
 * @property {() => void} [down]
 */

/** @typedef {{presentation: number, mediaMs: number, rect: [number, number, number, number]}} OnScreen */

export class Lab {
  /** @param {(text: string, stays?: boolean) => void} say tells the operator something in the banner */
  constructor(say) {
    this.say = say;
    this.rings = new Rings();
    this.clock = new LabClock();
    this.keys = new Keys();
    /** @type {Report|undefined} the latest */
    this.report = undefined;
    this.connected = false;
    /** @type {Role} */
    this.role = "viewer";
    /** @type {Summary[]} */
    this.sessions = [];
    /** @type {Cohort|undefined} */
    this.cohort = undefined;
    this.relist = () => {}; // has sessions and cohort asked for again
    /** @type {(now: number) => OnScreen|undefined} what the participant's screen shows */
    this.onScreen = () => undefined;
    /** @type {(deed: "receipt"|undefined, session: Summary) => void} opens what can be done about a session */
    this.openPerson = () => {};
  }

  /** The latest status while the server answers. */
  get status() {
    return this.connected ? this.report?.status : undefined;
  }

  get mayOperate() {
    return this.role === "operator" || this.role === "admin";
  }

  /** Why nothing may be marked from here; "" = it may. Whoever watches may see something. */
  get unmarked() {
    if (!this.connected) return "No connection to the lab.";
    if (!this.mayOperate) return "Your token lets you watch, and give no commands.";
    return "";
  }

  /** Why no command may be given from here; "" = it may. */
  get barred() {
    const pen = this.report?.pen;
    if (this.unmarked) return this.unmarked;
    if (pen && pen.holder && pen.holder !== pageId()) return `You watch: ${consoleOf(pen.name)} holds the pen. Ask for it with P.`;
    return "";
  }

  /** Lets a button be pressed, or says on it why not.
   * @param {HTMLElement} button @param {boolean} [possible] whether it means something now @param {string} [why] */
  allow(button, possible = true, why = this.barred) {
    button.toggleAttribute("disabled", why !== "" || !possible);
    if (why) button.title = why;
    else button.removeAttribute("title");
  }

  /** Refuses a command that may not be given, in words. @returns {boolean} whether it may */
  permits() {
    if (this.barred) this.say(this.barred);
    return this.barred === "";
  }
}
