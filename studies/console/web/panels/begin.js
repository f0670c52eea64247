// Begin: the recording of the participant who waits, after their code was compared.

import { Refusal, post, reason } from "../api.js";
import { coming, missing, showChecks } from "../checks.js";
import { complain, dialogOf, inputOf } from "../dialog.js";
import { byId, setText } from "../dom.js";
import { runs, waits } from "../phase.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../lab.js").Panel} Panel */
/** @typedef {import("../types.js").Ready} Ready */

/** How much of the code is typed: what the participant has read aloud. */
const tail = 2;

/** @param {HTMLElement} host the key @param {Lab} lab @returns {Panel} */
export function mount(host, lab) {
  const dialog = dialogOf("begin-dialog");
  const confirm = inputOf("begin-confirm");
  const why = inputOf("begin-why");
  const go = /** @type {HTMLButtonElement} */ (byId("begin-go"));
  let beginning = false;
  /** @type {Ready[]|undefined} what the server found missing when it refused */
  let refused;

  const gone = () => refused ?? [...missing(lab.status, "begin"), ...coming(lab.status)];

  function check() {
    const code = lab.status?.participant ?? "";
    setText(byId("begin-stem"), code.slice(0, -tail));
    setText(byId("begin-who"), lab.status?.confirmed?.participant ? "The participant has confirmed their code." : "The participant has not confirmed their code.");
    const lacking = gone();
    showChecks(byId("begin-checks"), lacking);
    byId("begin-override").hidden = lacking.length === 0;
    const typed = confirm.value.trim().length === Math.min(tail, code.length);
    go.disabled = beginning || !typed || lab.barred !== "" || (lacking.length > 0 && why.value.trim() === "");
    setText(go, beginning ? "Beginning" : lacking.length ? "Begin all the same" : "Begin recording");
  }

  function open() {
    const s = lab.status;
    refused = undefined;
    if (s && runs(s) && s.state === "prepared" && !s.ready) {
      const rest = gone().map((c) => c.label.toLowerCase()).join(", ");
      lab.say(`The participant has not come to the end of the questions${rest ? `: still to come ${rest}` : ""}.`);
      return true;
    }
    if (!waits(s)) return false;
    if (!lab.permits()) return true;
    confirm.value = why.value = "";
    complain("begin-error", "");
    check();
    dialog.showModal();
    confirm.focus();
    return true;
  }

  async function begin() {
    if (go.disabled) return;
    beginning = true;
    complain("begin-error", "");
    check();
    try {
      await post("begin", { confirm: confirm.value.trim().toUpperCase(), override: gone().length ? why.value.trim() : "" });
      dialog.close();
    } catch (error) {
      refused = (error instanceof Refusal && error.notReady?.checks) || undefined;
      complain("begin-error", `Not begun: ${reason(error)}`);
      if (!refused) confirm.select();
    } finally {
      beginning = false;
      check();
    }
    if (refused) why.focus();
  }

  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    begin();
  };
  host.onclick = open;
  confirm.oninput = why.oninput = check;
  dialog.querySelector("form")?.addEventListener("submit", submit);
  const off = lab.keys.on("b", open);

  return {
    update() {
      const s = lab.status;
      host.hidden = !waits(s);
      lab.allow(host);
      if (dialog.open && !waits(s)) dialog.close();
      if (dialog.open) check();
    },
    down() {
      lab.allow(host);
      if (dialog.open) check();
    },
    unmount() {
      off();
      host.onclick = null;
      dialog.querySelector("form")?.removeEventListener("submit", submit);
    },
  };
}
