// A tile for each stream: how its device is doing, in numbers and in words.

import { byId, icon, make, setText } from "../dom.js";
import { count, deviceName, number } from "../words.js";

/** @typedef {import("../types.js").Alarm} Alarm */
/** @typedef {import("../types.js").Health} Health */
/** @typedef {"ok"|"minor"|"major"|"off"} State */

/** Data older than this are missed by a person watching. */
const silentMs = 1500;
/** Below this share of its nominal rate a stream is slow. */
const slowBelow = 0.8;
/** A bound beyond this is a deviation: the time of a video frame. */
const wideMs = 25;

/** What an alarm about a stream says in a word, by the end of its id. @type {Record<string, string>} */
const alarmWords = { gaps: "gaps", useless: "no use", range: "out of range", aside: "off the screen", view: "poor view", clock: "time unsure" };

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

/** @param {HTMLElement} host @param {import("../lab.js").Lab} _ @returns {import("../lab.js").Panel} */
export function mount(host, _) {
  const list = make("ul", "tiles");
  list.id = "stream-tiles";
  host.append(list);
  return {
    update: (report) => show(list, report.status.streams ?? [], report.status.alarms ?? []),
    down() {
      for (const state of list.querySelectorAll(".state")) state.replaceChildren(make("span", "badge", icon("idle"), "not known"));
      for (const item of list.children) delete (/** @type {HTMLElement} */ (item)).dataset.key; // drawn again when it is known
    },
    unmount: () => list.remove(),
  };
}

/** @param {HTMLElement} list @param {Health[]} streams @param {Alarm[]} alarms */
function show(list, streams, alarms) {
  const key = streams.map((h) => h.info.id).join();
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    const all = streams.map((h) => h.info);
    list.replaceChildren(...streams.map((h) => tile(h, deviceName(h.info, all))));
  }
  for (const h of streams) fill(h, alarms);
}

/** @param {Health} h @param {string} called @returns {HTMLElement} */
function tile(h, called) {
  const id = `stream-${h.info.id}`;
  const numbers = make("dl", "numbers");
  for (const [name, label, title] of [["rate", "Hz", "Samples a second, measured"], ["lost", "lost", "Samples lost since the lab started"],
    ["bound", "± ms", "Bound on the error of its timestamps"], ["drift", "ppm", "Drift of its clock against the lab’s, in parts per million"]]) {
    const value = make("dd", "num");
    value.id = `${id}-${name}`;
    const pair = make("div", "", value, make("dt", "", label));
    pair.title = title;
    numbers.append(pair);
  }
  const state = make("span", "state");
  state.id = `${id}-state`;
  const words = make("p", "words");
  words.id = `${id}-words`;
  const item = make("li", "tile", make("div", "head", make("h3", "", called), state), numbers, words);
  item.id = `${id}-tile`;
  return item;
}

/** @param {Health} h @param {Alarm[]} alarms */
function fill(h, alarms) {
  const id = `stream-${h.info.id}`;
  const { state, word } = judge(h, alarms);
  const none = h.samples === 0;
  setText(byId(`${id}-rate`), h.rate_hz === 0 && h.info.rate_hz === 0 ? "–" : number(h.rate_hz, 1));
  setText(byId(`${id}-lost`), count(h.lost));
  setText(byId(`${id}-bound`), none ? "–" : bound(h.clock.bound_ms));
  setText(byId(`${id}-drift`), none || stamped(h) ? "–" : (h.clock.drift_ppm > 0 ? "+" : "") + count(h.clock.drift_ppm));
  // A camera's stamps are as good as the camera is: nothing to mend in a session.
  byId(`${id}-bound`).classList.toggle("minor", unsure(h));
  byId(`${id}-bound`).title = h.clock.method;
  byId(`${id}-lost`).classList.toggle("some", h.lost > 0 && state !== "ok");

  const key = [state, word, device(h), h.faults, h.remark, h.advice, h.info.simulated, h.about, h.latency].join("|");
  const item = byId(`${id}-tile`);
  if (item.dataset.key === key) return;
  item.dataset.key = key;
  item.classList.toggle("off", state === "off");
  byId(`${id}-state`).replaceChildren(make("span", `badge ${state}`, icon(state), word));
  const words = byId(`${id}-words`);
  words.replaceChildren(...(h.info.simulated ? [make("span", "tag", "simulated"), " "] : []),
    make("span", "device", [device(h), h.faults > 0 ? `${count(h.faults)} unreadable` : ""].filter(Boolean).join(" · ")),
    ...[h.about, h.latency].filter(Boolean).map((text) => make("span", "line", text ?? "")));
  words.title = h.advice || h.remark;
}

/** @param {Health} h */
function device(h) {
  return [h.info.device, h.info.port ?? ""].filter(Boolean).join(" · ");
}

/** @param {number} ms */
function bound(ms) {
  if (!(ms > 0)) return "–";
  return ms < 10 ? number(ms, 1) : count(ms);
}

/** Whether its times are known worse than they should be. @param {Health} h */
function unsure(h) {
  return h.connected && h.samples > 0 && !stamped(h) && h.clock.bound_ms > wide(h);
}

/** @param {Health} h @param {Alarm[]} alarms @returns {{state: State, word: string}} */
function judge(h, alarms) {
  if (h.info.kind === "trace") return { state: "ok", word: h.samples > 0 ? "ok" : "waiting" };
  if (!h.connected) return { state: "off", word: "not connected" };
  if (h.info.rate_hz > 0 && h.age_ms > silentMs) return { state: "off", word: "no data" };
  if (h.info.rate_hz > 0 && h.rate_hz > 0 && h.rate_hz < slowBelow * h.info.rate_hz) return { state: "minor", word: "slow" };
  // The alarm says more, and what to do.
  const alarm = alarms.find((a) => a.id.startsWith(`${h.info.id}/`) && alarmWords[a.id.slice(h.info.id.length + 1)] && (a.state === "active" || a.state === "acknowledged"));
  if (alarm) return { state: alarm.severity, word: alarmWords[alarm.id.slice(h.info.id.length + 1)] };
  if (h.advice) return { state: "minor", word: alarmWords.view };
  if (unsure(h)) return { state: "minor", word: alarmWords.clock };
  return { state: "ok", word: "ok" };
}
