// What is done about a session that is over, and how far the study has come.

import { post, reason } from "./commands.js";
import { byId, make, setText } from "./dom.js";
import { erased } from "./sessions.js";
import { standing, started } from "./words.js";

/** @typedef {import("./types.js").Summary} Summary */
/** @typedef {import("./types.js").Cohort} Cohort */
/** @typedef {"usable"|"unusable"|"move"|"withdraw"} Deed */

const needsCode = ["move", "withdraw"];
const needsReason = ["usable", "unusable", "move"];
const buttonWords = /** @type {Record<string, string>} */ ({
  usable: "Count it", unusable: "Do not count it", move: "Move it", withdraw: "Erase everything",
});

/** A dialog that has the server do something, and stays open with its words when it does not. */
class Errand {
  /** @param {string} name begins the ids of its parts @param {(text: string) => void} say @param {() => void} changed the list of sessions is another one now */
  constructor(name, say, changed) {
    this.name = name;
    this.say = say;
    this.changed = changed;
    this.dialog = /** @type {HTMLDialogElement} */ (byId(`${name}-dialog`));
    this.code = /** @type {HTMLInputElement} */ (byId(`${name}-code`));
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
  /** @param {(text: string) => void} say @param {() => void} changed the list of sessions is another one now */
  constructor(say, changed) {
    super("person", say, changed);
    this.form = /** @type {HTMLFormElement} */ (this.dialog.querySelector("form"));
    this.reason = /** @type {HTMLInputElement} */ (byId("person-reason"));
    /** @type {Summary|undefined} */
    this.session = undefined;
    this.form.addEventListener("input", () => this.check());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.act();
    });
  }

  /** @param {Summary} session */
  open(session) {
    this.session = session;
    this.form.reset();
    this.refuse("");
    const counts = session.usable === null || session.usable === undefined ? "" : session.usable ? ", usable" : ", not usable";
    setText(byId("person-title"), `Session of ${session.participant}`);
    setText(byId("person-what"), `${started(session.started)}, ${standing(session)}${counts}${session.usable_why ? `: ${session.usable_why}` : ""}.`);
    this.check();
    this.dialog.showModal();
    /** @type {HTMLElement|null} */ (this.form.querySelector("input[name=deed]"))?.focus();
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
    await this.attempt(async () => {
      if (deed === "withdraw") this.say(`${s.participant} withdrew. ${erased(await post("withdraw", { session_id: s.id, participant }))}`);
      else if (deed === "move") await post("move", { session_id: s.id, participant, reason: why });
      else await post("judge", { session_id: s.id, usable: deed === "usable", reason: why });
    });
  }
}

/** Withdrawing by the code on a participant's receipt. */
export class Withdrawal extends Errand {
  /** @param {(text: string) => void} say @param {() => void} changed the list of sessions is another one now */
  constructor(say, changed) {
    super("withdraw", say, changed);
    byId("withdraw").onclick = () => {
      this.code.value = "";
      this.refuse("");
      this.check();
      this.dialog.showModal();
      this.code.focus();
    };
    this.code.oninput = () => this.check();
    this.dialog.querySelector("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.act();
    });
  }

  check() {
    setText(this.go, this.doing ? "Working" : "Erase everything");
    this.go.disabled = this.doing || this.code.value.trim() === "";
  }

  async act() {
    if (this.go.disabled) return;
    await this.attempt(async () => {
      this.say(`The participant withdrew. ${erased(await post("withdraw", { code: this.code.value.trim() }))}`);
    });
  }
}

/** @param {Cohort} c */
export function showCohort(c) {
  const cells = c.cells ?? [];
  const lost = [[c.unusable, "not usable"], [c.dropped, "stopped"], [c.declined, "did not take part"], [c.withdrawn, "withdrew"]];
  byId("cohort").hidden = c.wanted === 0 && c.usable === 0 && lost.every(([n]) => n === 0) && (c.people ?? []).length === 0;
  setText(byId("cohort-usable"), c.wanted ? `${c.usable} of ${c.wanted} usable` : `${c.usable} usable`);
  byId("cohort-cells").replaceChildren(...cells.map((cell) => {
    const name = make("th", "", `${cell.question} ${cell.band}`);
    name.setAttribute("scope", "row");
    return make("tr", cell.have >= cell.usable ? "full" : "", name, make("td", "num", `${cell.have - (cell.open ?? 0)} of ${cell.usable}${cell.open ? `, ${cell.open} under way` : ""}`));
  }));
  setText(byId("cohort-lost"), lost.filter(([n]) => n).map(([n, what]) => `${n} ${what}`).join(", "));
}
