// The list of what a gate asks for: the same in the panel and in the dialogs.

import { icon, make } from "./dom.js";

/** @typedef {import("./types.js").Ready} Ready */

const icons = /** @type {const} */ ({ ok: "ok", waiting: "idle", attention: "minor", missing: "major" });
const severities = { ok: "ok", waiting: "waiting", attention: "minor", missing: "major" };
const words = { ok: "OK", waiting: "To come", attention: "Look", missing: "Missing" };
const order = { missing: 0, attention: 1, waiting: 2, ok: 3 };

/** @param {Element} list @param {Ready[]} checks */
export function showChecks(list, checks) {
  const sorted = [...checks].sort((a, b) => order[a.level] - order[b.level]);
  const key = JSON.stringify(sorted);
  if (list instanceof HTMLElement && list.dataset.key === key) return;
  if (list instanceof HTMLElement) list.dataset.key = key;
  list.replaceChildren(...sorted.map((c) => {
    const item = make("li", severities[c.level], icon(icons[c.level]), make("span", "name", c.label),
      make("span", "level", words[c.level]), make("span", "text", c.text));
    if (c.advice && c.level !== "ok" && c.level !== "waiting") item.append(make("span", "advice", c.advice));
    item.dataset.id = c.id;
    return item;
  }));
}

/** What is missing at a gate. @param {import("./types.js").Status|undefined} s @param {"start"|"begin"} gate @returns {Ready[]} */
export function missing(s, gate) {
  return (s?.readiness ?? []).filter((c) => c.level === "missing" && c.gate === gate);
}

/** What the participant has not come to yet; it holds up the recording too.
 * @param {import("./types.js").Status|undefined} s @returns {Ready[]} */
export function coming(s) {
  return (s?.readiness ?? []).filter((c) => c.level === "waiting" && c.gate === "begin");
}
