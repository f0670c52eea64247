// What is done about a session that is over, and how far the study has come.

import { post, reason } from "./commands.js";
import { byId, make, setText } from "./dom.js";
import { erased } from "./sessions.js";
import { standing, started } from "./words.js";

/** @typedef {import("./types.js").Summary} Summary */
/** @typedef {import("./types.js").Cohort} Cohort */
/** @typedef {"usable"|"unusable"|"move"|"receipt"|"withdraw"} Deed */
/** @typedef {import("./paper.js").Paper} Paper */

const needsCode = ["move", "withdraw"];
const needsReason = ["usable", "unusable", "move"];
const buttonWords = /** @type {Record<string, string>} */ ({
  usable: "Count it", unusable: "Do not count it", move: "Move it", receipt: "Give a receipt", withdraw: "Erase everything",
});

/** A dialog that has the server do something, and stays open with its words when it does not. */
export class Errand {
  /** @param {string} name begins the ids of its parts @param {(text: string) => void} say @param {() => void} changed the list of sessions is another one now */
  constructor(name, say, changed) {
    this.name = name;
    this.say = say;
    this.changed = changed;
    this.dialog = /** @type {HTMLDialogElement} */ (byId(`${name}-dialog`));
    this.go = /** @type {HTMLButtonElement} */ (byId(`${name}-go`));
    this.doing = false;
    this.dialog.querySelector(`button[value="cancel"]`)?.addEventListener("click", () => this.dialog.close());
  }

  /** Shows what can be done now. */
  check() {}

  /** @param {() => Promise<void>} deed */
  async attempt(deed) {
    this.doing = true;
    this.refuse("");
    this.check();
    try {
      await deed();
      this.dialog.close();
      this.changed();
    } catch (error) {
      this.refuse(`Not done: ${reason(error)}`);
      if (!this.dialog.open) this.say(`Not done: ${reason(error)}`); // Esc closes it while it works
    } finally {
      this.doing = false;
      this.check();
    }
  }

  /** @param {string} text */
  refuse(text) {
    const e = byId(`${this.name}-error`);
    e.hidden = text === "";
    setText(e, text);
  }
}

export class People extends Errand {
  /** @param {(text: string) => void} say @param {() => void} changed the list of sessions is another one now @param {Paper} paper */
  constructor(say, changed, paper) {
    super("person", say, changed);
    this.paper = paper;
    this.form = /** @type {HTMLFormElement} */ (this.dialog.querySelector("form"));
    this.code = /** @type {HTMLInputElement} */ (byId("person-code"));
    this.reason = /** @type {HTMLInputElement} */ (byId("person-reason"));
    /** @type {Summary|undefined} */
    this.session = undefined;
    this.form.addEventListener("input", () => this.check());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.act();
    });
  }

  /** @param {Summary} session @param {Deed} [offered] what is likely to be wanted */
  open(session, offered) {
    this.session = session;
    this.form.reset();
    for (const choice of this.form.querySelectorAll("input[name=deed]")) {
      if (choice instanceof HTMLInputElement && choice.value === offered) choice.checked = true;
    }
    this.refuse("");
    const counts = session.usable === null || session.usable === undefined ? "" : session.usable ? ", usable" : ", not usable";
    setText(byId("person-title"), `Session of ${session.participant}`);
    setText(byId("person-what"), `${started(session.started)}, ${standing(session)}${counts}${session.usable_why ? `: ${session.usable_why}` : ""}.`);
    this.check();
    this.dialog.showModal();
    /** @type {HTMLElement|null} */ (this.form.querySelector("input[name=deed]"))?.focus();
    if (offered) this.go.focus();
  }

  /** @returns {Deed|undefined} */
  deed() {
    return /** @type {Deed|undefined} */ (new FormData(this.form).get("deed") ?? undefined);
  }

  check() {
    const deed = this.deed();
    const [code, why] = [needsCode.includes(deed ?? ""), needsReason.includes(deed ?? "")];
    byId("person-code-part").hidden = !code;
    byId("person-reason-part").hidden = !why;
    setText(byId("person-code-label"), deed === "withdraw"
      ? `Type ${this.session?.participant} to erase all of their sessions, video and bundles`
      : "Code of the participant whose session it is");
    this.go.className = deed === "withdraw" ? "danger" : "primary";
    setText(this.go, this.doing ? "Working" : buttonWords[deed ?? ""] ?? "Do it");
    const typed = this.code.value.trim();
    const fits = !code || (deed === "withdraw" ? typed === this.session?.participant : typed !== "");
    this.go.disabled = this.doing || !deed || !fits || (why && this.reason.value.trim() === "");
  }

  async act() {
    const [deed, s] = [this.deed(), this.session];
    if (this.go.disabled || !deed || !s) return;
    const participant = this.code.value.trim();
    const why = this.reason.value.trim();
    /** @type {(() => void)|undefined} */
    let given;
    await this.attempt(async () => {
      if (deed === "withdraw") {
        const gone = await post("withdraw", { session_id: s.id, participant });
        this.say(`${s.participant} withdrew. ${erased(gone)}`);
        given = () => this.paper.withdrawal(gone);
      } else if (deed === "receipt") {
        const slip = await post("receipt", { session_id: s.id });
        given = () => this.paper.slip(slip);
      } else if (deed === "move") await post("move", { session_id: s.id, participant, reason: why });
      else await post("judge", { session_id: s.id, usable: deed === "usable", reason: why });
    });
    given?.(); // the dialog is closed by then
  }
}

/** @param {Cohort} c */
export function showCohort(c) {
  const cells = c.cells ?? [];
  const due = c.due ?? 0;
  const doubt = c.due_error ? `What is past its date cannot be told: ${c.due_error}` : "";
  byId("overdue").hidden = due === 0 && !doubt;
  byId("overdue-look").hidden = due === 0;
  setText(byId("overdue-what"), doubt || (due === 1 ? "1 item is past its date" : `${due} items are past their date`));
  const lost = [[c.unusable, "not usable"], [c.dropped, "stopped"], [c.declined, "did not take part"], [c.withdrawn, "withdrew"]];
  byId("cohort").hidden = c.wanted === 0 && c.usable === 0 && due === 0 && !doubt && lost.every(([n]) => n === 0) && (c.people ?? []).length === 0;
  setText(byId("cohort-usable"), c.wanted ? `${c.usable} of ${c.wanted} usable` : `${c.usable} usable`);
  byId("cohort-cells").replaceChildren(...cells.map((cell) => {
    const name = make("th", "", `${cell.question} ${cell.band}`);
    name.setAttribute("scope", "row");
    return make("tr", cell.have >= cell.usable ? "full" : "", name, make("td", "num", `${cell.have - (cell.open ?? 0)} of ${cell.usable}${cell.open ? `, ${cell.open} under way` : ""}`));
  }));
  setText(byId("cohort-lost"), lost.filter(([n]) => n).map(([n, what]) => `${n} ${what}`).join(", "));
}
