// What a participant is given: shown, to be printed.

import { byId, setText } from "./dom.js";
import { baseName } from "./words.js";

/** @typedef {import("./types.js").Erasure} Erasure */

export class Paper {
  constructor() {
    this.dialog = /** @type {HTMLDialogElement} */ (byId("paper-dialog"));
    byId("paper-print").onclick = () => print(); // the style sheet leaves out all but this dialog
    this.dialog.addEventListener("close", () => setText(byId("paper-text"), "")); // a code stays nowhere
  }

  /** @param {{text: string}} slip with a code that is shown this once */
  slip(slip) {
    byId("paper-download").hidden = true;
    this.show("Receipt with a withdrawal code", "For the participant. The code is shown this once and kept nowhere: print it now, or let them copy it.", slip.text);
  }

  /** The receipt of a withdrawal. @param {Erasure} e */
  async withdrawal(e) {
    if (!e.receipt) return;
    const path = `/api/receipts/${encodeURIComponent(baseName(e.receipt))}`;
    const unread = "It cannot be read from here.";
    const text = await fetch(path, { cache: "no-store" }).then((r) => (r.ok ? r.text() : unread)).catch(() => unread);
    const link = byId("paper-download");
    link.hidden = false;
    link.setAttribute("href", path);
    link.setAttribute("download", baseName(e.receipt));
    const beside = e.beside?.length ? ` Not erased, because this program has not made it; look what of the participant is in it: ${e.beside.join(", ")}.` : "";
    this.show("Receipt of the withdrawal", `For the participant. It names nobody, and is kept as ${e.receipt}.${beside}`, text);
  }

  /** @param {string} title @param {string} note @param {string} text */
  show(title, note, text) {
    setText(byId("paper-title"), title);
    setText(byId("paper-note"), note);
    setText(byId("paper-text"), text);
    this.dialog.showModal();
  }
}
