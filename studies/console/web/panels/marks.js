// Marks by key. The instant is that of the key, however long the words take; a participant
// may look at the operator, and the picture must not move: the note is a line in this panel.

import { post, reason } from "../api.js";
import { make, setText } from "../dom.js";
import { short } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../lab.js").Panel} Panel */

const kinds = /** @type {const} */ ([["m", "marker", "Marker"], ["n", "note", "Note"], ["d", "distraction", "Distraction"], ["t", "technical", "Technical"]]);
const names = /** @type {Record<string, string>} */ ({ marker: "Marker", note: "Note", distraction: "Distraction", technical: "Technical", external: "Event" });
/** So many of the latest are listed. */
const listed = 12;

/** @param {HTMLElement} host @param {Lab} lab @returns {Panel} */
export function mount(host, lab) {
  const keys = make("div", "buttons keys-row");
  const field = document.createElement("input");
  field.maxLength = 200;
  field.autocomplete = "off";
  field.setAttribute("aria-label", "Note, kept at the instant at which N was pressed");
  field.placeholder = "Note, then Enter; Esc drops it";
  const form = make("form", "note", field);
  form.hidden = true;
  const list = make("ol", "marks");
  list.id = "mark-list";
  const none = make("p", "calm", "");
  host.append(keys, form, none, list);

  let since = 0; // page ms at which N was pressed
  /** @type {Element|null} */
  let before = null;

  const recording = () => Boolean(lab.status?.live);

  /** @param {string} kind @param {string} text @param {number} at page ms */
  async function mark(kind, text, at) {
    try {
      await post("mark", { kind, text, age_ms: performance.now() - at });
      return true;
    } catch (error) {
      lab.say(`Not marked: ${reason(error)}`);
      return false;
    }
  }

  /** @param {string} kind */
  function press(kind) {
    if (lab.unmarked || !recording()) {
      lab.say(lab.unmarked || "Not marked: marks are kept with a recording, and nobody is recorded now. Afterwards a recording is annotated in its replay.");
      return true;
    }
    if (kind !== "note") {
      mark(kind, "", performance.now());
      return true;
    }
    if (!form.hidden) { // one is being written already
      field.focus({ preventScroll: true });
      return true;
    }
    write("", performance.now());
    return true;
  }

  /** Opens the line of a note. @param {string} text @param {number} at page ms of which it is */
  function write(text, at) {
    since = at;
    before = document.activeElement;
    form.hidden = false;
    field.value = text;
    field.focus({ preventScroll: true });
  }

  function close() {
    form.hidden = true;
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    else field.blur();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [text, at] = [field.value.trim(), since];
    close(); // the next key is a mark, not a letter
    if (text === "" || (await mark("note", text, at))) return;
    if (recording() && form.hidden) write(text, at); // what was refused can be sent again
  });
  field.onkeydown = (event) => {
    if (event.key === "Escape") close();
  };
  const buttons = kinds.map(([key, kind, name]) => {
    const button = make("button", "small", `${name} `, make("kbd", "", key.toUpperCase()));
    button.setAttribute("type", "button");
    button.setAttribute("aria-keyshortcuts", key.toUpperCase());
    button.onclick = () => press(kind);
    keys.append(button);
    return button;
  });
  const offs = kinds.map(([key, kind]) => lab.keys.on(key, () => press(kind)));
  const allow = () => {
    for (const b of buttons) lab.allow(b, recording(), lab.unmarked);
  };

  return {
    update(report) {
      allow();
      const marks = report.status.marks ?? [];
      none.hidden = marks.length > 0;
      setText(none, recording() ? "None yet." : "Marks are kept with a recording.");
      if (!recording() && !form.hidden) {
        const text = field.value.trim();
        if (text) lab.say(`The recording has ended, and this note was not kept: “${text}”`);
        close();
      }
      const latest = marks.slice(-listed).reverse();
      if (list.children.length !== latest.length) {
        list.replaceChildren(...latest.map(() => make("li", "", make("span", "num when", ""), make("span", "kind", ""), make("span", "what", ""))));
      }
      latest.forEach((m, i) => {
        const [when, kind, what] = list.children[i].children;
        setText(when, `${short(Math.max(0, m.age_ms))} ago`);
        setText(kind, names[m.kind] ?? m.kind);
        setText(what, m.text || (m.source && m.source !== "console" ? m.source : ""));
      });
    },
    down: allow,
    unmount() {
      for (const off of offs) off();
      for (const e of [keys, form, none, list]) e.remove();
    },
  };
}
