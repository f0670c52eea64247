// What deviates, in words, with what to do about it. Empty is normal.

import { byId, icon, make, setIcon, setText } from "./dom.js";

/** @typedef {import("./types.js").Alarm} Alarm */

/** @param {Alarm[]|undefined} known undefined: the server does not answer */
export function showAlarms(known) {
  const alarms = known ?? [];
  const list = byId("alarm-list");
  const items = new Map([...list.children].map((e) => [/** @type {HTMLElement} */ (e).dataset.id ?? "", e]));
  for (const [id, item] of items) {
    if (!alarms.some((a) => a.id === id)) item.remove();
  }
  alarms.forEach((a, place) => {
    // An item stays the same element while its alarm lasts, so that a screen
    // reader announces it once and not with every second that it counts.
    const item = items.get(a.id) ?? blank(a.id);
    item.className = a.severity;
    setText(item.querySelector(".severity") ?? item, a.severity.toUpperCase());
    setText(item.querySelector(".text") ?? item, a.text);
    setText(item.querySelector(".advice") ?? item, a.advice);
    item.querySelector("use")?.setAttribute("href", `#i-${a.severity}`);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  byId("no-alarms").hidden = alarms.length > 0;
  setIcon(byId("no-alarms"), known ? "ok" : "off");
  setText(byId("no-alarms-text"), known ? "No alarms." : "Not known.");
}

/** @param {string} id */
function blank(id) {
  const item = make("li", "", icon("minor"), make("span", "severity"), make("span", "text"), make("span", "advice"));
  item.dataset.id = id;
  return item;
}
