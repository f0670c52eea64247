// Who holds the pen: one console operates the lab, the others watch.

import { pageId, reason, send } from "../api.js";
import { byId, setText } from "../dom.js";

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

  return {
    update(report) {
      const pen = report.pen;
      const mine = !pen || pen.holder === pageId();
      const asked = mine && Boolean(pen?.asked);
      const seconds = Math.ceil((pen?.left_ms ?? 0) / 1000);
      host.hidden = mine && !asked;
      document.body.dataset.pen = mine ? "mine" : "other";
      const waiting = pen?.asked === pageId();
      let text = "";
      if (asked) text = `${pen.asked_by || "Another console"} asks for the pen. It goes there in ${seconds} s, unless you keep it.`;
      else if (!lab.mayOperate) text = "Watching. Your token gives no commands.";
      else if (waiting) text = `You have asked ${pen.name || "the other console"} for the pen: it is yours in ${seconds} s, unless it is kept.`;
      else if (pen?.asked) text = `Watching. ${pen.name || "Another console"} holds the pen; ${pen.asked_by || "a third one"} has asked for it.`;
      else text = pen?.holder ? `Watching. ${pen.name || "Another console"} holds the pen.` : "Watching. Nobody holds the pen.";
      setText(byId("pen-text"), text);
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
