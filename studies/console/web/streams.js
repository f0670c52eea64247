// The list of streams: how each device is doing, in numbers and in words.

import { byId, icon, make, setText } from "./dom.js";
import { count, deviceName, number } from "./words.js";

/** @typedef {import("./types.js").Health} Health */
/** @typedef {"ok"|"minor"|"off"} State */

/** Data older than this are missed by a person watching. */
const silentMs = 1500;
/** Below this share of its nominal rate a stream is slow. */
const slowBelow = 0.8;
/** A bound beyond this is a deviation: the time of a video frame. */
const wideMs = 25;

/**
 * How wide a device's bound may be. One that only counts its samples is never known
 * better than to a sample and a batch, and to one more when some are lost. A latency
 * that was never measured is said in words.
 * @param {Health} h
 */
function wide(h) {
  const counted = h.info.clock === "counted" && h.info.rate_hz > 0 ? 2000 / h.info.rate_hz : 0;
  return wideMs + h.unseen_ms + counted;
}

/** Whether this computer stamps what the device delivers. @param {Health} h */
const stamped = (h) => h.info.clock === "host" || h.info.clock === "arrival";

/** @param {Health[]} streams */
export function showStreams(streams) {
  const body = byId("stream-rows");
  const key = streams.map((h) => h.info.id).join();
  if (body.dataset.key !== key) {
    body.dataset.key = key;
    const all = streams.map((h) => h.info);
    body.replaceChildren(...streams.flatMap((h) => rows(h, deviceName(h.info, all))));
  }
  for (const h of streams) fill(h);
}

/** @param {Health} h @param {string} called @returns {HTMLElement[]} */
function rows(h, called) {
  const id = `stream-${h.info.id}`;
  const cell = (/** @type {string} */ name) => {
    const td = make("td", "num");
    td.id = `${id}-${name}`;
    return td;
  };
  const name = make("th", "", called);
  name.setAttribute("scope", "row");
  const numbers = make("tr", "numbers", name, cell("rate"), cell("lost"), cell("bound"), cell("drift"));
  const state = make("span", "state");
  state.id = `${id}-state`;
  const words = make("td", "words", state, make("span", "device"));
  words.setAttribute("colspan", "5");
  words.id = `${id}-words`;
  return [numbers, make("tr", "remark", words)];
}

/** @param {Health} h */
function fill(h) {
  const id = `stream-${h.info.id}`;
  const { state, word } = judge(h);
  const none = h.samples === 0;
  setText(byId(`${id}-rate`), h.rate_hz === 0 && h.info.rate_hz === 0 ? "–" : number(h.rate_hz, 1));
  setText(byId(`${id}-lost`), count(h.lost));
  setText(byId(`${id}-bound`), none ? "–" : bound(h.clock.bound_ms));
  setText(byId(`${id}-drift`), none || stamped(h) ? "–" : (h.clock.drift_ppm > 0 ? "+" : "") + count(h.clock.drift_ppm));
  // A camera's stamps are as good as the camera is: nothing to mend in a session.
  byId(`${id}-bound`).classList.toggle("minor", !stamped(h) && h.clock.bound_ms > wide(h));
  byId(`${id}-bound`).title = h.clock.method;
  byId(`${id}-lost`).classList.toggle("some", h.lost > 0);

  const words = byId(`${id}-words`);
  const device = [h.info.device, h.info.port ?? ""].filter(Boolean).join(" · ");
  const faults = h.faults > 0 ? `${count(h.faults)} unreadable` : "";
  const key = [state, word, device, faults, h.remark, h.advice, h.info.simulated, h.latency].join("|");
  if (words.dataset.key === key) return;
  words.dataset.key = key;
  const badge = make("span", `badge ${state}`, icon(state), word);
  words.replaceChildren(badge, ...(h.info.simulated ? [make("span", "tag", "simulated")] : []),
    make("span", "device", [device, faults].filter(Boolean).join(" · ")),
    ...(h.latency ? [make("span", "latency", h.latency)] : []));
  words.title = h.advice || h.remark;
}

/** @param {number} ms */
function bound(ms) {
  if (!(ms > 0)) return "–";
  return ms < 10 ? number(ms, 1) : count(ms);
}

/** @param {Health} h @returns {{state: State, word: string}} */
function judge(h) {
  if (h.info.kind === "trace") return { state: "ok", word: h.samples > 0 ? "ok" : "waiting" };
  if (!h.connected) return { state: "off", word: "not connected" };
  if (h.info.rate_hz > 0 && h.age_ms > silentMs) return { state: "off", word: "no data" };
  if (h.info.rate_hz > 0 && h.rate_hz > 0 && h.rate_hz < slowBelow * h.info.rate_hz) return { state: "minor", word: "slow" };
  if (h.advice) return { state: "minor", word: "poor view" }; // the alarm says of what, and what to do
  return { state: "ok", word: "ok" };
}
