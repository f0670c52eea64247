// What is done about data when their session is over: withdrawing by a code, and erasing
// what is past its date.

import { get, post, reason, send } from "../api.js";
import { Errand } from "../dialog.js";
import { byId, make, setText } from "../dom.js";
import { Paper } from "../paper.js";
import { count, date, erased } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../types.js").Holder} Holder */
/** @typedef {import("../types.js").Overdue} Overdue */

/** @param {HTMLElement} _ @param {Lab} lab @returns {import("../lab.js").Panel} */
export function mount(_, lab) {
  const withdrawal = new Withdrawal(lab);
  const purge = new Purge(lab);
  const allow = () => {
    for (const id of ["withdraw", "overdue-look"]) lab.allow(byId(id));
    withdrawal.check();
    purge.check();
  };
  return {
    update: allow,
    down: allow,
    unmount() {
      byId("withdraw").onclick = byId("overdue-look").onclick = null;
      withdrawal.dialog.close();
      purge.dialog.close();
    },
  };
}

/** Withdrawing by the code on a participant's receipt: first whose it is, then the deed. */
class Withdrawal extends Errand {
  /** @param {Lab} lab */
  constructor(lab) {
    super("withdraw", lab);
    this.paper = new Paper();
    this.code = /** @type {HTMLInputElement} */ (byId("withdraw-code"));
    /** @type {Holder|undefined} of the code that stands there */
    this.holder = undefined;
    byId("withdraw").onclick = () => {
      this.code.value = "";
      this.found(undefined);
      this.refuse("");
      this.check();
      this.dialog.showModal();
      this.code.focus();
    };
    this.code.oninput = () => {
      this.found(undefined);
      this.check();
    };
    this.dialog.querySelector("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.go.disabled) return;
      if (this.holder) this.erase(this.holder);
      else this.look();
    });
  }

  check() {
    const ready = this.holder ? `Erase everything of ${this.holder.participant}` : "Look up";
    setText(this.go, this.doing ? "Working" : ready);
    this.go.className = this.holder ? "danger" : "primary";
    this.go.disabled = this.doing || this.lab.barred !== "" || this.code.value.trim() === "";
  }

  /** @param {Holder|undefined} holder */
  found(holder) {
    this.holder = holder;
    const box = byId("withdraw-whose");
    box.hidden = !holder;
    if (!holder) return;
    const given = holder.recipients?.length ? ` Given out to: ${holder.recipients.join("; ")}.` : "";
    setText(box, `It is the code of ${holder.participant}: ${many(holder.sessions, "session")}, of which ${many(holder.bundles, "bundle")} ${holder.bundles === 1 ? "was" : "were"} made.${given} All of it is erased, with the video. This cannot be undone.`);
  }

  /** Whose it is; a second Enter closes, and erases nobody. */
  async look() {
    const code = this.code.value.trim();
    this.doing = true;
    this.refuse("");
    this.check();
    try {
      const holder = await post("holder", { code });
      if (this.code.value.trim() === code) this.found(holder);
    } catch (error) {
      this.refuse(reason(error));
    } finally {
      this.doing = false;
      this.check();
    }
    if (this.holder) /** @type {HTMLElement|null} */ (this.dialog.querySelector(`button[value="cancel"]`))?.focus();
  }

  /** @param {Holder} holder */
  async erase(holder) {
    /** @type {import("../types.js").Erasure|undefined} */
    let gone;
    await this.attempt(async () => {
      gone = await post("withdraw", { code: this.code.value.trim(), participant: holder.participant });
      this.lab.say(`The participant withdrew. ${erased(gone)}`);
    });
    if (gone) await this.paper.withdrawal(gone);
  }
}

/** What is past its date: first shown, then erased. */
class Purge extends Errand {
  /** @param {Lab} lab */
  constructor(lab) {
    super("overdue", lab);
    /** @type {Overdue[]} */
    this.items = [];
    byId("overdue-look").onclick = () => this.open();
    this.dialog.querySelector("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.act();
    });
  }

  async open() {
    this.refuse("");
    try {
      this.items = await get("/api/overdue");
    } catch (error) {
      this.lab.say(`It cannot be shown now: ${reason(error)}`);
      return;
    }
    byId("overdue-list").replaceChildren(...this.items.map((d) =>
      make("tr", "", make("td", "", d.what), make("td", "", d.session), make("td", "num", `until ${date(d.until)}`), make("td", "num", many(d.files, "file")))));
    this.check();
    if (!document.querySelector("dialog[open]")) this.dialog.showModal(); // something else was opened meanwhile
  }

  check() {
    setText(this.go, this.doing ? "Working" : "Erase now");
    this.go.disabled = this.doing || this.lab.barred !== "" || this.items.length === 0;
  }

  async act() {
    if (this.go.disabled) return;
    await this.attempt(async () => {
      const done = await send("/api/overdue/erase", { items: this.items.length });
      const tell = done.recipients?.length ? ` To be told, because they were given a bundle: ${done.recipients.join(", ")}.` : "";
      const look = done.beside?.length ? ` Not erased, because this program has not made it; look what is in it: ${done.beside.join(", ")}.` : "";
      this.lab.say(`Erased: ${many(done.items, "item")}, ${many(done.files, "file")}. The report is kept as ${done.report}.${tell}${look}`);
    });
  }
}

/** @param {number} n @param {string} what */
function many(n, what) {
  return `${count(n)} ${what}${n === 1 ? "" : "s"}`;
}
