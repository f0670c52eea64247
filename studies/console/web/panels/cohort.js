// How far the study has come: usable people by cell of the quota, by video and by brand.

import { byId, make, setText } from "../dom.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../types.js").Cohort} Cohort */
/** @typedef {import("../types.js").Tally} Tally */

/** @param {HTMLElement} host @param {Lab} lab @returns {import("../lab.js").Panel} */
export function mount(host, lab) {
  let drawn = "";
  return {
    update(report) {
      const blind = Boolean(report.status.blind);
      const key = JSON.stringify([lab.cohort, blind]);
      if (!lab.cohort || key === drawn) return;
      drawn = key;
      show(host, lab.cohort, blind);
    },
    unmount() {
      byId("cohort-cells").replaceChildren();
      byId("cohort-shown").replaceChildren();
    },
  };
}

/** The server gives a blind console no lists of videos and brands.
 * @param {HTMLElement} host @param {Cohort} c @param {boolean} blind */
function show(host, c, blind) {
  const cells = c.cells ?? [];
  const due = c.due ?? 0;
  const doubt = c.due_error ? `What is past its date cannot be told: ${c.due_error}` : "";
  byId("overdue").hidden = due === 0 && !doubt;
  byId("overdue-look").hidden = due === 0;
  setText(byId("overdue-what"), doubt || (due === 1 ? "1 item is past its date" : `${due} items are past their date`));
  const lost = [[c.unusable, "not usable"], [c.dropped, "stopped"], [c.declined, "did not take part"], [c.withdrawn, "withdrew"]];
  host.hidden = c.wanted === 0 && c.usable === 0 && due === 0 && !doubt && lost.every(([n]) => n === 0) && (c.people ?? []).length === 0;
  setText(byId("cohort-usable"), c.wanted ? `${c.usable} of ${c.wanted} usable` : `${c.usable} usable`);
  byId("cohort-cells").replaceChildren(...cells.map((cell) => row(`${cell.question} ${cell.band}`,
    `${cell.have - (cell.open ?? 0)} of ${cell.usable}${cell.open ? `, ${cell.open} under way` : ""}`, cell.have >= cell.usable)));
  setText(byId("cohort-lost"), lost.filter(([n]) => n).map(([n, what]) => `${n} ${what}`).join(", "));
  byId("cohort-shown").replaceChildren(...(blind ? [] : [...group("Per video", c.videos), ...group("Per brand", c.brands)]));
  byId("cohort-hidden").hidden = !blind;
}

/** @param {string} title @param {Tally[]|null|undefined} tallies @returns {HTMLElement[]} */
function group(title, tallies) {
  if (!tallies?.length) return [];
  const head = make("th", "quiet", title);
  head.setAttribute("colspan", "2");
  head.setAttribute("scope", "colgroup");
  const people = make("tr", "head", head);
  return [people, ...tallies.map((t) => row(t.name, t.shown === t.usable ? `${t.usable} usable` : `${t.usable} of ${t.shown} usable`, false))];
}

/** @param {string} what @param {string} count @param {boolean} full */
function row(what, count, full) {
  const name = make("th", "", what);
  name.setAttribute("scope", "row");
  return make("tr", full ? "full" : "", name, make("td", "num", count));
}
