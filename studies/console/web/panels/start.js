// Start: one big key that says what is missing, and the dialog with the participant's code.

import { Refusal, post, reason } from "../api.js";
import { missing, showChecks } from "../checks.js";
import { complain, dialogOf, inputOf } from "../dialog.js";
import { byId, setText } from "../dom.js";
import { runs } from "../phase.js";
import { standing, started } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../lab.js").Panel} Panel */
/** @typedef {import("../types.js").Known} Known */
/** @typedef {import("../types.js").Ready} Ready */

const codePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;
/** A second Start within this is a slip of the hand, in ms. */
const slipMs = 2000;

/** @param {HTMLElement} host the key @param {Lab} lab @returns {Panel} */
export function mount(host, lab) {
  const start = new Start(host, lab);
  const off = lab.keys.on("s", () => start.open());
  start.down(); // until the lab answers
  return {
    update: () => start.update(),
    down: () => start.down(),
    unmount() {
      off();
      host.onclick = null;
    },
  };
}

class Start {
  /** @param {HTMLElement} key @param {Lab} lab */
  constructor(key, lab) {
    this.key = key;
    this.lab = lab;
    this.dialog = dialogOf("start-dialog");
    this.code = inputOf("code");
    this.why = inputOf("start-why");
    this.go = /** @type {HTMLButtonElement} */ (byId("start-go"));
    this.starting = false;
    this.startedAt = -Infinity;
    /** @type {Known|undefined} the server asks whether it is the same person */
    this.asked = undefined;
    /** @type {Ready[]|undefined} what the server found missing when it refused */
    this.refused = undefined;
    key.onclick = () => this.open();
    byId("known-new").onclick = () => this.start("new");
    byId("known-continue").onclick = () => this.start("continue");
    byId("known-other").onclick = () => this.open();
    this.code.oninput = () => {
      this.ask(undefined);
      this.check();
    };
    this.why.oninput = () => this.check();
    this.dialog.querySelector("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.asked) this.start(""); // else one of the buttons says what is meant
    });
  }

  update() {
    const s = this.lab.status;
    this.key.hidden = runs(s) || Boolean(s?.busy);
    this.lab.allow(this.key);
    const gone = missing(s, "start");
    const names = gone.map((c) => c.label).join(", ");
    setText(byId("start-missing"), gone.length ? `Missing: ${names}` : "");
    byId("start-missing").hidden = gone.length === 0;
    if (!this.dialog.open) return;
    if (s && runs(s)) this.dialog.close();
    else this.check();
  }

  /** Nobody knows what the lab does now: what is on the page stays, and does nothing. */
  down() {
    this.lab.allow(this.key);
    if (this.dialog.open) this.check();
  }

  /** @returns {boolean} */
  open() {
    const s = this.lab.status;
    if (!s || runs(s) || s.busy || performance.now() - this.startedAt < slipMs) return false;
    if (!this.lab.permits()) return true;
    this.code.value = this.why.value = "";
    this.refused = undefined;
    complain("start-error", "");
    this.ask(undefined);
    this.check();
    if (!this.dialog.open) this.dialog.showModal();
    this.code.focus();
    return true;
  }

  /** What holds the start up, by the latest that is known. */
  missing() {
    return this.refused ?? missing(this.lab.status, "start");
  }

  /** Says what is missing. */
  check() {
    const s = this.lab.status;
    const code = this.code.value.trim();
    const fits = codePattern.test(code);
    const before = this.asked ? [] : this.lab.sessions.filter((x) => alike(x.participant, code));
    /** @type {Ready[]} */
    const checks = [];
    const add = (/** @type {Ready["level"]} */ level, /** @type {string} */ label, /** @type {string} */ text, /** @type {string} */ advice) =>
      checks.push({ id: label, label, level, text, advice, gate: "start" });
    if (!s) add("missing", "Connection", "No connection to the lab", "");
    if (code && !fits) add("missing", "Code", "This code cannot be used", "Letters, digits, - and _ only, beginning with a letter or a digit.");
    if (before.length) add("attention", "Code", `${before[0].participant} has been here before`, "You will be asked what is meant.");
    const gate = (this.refused ?? s?.readiness ?? []).filter((c) => c.gate === "start");
    checks.push(...gate.filter((c) => c.level !== "ok"));
    const stage = !s || s.stage_connected;
    if (!stage && !gate.some((c) => c.id === "stage" && c.level !== "ok")) {
      add("missing", "Screen", "The participant’s screen is not open", "Open the participant’s address that Emolab printed at its start, on that screen.");
    }
    if (checks.length === 0) add("ok", "Lab", "Nothing is missing", "");
    showChecks(byId("checks"), checks);

    const gone = this.missing();
    const override = gone.length > 0 && stage;
    byId("start-override").hidden = !override;
    byId("start-blocked").hidden = !s || stage;
    setText(byId("start-override-what"), `Start without: ${gone.map((c) => c.label).join(", ")}`);
    const blocked = !s || !stage || this.lab.barred !== "";
    const unsaid = override && this.why.value.trim() === "";
    this.go.disabled = this.starting || !fits || blocked || unsaid;
    this.go.hidden = this.asked !== undefined;
    for (const id of ["known-new", "known-continue"]) byId(id).toggleAttribute("disabled", this.go.disabled);
    setText(this.go, this.starting ? "Starting" : override ? "Start all the same" : "Start");
  }

  /** Asks what is meant by a code that was used before. @param {Known|undefined} known */
  ask(known) {
    this.asked = known;
    byId("known").hidden = !known;
    if (!known) return;
    const cut = known.sessions.find((s) => s.id === known.cut);
    setText(byId("known-what"), `${known.participant} has been here before: ` + known.sessions.map((s) =>
      `${started(s.started)}, ${standing(s)}`).join("; ") + ". Is it the same person?");
    byId("known-continue").hidden = !cut;
  }

  /** @param {""|"new"|"continue"} again what a code that was used before means */
  async start(again) {
    if (this.go.disabled) return;
    const override = this.missing().length ? this.why.value.trim() : "";
    this.starting = true;
    complain("start-error", "");
    this.check();
    try {
      await post("start", { participant: this.code.value.trim(), again, override });
      this.startedAt = performance.now();
      this.dialog.close();
    } catch (error) {
      const refusal = error instanceof Refusal ? error : undefined;
      this.refused = refusal?.notReady?.checks ?? undefined;
      if (refusal?.known) this.ask(refusal.known);
      else complain("start-error", `Not started: ${reason(error)}`);
    } finally {
      this.starting = false;
      this.check();
    }
    if (this.asked) byId(this.asked.cut ? "known-continue" : "known-other").focus(); // a second Enter begins nothing
    else if (this.refused) this.why.focus();
  }
}

/** Whether two participants' codes are one to whoever reads or types them, as the server
 * has it. @param {string} a @param {string} b */
function alike(a, b) {
  const plain = (/** @type {string} */ s) => s.toUpperCase().replaceAll("O", "0").replace(/[IL]/g, "1");
  return plain(a) === plain(b);
}
