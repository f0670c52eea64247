// What each key does. The list is the one of the help too.

import { byId, make } from "../dom.js";

/** @typedef {{keys: string[], show: string, does: string, act: (event: KeyboardEvent) => void}} Key
 *   keys: as written by keyOf; show: as the help writes them */

/** A stroke as the list has it: "Shift+ArrowLeft". @param {KeyboardEvent} event */
function keyOf(event) {
  const shift = event.shiftKey && event.key.length > 1 ? "Shift+" : "";
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`;
}

/** Whether a stroke belongs to what has the focus. @param {KeyboardEvent} event */
function taken(event) {
  const at = event.target;
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return true;
  if (at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement) return true;
  if (at instanceof HTMLInputElement) return at.type !== "checkbox" && (at.type !== "range" || event.key.startsWith("Arrow"));
  return at instanceof HTMLElement && at.closest("button, a, summary") !== null && (event.key === " " || event.key === "Enter");
}

/** @param {Key[]} keys */
export function wireKeys(keys) {
  const acts = new Map(keys.flatMap((k) => k.keys.map((name) => /** @type {[string, Key]} */ ([name, k]))));
  addEventListener("keydown", (event) => {
    if (taken(event)) return;
    const key = acts.get(keyOf(event));
    if (!key) return;
    event.preventDefault();
    key.act(event);
  });
  byId("key-list").replaceChildren(...keys.filter((k) => k.show).flatMap((k) => [
    make("dt", "", ...k.show.split(" ").flatMap((word, i) => [i ? " " : "", make("kbd", "", word)])), make("dd", "", k.does)]));
}
