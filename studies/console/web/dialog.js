// Dialogs that have the server do something.

import { reason } from "./api.js";
import { byId, setText } from "./dom.js";

/** @param {string} id @returns {HTMLDialogElement} whose cancel button closes it, and does nothing else */
export function dialogOf(id) {
  const dialog = /** @type {HTMLDialogElement} */ (byId(id));
  dialog.querySelector(`button[value="cancel"]`)?.addEventListener("click", () => dialog.close());
  return dialog;
}

/** @param {string} id @returns {HTMLInputElement} */
export function inputOf(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/** Shows what went wrong, or nothing. @param {string} id @param {string} text */
export function complain(id, text) {
  const e = byId(id);
  e.hidden = text === "";
  setText(e, text);
}

/** A dialog that stays open with the server's words when the server refuses. */
export class Errand {
  /** @param {string} name begins the ids of its parts @param {import("./lab.js").Lab} lab */
  constructor(name, lab) {
    this.name = name;
    this.lab = lab;
    this.dialog = dialogOf(`${name}-dialog`);
    this.go = /** @type {HTMLButtonElement} */ (byId(`${name}-go`));
    this.doing = false;
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
      this.lab.relist();
    } catch (error) {
      this.refuse(`Not done: ${reason(error)}`);
      if (!this.dialog.open) this.lab.say(`Not done: ${reason(error)}`); // Esc closes it while it works
    } finally {
      this.doing = false;
      this.check();
    }
  }

  /** @param {string} text */
  refuse(text) {
    complain(`${this.name}-error`, text);
  }
}
