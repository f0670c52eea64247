// The panel beside the pictures: quality, notes, and which action units are drawn.

import { byId, make } from "../dom.js";

const tabs = ["quality", "notes", "units"];

/** @param {import("./charts.js").Charts} charts @param {string[]} units columns of action units @param {(name: string) => string} words */
export function wireTabs(charts, units, words) {
  const choose = (/** @type {string} */ chosen) => {
    for (const tab of tabs) {
      const button = byId(`tab-${tab}`);
      button.setAttribute("aria-selected", String(tab === chosen));
      button.tabIndex = tab === chosen ? 0 : -1;
      byId(`page-${tab}`).hidden = tab !== chosen;
    }
  };
  tabs.forEach((tab, i) => {
    const button = byId(`tab-${tab}`);
    button.onclick = () => choose(tab);
    button.onkeydown = (event) => {
      const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (!by) return;
      event.preventDefault();
      const next = tabs[(i + by + tabs.length) % tabs.length];
      choose(next);
      byId(`tab-${next}`).focus();
    };
  });
  choose(tabs[0]);
  byId("no-units").hidden = units.length > 0;
  byId("unit-list").replaceChildren(...units.map((name) => {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = charts.units.includes(name);
    box.onchange = () => charts.toggle(name);
    return make("li", "", make("label", "", box, make("span", "", words(name))));
  }));
}
