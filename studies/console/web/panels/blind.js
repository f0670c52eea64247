// The operator-blind mode: brands and what is measured of emotion are hidden, quality is
// shown. The server holds them back; this page only says so, and asks why they come back.

import { post, reason } from "../api.js";
import { complain, dialogOf, inputOf } from "../dialog.js";
import { byId, setText } from "../dom.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../lab.js").Panel} Panel */

/** @param {HTMLElement} host the button @param {Lab} lab @returns {Panel} */
export function mount(host, lab) {
  const dialog = dialogOf("blind-dialog");
  const why = inputOf("blind-why");
  const go = /** @type {HTMLButtonElement} */ (byId("blind-go"));

  /** @param {boolean} on @param {string} text */
  async function set(on, text) {
    try {
      await post("blind", { on, reason: text });
      if (!on) dialog.close(); // the answer to a yes may come when the dialog is open for the no
    } catch (error) {
      complain("blind-error", `Not changed: ${reason(error)}`);
      if (!dialog.open) lab.say(`Not changed: ${reason(error)}`);
    }
  }
  const toggle = () => {
    const s = lab.status;
    if (!s) return false;
    if (!lab.permits()) return true;
    if (!s.blind) {
      set(true, "");
      return true;
    }
    setText(byId("blind-what"), s.blind_by_study
      ? "The study asks that whoever operates does not see brands and emotions. Who looks all the same may treat this participant differently: the reason is kept with the recording."
      : "Brands and what is measured of emotion are shown again. The reason is kept with the recording.");
    why.value = "";
    go.disabled = true;
    complain("blind-error", "");
    dialog.showModal();
    why.focus();
    return true;
  };
  why.oninput = () => {
    go.disabled = why.value.trim() === "";
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!go.disabled) set(false, why.value.trim());
  };
  dialog.querySelector("form")?.addEventListener("submit", submit);
  host.onclick = toggle;
  const off = lab.keys.on("o", toggle);

  return {
    update(report) {
      const blind = Boolean(report.status.blind);
      document.body.dataset.blind = String(blind);
      host.setAttribute("aria-pressed", String(blind));
      setText(byId("blind-text"), blind ? "Blind: on" : "Blind: off");
      lab.allow(host);
      if (dialog.open && !blind) dialog.close();
    },
    down: () => lab.allow(host),
    unmount() {
      off();
      host.onclick = null;
      dialog.querySelector("form")?.removeEventListener("submit", submit);
    },
  };
}
