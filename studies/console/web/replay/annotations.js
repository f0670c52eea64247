// Annotations: what somebody noted about a recording afterwards. They stand beside what
// was recorded, with who and when, and never change it.

import { reason } from "../api.js";
import { byId, make, setText } from "../dom.js";
import { isSaid, markNames } from "./lanes.js";
import { exact } from "./screen.js";

/** @typedef {import("./types.js").Annotation} Annotation */

export class Annotations {
  /** @param {import("./source.js").Source} source @param {import("./types.js").Recording} recording
   * @param {import("./playhead.js").Playhead} head @param {() => void} changed @param {(t: number) => void} go */
  constructor(source, recording, head, changed, go) {
    this.source = source;
    this.recording = recording;
    this.head = head;
    this.changed = changed;
    this.go = go;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("annotate-dialog"));
    this.label = /** @type {HTMLInputElement} */ (byId("annotate-label"));
    this.text = /** @type {HTMLTextAreaElement} */ (byId("annotate-text"));
    /** @type {{from_ms: number, until_ms: number|null}} */
    this.at = { from_ms: 0, until_ms: null };
    this.saving = false;
    byId("annotate").onclick = () => this.open();
    byId("annotate-cancel").onclick = () => this.dialog.close();
    byId("annotate-form").onsubmit = (event) => {
      event.preventDefault();
      this.save();
    };
    this.text.onkeydown = (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.save();
    };
    this.show();
  }

  /** Asks what is to be noted at the cursor, or over the selection. */
  open() {
    const { head } = this;
    head.play(false);
    this.at = head.selection ? { from_ms: head.selection.from, until_ms: head.selection.until } : { from_ms: head.t, until_ms: null };
    setText(byId("annotate-when"), this.at.until_ms === null ? `At ${exact(this.at.from_ms)}` : `From ${exact(this.at.from_ms)} until ${exact(this.at.until_ms)}`);
    this.label.value = this.text.value = "";
    byId("annotate-error").hidden = true;
    this.dialog.showModal();
    this.label.focus();
  }

  async save() {
    if (!this.label.value.trim()) return this.fault("Give it a label first: a word by which you will find it again.");
    if (this.saving) return undefined; // a second Enter notes nothing twice
    this.saving = true;
    try {
      this.recording.annotations.push(await this.source.annotate({ ...this.at, label: this.label.value.trim(), text: this.text.value.trim() }));
    } catch (error) {
      return this.fault(`Not kept: ${reason(error)}.`);
    } finally {
      this.saving = false;
    }
    this.recording.annotations.sort((a, b) => a.from_ms - b.from_ms);
    this.dialog.close();
    this.show();
    this.changed();
  }

  /** @param {string} words */
  fault(words) {
    setText(byId("annotate-error"), words);
    byId("annotate-error").hidden = false;
    if (!this.dialog.open) this.dialog.showModal(); // Esc closes it while it works; the words are still in it
  }

  show() {
    const kept = this.recording.annotations.filter((a) => !a.removed_utc);
    byId("labels").replaceChildren(...[...new Set(kept.map((a) => a.label))].map((label) => {
      const option = document.createElement("option");
      option.value = label;
      return option;
    }));
    setText(byId("annotation-count"), kept.length ? String(kept.length) : "");
    byId("no-annotations").hidden = kept.length > 0;
    byId("annotation-list").replaceChildren(...kept.map((a) => this.item(a)));
    const said = this.recording.markers.filter(isSaid);
    const others = this.recording.markers.filter((m) => !isSaid(m));
    byId("no-markers").hidden = said.length > 0;
    byId("marker-list").replaceChildren(...said.map((m) => this.mark(m)));
    byId("other-markers").hidden = others.length === 0;
    setText(byId("other-count"), `Also alarms and devices (${others.length})`);
    byId("other-list").replaceChildren(...others.map((m) => this.mark(m)));
  }

  /** @param {import("./types.js").Marker} m */
  mark(m) {
    return make("li", "",
      this.jump(m.at_ms), make("span", "text", make("strong", "", markNames[m.kind] ?? m.kind), m.text ? ` ${m.text}` : ""), make("span", "by quiet", m.source));
  }

  /** @param {Annotation} a */
  item(a) {
    const remove = make("button", "plain", "Remove");
    remove.setAttribute("type", "button");
    remove.setAttribute("aria-label", `Remove the annotation ${a.label} at ${exact(a.from_ms)}`);
    remove.onclick = () => this.askRemove(a);
    return make("li", "",
      this.jump(a.from_ms), make("span", "text", make("strong", "", a.label), a.text ? ` ${a.text}` : ""), remove,
      make("span", "by quiet", `${a.until_ms === null ? "" : `${((a.until_ms - a.from_ms) / 1000).toFixed(1)} s · `}${a.by}, ${when(a.made_utc)}`));
  }

  /** @param {number} t */
  jump(t) {
    const button = make("button", "plain num jump", exact(t).slice(3));
    button.setAttribute("type", "button");
    button.setAttribute("aria-label", `Go to ${exact(t)}`);
    button.onclick = () => this.go(t);
    return button;
  }

  /** @param {Annotation} a */
  askRemove(a) {
    const dialog = /** @type {HTMLDialogElement} */ (byId("remove-dialog"));
    setText(byId("remove-what"), `“${a.label}” at ${exact(a.from_ms)}, by ${a.by}. It is kept as removed, with who removed it and when.`);
    byId("remove-error").hidden = true;
    byId("remove-go").onclick = async () => {
      try {
        await this.source.removeAnnotation(a.id);
      } catch (error) {
        setText(byId("remove-error"), `Not removed: ${reason(error)}.`);
        byId("remove-error").hidden = false;
        if (!dialog.open) dialog.showModal(); // Esc closes it while it works
        return;
      }
      this.recording.annotations.splice(this.recording.annotations.indexOf(a), 1);
      dialog.close();
      this.show();
      this.changed();
    };
    byId("remove-cancel").onclick = () => dialog.close();
    dialog.showModal();
  }
}

/** A moment of the calendar, short. @param {string} utc */
export function when(utc) {
  return new Date(utc).toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });
}
