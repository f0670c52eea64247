// What deviates now, in words, with what to do about it. Empty is normal. What is over and
// nobody has seen is one quiet line.

import { reason, send } from "../api.js";
import { byId, icon, make, setIcon, setText } from "../dom.js";
import { dialogOf, inputOf } from "../dialog.js";
import { short } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../lab.js").Panel} Panel */
/** @typedef {import("../types.js").Alarm} Alarm */

/** Where an alarm is to be seen: the panel's element and its name. @type {Record<string, [string, string]>} */
const places = {
  streams: ["streams", "Streams"], eda: ["strip-eda", "Skin conductance"], gaze: ["mirror", "Participant’s screen"],
  picture: ["picture-panel", "Picture"], stage: ["mirror", "Participant’s screen"], disk: ["disk-cell", "Disk"],
};
const spokenIn = "emolab-speak";

/** @param {HTMLElement} host @param {Lab} lab @returns {Panel} */
export function mount(host, lab) {
  const list = byId("alarm-list");
  const over = byId("over-list");
  const open = byId("over-show");
  const seen = byId("over-seen");
  const aside = byId("shelved-list");
  const shelf = dialogOf("shelve-dialog");
  const speak = inputOf("speak");
  let shelving = "";
  /** @type {Set<string>} what was said already */
  const said = new Set();
  speak.checked = localStorage.getItem(spokenIn) === "yes";
  speak.onchange = () => localStorage.setItem(spokenIn, speak.checked ? "yes" : "no");

  /** @param {"acknowledge"|"shelve"} command @param {object} body */
  async function act(command, body) {
    if (!lab.permits()) return;
    try {
      await send(`/api/alarm/${command}`, body);
    } catch (error) {
      lab.say(reason(error));
    }
  }
  const submit = () => {
    const minutes = Number(inputOf("shelve-minutes").value);
    act("shelve", { id: shelving, minutes });
  };
  shelf.querySelector("form")?.addEventListener("submit", submit);
  const unfold = (/** @type {boolean} */ on) => {
    over.hidden = !on;
    open.setAttribute("aria-expanded", String(on));
  };
  open.onclick = () => unfold(over.hidden);
  seen.onclick = async () => {
    for (const a of gone(lab.status?.alarms ?? [])) await act("acknowledge", { id: a.id });
  };
  const off = lab.keys.on("a", () => {
    if (!unseen(lab.status?.alarms ?? []).length) return false;
    act("acknowledge", { id: "" });
    return true;
  });

  /** @param {Alarm} a */
  function blank(a) {
    const ack = make("button", "small ack", "Seen ", make("kbd", "", "A"));
    ack.onclick = () => act("acknowledge", { id: a.id });
    const put = make("button", "small put", "Put aside");
    put.onclick = () => {
      shelving = a.id;
      setText(byId("shelve-what"), a.text);
      shelf.showModal();
      inputOf("shelve-minutes").select();
    };
    const go = make("button", "link go", "");
    go.onclick = () => point(places[a.panel]?.[0] ?? "streams");
    for (const b of [ack, put, go]) b.setAttribute("type", "button");
    const when = make("span", "when num");
    when.setAttribute("aria-live", "off"); // it counts seconds
    const item = make("li", "", icon("minor"), make("span", "severity"), when, make("span", "text"), make("span", "advice"),
      make("div", "buttons", ack, put, go));
    item.dataset.id = a.id;
    return item;
  }

  /** @param {Element} into @param {Alarm[]} alarms */
  function fill(into, alarms) {
    const items = new Map([...into.children].map((e) => [/** @type {HTMLElement} */ (e).dataset.id ?? "", e]));
    for (const [id, item] of items) {
      if (!alarms.some((a) => a.id === id)) item.remove();
    }
    alarms.forEach((a, place) => {
      // An item stays the same element while its alarm lasts, so that a screen
      // reader announces it once and not with every second that it counts.
      const item = items.get(a.id) ?? blank(a);
      show(item, a);
      if (into.children[place] !== item) into.insertBefore(item, into.children[place] ?? null);
    });
  }

  /** @param {Element} item @param {Alarm} a */
  function show(item, a) {
    const state = a.state ?? "active";
    item.className = `${a.severity} ${state}`;
    const part = (/** @type {string} */ c) => /** @type {HTMLElement} */ (item.querySelector(`.${c}`));
    const past = state === "cleared";
    setIcon(item, past ? "idle" : a.severity);
    setText(part("severity"), a.severity.toUpperCase());
    const times = a.count > 1 ? ` · ${a.count} times` : "";
    setText(part("when"), state === "shelved" ? `aside, ${short(a.shelved_ms)} left` : past ? `${short(a.cleared_ms)} ago${times}` : state === "acknowledged" ? `seen · ${short(a.age_ms)}${times}` : `${a.age_ms > 0 ? short(a.age_ms) : "new"}${times}`);
    setText(part("text"), past ? `Has gone: ${a.text}` : a.text);
    setText(part("advice"), a.advice);
    part("advice").hidden = state === "shelved" || past;
    const [ack, put, go] = [part("ack"), part("put"), part("go")];
    ack.hidden = state === "acknowledged" || state === "shelved";
    put.hidden = state === "shelved" || past;
    for (const b of [ack, put]) lab.allow(b);
    const place = places[a.panel];
    go.hidden = !place || state === "shelved" || past;
    setText(go, place ? `Look: ${place[1]}` : "");
  }

  /** Says new major alarms aloud. @param {Alarm[]} alarms */
  function tell(alarms) {
    const fresh = unseen(alarms).filter((a) => a.severity === "major");
    for (const id of said) {
      if (!fresh.some((a) => a.id === id)) said.delete(id);
    }
    for (const a of fresh) {
      if (said.has(a.id) || a.state === "cleared") continue;
      said.add(a.id);
      if (speak.checked && "speechSynthesis" in window) speechSynthesis.speak(new SpeechSynthesisUtterance(a.text));
    }
  }

  return {
    update(report) {
      const alarms = report.status.alarms ?? [];
      const up = alarms.filter((a) => a.state !== "shelved" && a.state !== "cleared");
      const past = gone(alarms);
      const put = alarms.filter((a) => a.state === "shelved");
      fill(list, up);
      fill(over, past);
      fill(aside, put);
      byId("over").hidden = past.length === 0;
      if (past.length === 0) unfold(false);
      setText(byId("over-text"), past.length === 1 ? "1 alarm is over, not seen yet" : `${past.length} alarms are over, not seen yet`);
      lab.allow(seen);
      byId("shelved").hidden = put.length === 0;
      byId("no-alarms").hidden = up.length > 0;
      setIcon(byId("no-alarms"), "ok");
      setText(byId("no-alarms-text"), "No alarms.");
      tell(alarms);
    },
    down() {
      list.replaceChildren();
      over.replaceChildren();
      aside.replaceChildren();
      byId("over").hidden = true;
      byId("shelved").hidden = true;
      byId("no-alarms").hidden = false;
      setIcon(byId("no-alarms"), "off");
      setText(byId("no-alarms-text"), "Not known.");
    },
    unmount() {
      off();
      shelf.querySelector("form")?.removeEventListener("submit", submit);
      speak.onchange = open.onclick = seen.onclick = null;
      list.replaceChildren();
      over.replaceChildren();
      aside.replaceChildren();
    },
  };
}

/** Alarms that nobody has acknowledged. @param {Alarm[]} alarms */
function unseen(alarms) {
  return alarms.filter((a) => a.state !== "acknowledged" && a.state !== "shelved");
}

/** Alarms that are over, and nobody has acknowledged. @param {Alarm[]} alarms */
function gone(alarms) {
  return alarms.filter((a) => a.state === "cleared");
}

/** Leads the eye to a panel: an outline that goes by itself. @param {string} id */
function point(id) {
  const e = byId(id);
  e.scrollIntoView({ block: "nearest" });
  e.classList.add("pointed");
  setTimeout(() => e.classList.remove("pointed"), 2000);
}
