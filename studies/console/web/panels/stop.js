// Stop: held for a second, or after a question. Esc never ends anything.

import { post, reason } from "../api.js";
import { dialogOf, inputOf } from "../dialog.js";
import { byId, setText } from "../dom.js";
import { present, runs, shown } from "../phase.js";
import { clock } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../lab.js").Panel} Panel */
/** @typedef {import("../types.js").Status} Status */

/** How long X or the button is held to stop: longer than any slip of a hand. */
const holdMs = 1000;

/** @param {HTMLElement} host the button @param {Lab} lab @returns {Panel} */
export function mount(host, lab) {
  const dialog = dialogOf("stop-dialog");
  const why = inputOf("reason");
  let holding = 0;
  let held = false; // the button was held to the end; the click that follows means nothing

  const running = () => runs(lab.status);

  function open() {
    if (dialog.open || !running()) return false;
    if (!lab.permits()) return true;
    why.value = "";
    describe();
    dialog.showModal();
    return true;
  }

  function describe() {
    if (!lab.status) return;
    const { what, keep, go } = question(lab.status);
    setText(byId("stop-what"), what);
    setText(byId("stop-keep"), keep);
    setText(byId("stop-go"), go);
  }

  /** @param {string} text */
  async function stop(text) {
    try {
      await post("stop", { reason: text.trim() });
    } catch (error) {
      lab.say(`Not stopped: ${reason(error)}`);
    }
  }

  /** @param {boolean} byButton */
  function hold(byButton) {
    if (!running()) return false;
    if (holding) return true;
    if (!lab.permits()) return true;
    host.classList.add("holding");
    holding = window.setTimeout(() => {
      release();
      held = byButton;
      if (!dialog.open) stop("");
    }, holdMs);
    return true;
  }

  function release() {
    clearTimeout(holding);
    holding = 0;
    host.classList.remove("holding");
  }

  const submit = () => {
    stop(why.value);
  };
  const keyup = (/** @type {KeyboardEvent} */ event) => {
    if (event.key.toLowerCase() === "x") release();
  };
  dialog.querySelector("form")?.addEventListener("submit", submit);
  host.onpointerdown = (event) => {
    held = false;
    if (event.button === 0) hold(true);
  };
  host.onpointerup = host.onpointerleave = host.onpointercancel = release;
  host.onclick = () => {
    if (!held) open(); // a short press asks first
    held = false;
  };
  const offs = [lab.keys.on("S", open), lab.keys.on("x", () => hold(false))];
  addEventListener("keyup", keyup);
  addEventListener("blur", release);

  return {
    update() {
      host.hidden = !running();
      lab.allow(host);
      if (!running()) {
        release();
        if (dialog.open) dialog.close();
      } else if (dialog.open) describe();
    },
    down() {
      lab.allow(host);
      release();
      if (dialog.open) dialog.close();
    },
    unmount() {
      for (const off of offs) off();
      removeEventListener("keyup", keyup);
      removeEventListener("blur", release);
      dialog.querySelector("form")?.removeEventListener("submit", submit);
      host.onclick = host.onpointerdown = host.onpointerup = host.onpointerleave = host.onpointercancel = null;
    },
  };
}

/** What stopping means now. @param {Status} s @returns {{what: string, keep: string, go: string}} */
function question(s) {
  if (s.stopped) {
    return { keep: "Let them read", go: "Close the pages", what: `Stopped. ${s.participant} is on the last pages, with the code by which they may withdraw. Stop again closes them.` };
  }
  if (s.state === "prepared") {
    return { keep: "Go on", go: "Stop", what: `Nothing has been recorded of ${s.participant} yet, and nothing will be. Who has agreed already is shown the code by which they may withdraw.` };
  }
  if (s.recording_over) {
    const gone = present(s)?.sheet === "withdrawn";
    return { keep: "Go on", go: gone ? "Stop" : "Stop and seal", what: gone
      ? `Everything of ${s.participant} is erased, and they are reading that.`
      : `The recording of ${s.participant} has ended after ${clock(s.elapsed_ms)}. They are on the last pages, with the code by which they may withdraw.` };
  }
  const left = shown(s).filter((p) => p.action === "play" && p.index > s.step).length;
  const rest = left === 0 ? "No clip is left to show." : `${left} ${left === 1 ? "clip is" : "clips are"} still to be shown.`;
  return { keep: "Keep recording", go: "Stop and seal", what: `${s.participant} has been recorded for ${clock(s.elapsed_ms)}. ${rest} The recording ends at once and cannot be continued. Who has agreed is led to the last pages, which ask what becomes of it and give the code; then it is sealed.` };
}
