// What is done about a session that is over.

import { post } from "../api.js";
import { Errand } from "../dialog.js";
import { byId, setText } from "../dom.js";
import { Paper } from "../paper.js";
import { erased, standing, started } from "../words.js";

/** @typedef {import("../types.js").Summary} Summary */
/** @typedef {"usable"|"unusable"|"move"|"receipt"|"withdraw"} Deed */
/** @typedef {import("../lab.js").Lab} Lab */

const needsCode = ["move", "withdraw"];
const needsReason = ["usable", "unusable", "move"];
const buttonWords = /** @type {Record<string, string>} */ ({
  usable: "Count it", unusable: "Do not count it", move: "Move it", receipt: "Give a receipt", withdraw: "Erase everything",
});

/** @param {HTMLElement} _ @param {Lab} lab @returns {import("../lab.js").Panel} */
export function mount(_, lab) {
  const people = new People(lab);
  lab.openPerson = (deed, session) => people.open(session, deed);
  return {
    update: () => people.check(),
    down: () => people.check(),
    unmount() {
      lab.openPerson = () => {};
      people.dialog.close();
    },
  };
}

class People extends Errand {
  /** @param {Lab} lab */
  constructor(lab) {
    super("person", lab);
    this.paper = new Paper();
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
    this.go.disabled = this.doing || this.lab.barred !== "" || !deed || !fits || (why && this.reason.value.trim() === "");
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
        this.lab.say(`${s.participant} withdrew. ${erased(gone)}`);
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
