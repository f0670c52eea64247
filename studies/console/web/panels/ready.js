// Readiness: what a session needs, and the participant's code, while nothing is recorded.

import { byId, icon, make, setIcon, setText } from "../dom.js";
import { coming, missing, showChecks } from "../checks.js";
import { compares, runs, waits } from "../phase.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../lab.js").Panel} Panel */

/** @param {HTMLElement} host @param {Lab} lab @returns {Panel} */
export function mount(host, lab) {
  const they = make("p", "witness", icon("idle"), make("span", ""));
  const we = make("p", "witness", icon("idle"), make("span", ""));
  const code = make("output", "code", "");
  code.setAttribute("aria-live", "off"); // the bar tells it
  const person = make("div", "person", make("span", "label", "Participant"), code, they, we);
  const list = make("ul", "checks wide");
  const none = make("p", "calm", "Nothing is known of the lab yet.");
  host.append(person, list, none);

  return {
    update(report) {
      const s = report.status;
      const sitting = (runs(s) && s.state === "prepared") || compares(s);
      const gate = sitting ? "begin" : "start";
      const gone = missing(s, gate).length;
      const rest = coming(s).length;
      setText(byId("h-ready-text"), sitting
        ? compares(s) ? "Cut off: it goes on when the participant has compared the code" : gone ? `${gone} missing before the recording` : waits(s) && !rest ? "Ready to begin" : `On the way to the recording${rest ? `, ${rest} to come` : ""}`
        : gone ? `${gone} missing before a session` : "Ready for a session");
      setIcon(byId("h-ready"), gone ? "major" : sitting && (rest || !waits(s)) ? "idle" : "ok");
      host.dataset.level = gone ? "missing" : "ok";
      person.hidden = !sitting;
      setText(code, s.participant);
      const { participant = false, operator = false } = s.confirmed ?? {};
      side(they, participant, "The participant has confirmed this code", "The participant has not confirmed this code yet");
      side(we, operator, "You have confirmed this code", "You confirm it with Begin (B), by what the participant reads aloud");
      we.hidden = compares(s);
      const checks = s.readiness ?? [];
      showChecks(list, checks);
      none.hidden = checks.length > 0;
    },
    down() {
      setText(byId("h-ready-text"), "Not known");
      setIcon(byId("h-ready"), "off");
    },
    unmount() {
      person.remove();
      list.remove();
      none.remove();
    },
  };
}

/** @param {HTMLElement} line @param {boolean} done @param {string} yes @param {string} no */
function side(line, done, yes, no) {
  setIcon(line, done ? "ok" : "idle");
  line.classList.toggle("quiet", !done);
  setText(/** @type {Element} */ (line.querySelector("span")), done ? yes : no);
}
