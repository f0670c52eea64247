// Who holds the pen: one console operates the lab, the others watch.

import { pageId, reason, send } from "../api.js";
import { byId, setText, tell } from "../dom.js";
import { consoleOf } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../lab.js").Panel} Panel */

/** @param {HTMLElement} host @param {Lab} lab @returns {Panel} */
export function mount(host, lab) {
  /** @param {"ask"|"give"|"keep"} action */
  async function act(action) {
    try {
      await send("/api/pen", { action });
    } catch (error) {
      lab.say(reason(error));
    }
  }
  const ask = () => {
    const pen = lab.report?.pen;
    if (!lab.connected || !lab.mayOperate || !pen || pen.holder === pageId() || pen.asked === pageId()) return false;
    act("ask");
    return true;
  };
  byId("pen-ask").onclick = ask;
  byId("pen-give").onclick = () => act("give");
  byId("pen-keep").onclick = () => act("keep");
  const off = lab.keys.on("p", ask);
  let told = "";

  return {
    update(report) {
      const pen = report.pen;
      const mine = !pen || pen.holder === pageId();
      const asked = mine && Boolean(pen?.asked);
      const seconds = Math.ceil((pen?.left_ms ?? 0) / 1000);
      host.hidden = mine && !asked;
      document.body.dataset.pen = mine ? "mine" : "other";
      const waiting = pen?.asked === pageId();
      const words = (/** @type {string} */ when) => {
        if (asked) return `${upper(consoleOf(pen.asked_by))} asks for the pen. It goes there ${when}, unless you keep it.`;
        if (mine) return "You hold the pen.";
        if (!lab.mayOperate) return "Watching. Your token gives no commands.";
        if (waiting) return `You have asked ${consoleOf(pen.name)} for the pen: it is yours ${when}, unless it is kept.`;
        if (pen.asked) return `Watching. ${upper(consoleOf(pen.name))} holds the pen; ${consoleOf(pen.asked_by)} has asked for it.`;
        return pen.holder ? `Watching. ${upper(consoleOf(pen.name))} holds the pen and gives the commands.` : "Nobody holds the pen: whoever gives a command first takes it.";
      };
      setText(byId("pen-text"), words(`in ${seconds} s`));
      if (pen?.holder && told !== words("soon")) {
        if (told || !mine) tell(words("soon")); // whoever has had it from the start knows
        told = words("soon");
      }
      byId("pen-ask").hidden = asked || !lab.mayOperate || Boolean(pen?.asked);
      byId("pen-give").hidden = byId("pen-keep").hidden = !asked;
    },
    down() {
      host.hidden = true;
    },
    unmount() {
      off();
      host.hidden = true;
      for (const id of ["pen-ask", "pen-give", "pen-keep"]) byId(id).onclick = null;
    },
  };
}

/** @param {string} text with which a sentence begins */
function upper(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
