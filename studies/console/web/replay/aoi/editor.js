// The editor of areas of interest: a mode of the page, over the clip at the cursor.
// What is saved becomes a new version; nothing is overwritten.

import { Refusal, reason } from "../../api.js";
import { byId, make, setText } from "../../dom.js";
import { when } from "../annotations.js";
import { notThatClip } from "../screen.js";
import { areasFile, unanswered } from "../source.js";
import { AreaDocument, difference } from "./document.js";
import { Drawing } from "./drawing.js";
import { AreaList } from "./list.js";

/** @typedef {import("../types.js").Presentation} Presentation */

const tools = /** @type {const} */ (["select", "rect", "ellipse", "polygon"]);
/** After this areas are asked for again that nobody answered about, ms. */
const againMs = 3000;

export class Editor {
  /** @param {import("../source.js").Source} source @param {import("../frames.js").Frames} frames
   * @param {import("../playhead.js").Playhead} head @param {import("../screen.js").Screen} screen */
  constructor(source, frames, head, screen) {
    this.source = source;
    this.frames = frames;
    this.head = head;
    this.screen = screen;
    this.on = false;
    this.visible = true;
    this.saving = false;
    this.listed = ""; // the versions that are listed
    /** @type {Map<string, AreaDocument|string|null>} null: on its way; words: why it is not to be had */
    this.documents = new Map();
    this.drawing = new Drawing(() => this.draw(), (words) => this.say(words));
    this.list = new AreaList(this.drawing, () => this.draw(), (t) => this.goTo(t));
    this.note = /** @type {HTMLInputElement} */ (byId("save-note"));
    byId("edit").onclick = () => this.toggle();
    for (const tool of tools) byId(`tool-${tool}`).onclick = () => this.choose(tool);
    byId("undo").onclick = () => this.undo();
    byId("redo").onclick = () => this.redo();
    byId("areas-save").onclick = () => this.ask();
    byId("save-cancel").onclick = () => this.dialog("save-dialog").close();
    byId("save-form").onsubmit = (event) => {
      event.preventDefault();
      this.save();
    };
    addEventListener("beforeunload", (event) => {
      if ([...this.documents.values()].some((d) => d instanceof AreaDocument && d.dirty)) event.preventDefault();
    });
  }

  /** @param {string} id */
  dialog(id) {
    return /** @type {HTMLDialogElement} */ (byId(id));
  }

  get document() {
    return this.drawing.document;
  }

  /** @param {boolean} [on] */
  toggle(on = !this.on) {
    this.on = this.drawing.editing = on;
    if (on) {
      this.head.play(false);
      if (!this.frames.at(this.head.t)) { // to the clip that is nearest
        const near = this.frames.recording.presentations.toSorted((a, b) => Math.abs(a.from_ms - this.head.t) - Math.abs(b.from_ms - this.head.t))[0];
        if (near) this.frames.load(near).then((clip) => this.head.seek(clip?.times[0] ?? near.from_ms));
      }
    } else this.drawing.choose("select");
    document.body.dataset.mode = on ? "edit" : "replay";
    byId("edit").setAttribute("aria-pressed", String(on));
    this.draw();
  }

  /** @param {import("./drawing.js").Tool} tool */
  choose(tool) {
    this.drawing.choose(tool);
    if (tool !== "select") this.drawing.svg.focus();
  }

  undo() {
    this.document?.undo();
    this.draw();
  }

  redo() {
    this.document?.redo();
    this.draw();
  }

  /** Follows the cursor. */
  draw() {
    const p = this.frames.at(this.head.t);
    const shown = this.frames.shown(this.head.t);
    // Areas are those of the lab's clip: on another one of that name they would lie anywhere.
    if (p?.clip && !this.documents.has(p.stimulus)) this.load(p.stimulus);
    const known = p?.clip ? this.documents.get(p.stimulus) : undefined;
    this.drawing.document = known instanceof AreaDocument ? known : undefined;
    this.drawing.t = shown ? shown.frame.media_ms / 1000 : 0;
    this.drawing.svg.classList.toggle("off", !shown || !(this.visible || this.on));
    this.drawing.draw(this.screen.width, this.screen.height);
    if (this.on) this.show(!p ? "No clip at the cursor" : !p.clip ? notThatClip : known ? String(known) : "Loading");
  }

  /** @param {string} stimulus */
  async load(stimulus) {
    this.documents.set(stimulus, null);
    try {
      const doc = new AreaDocument(await this.source.areas(stimulus));
      this.documents.set(stimulus, doc);
      if (doc.revived) this.say("Your changes from before the page was loaded again are back. They are not saved yet.");
    } catch (error) {
      this.documents.set(stimulus, `The areas of ${stimulus} are not to be had: ${reason(error)}`);
      if (unanswered(error)) setTimeout(() => this.load(stimulus), againMs);
    }
    this.draw();
  }

  /** @param {string} words */
  say(words) {
    setText(byId("areas-words"), words);
    byId("areas-words").hidden = !words;
  }

  /** @param {string} none why there are no areas to be edited */
  show(none) {
    const doc = this.document;
    for (const tool of tools) byId(`tool-${tool}`).setAttribute("aria-pressed", String(tool === this.drawing.tool));
    byId("undo").toggleAttribute("disabled", !doc?.past.length);
    byId("redo").toggleAttribute("disabled", !doc?.future.length);
    byId("areas-save").toggleAttribute("disabled", !doc?.dirty);
    setText(byId("areas-state"), !doc ? none : `${doc.stimulus} · ${doc.base > 0 ? `version ${doc.base}` : "nothing saved yet"}${doc.dirty ? " · not saved" : ""}`);
    this.list.show();
    this.versions(doc);
  }

  /** @param {AreaDocument|undefined} doc */
  versions(doc) {
    const key = JSON.stringify([doc?.stimulus, doc?.history]);
    if (key === this.listed) return; // what has the focus keeps it
    this.listed = key;
    byId("version-list").replaceChildren(...(doc?.history ?? []).toSorted((a, b) => b.version - a.version).map((v) => {
      const file = make("a", "", "file");
      file.setAttribute("href", areasFile(doc?.stimulus ?? "", v.version));
      file.setAttribute("download", `${doc?.stimulus}.aoi.json`);
      file.setAttribute("aria-label", `Version ${v.version} as a file for study.yaml`);
      return make("li", "", make("span", "num", `${v.version}`), make("span", "text", v.note || "no note"), file, make("span", "by quiet", `${v.by}, ${when(v.made_utc)}`));
    }));
    byId("no-versions").hidden = Boolean(doc?.history.length);
  }

  ask() {
    if (!this.document?.dirty) return;
    byId("save-error").hidden = true;
    byId("conflict").hidden = true;
    this.note.value = "";
    this.dialog("save-dialog").showModal();
    this.note.focus();
  }

  async save() {
    const doc = this.document;
    if (!doc || this.saving) return; // a second Enter would meet the version of the first
    this.saving = true;
    const { areas } = doc;
    try {
      const saved = await this.source.saveAreas(doc.stimulus, { base_version: doc.base, aois: areas, note: this.note.value.trim() });
      doc.rebase(saved, doc.areas === areas ? "theirs" : "mine"); // Esc leads back to the areas while it works
    } catch (error) {
      if (error instanceof Refusal && error.status === 409) return this.conflict(doc);
      return this.unsaved(error);
    } finally {
      this.saving = false;
    }
    this.dialog("save-dialog").close();
    this.say("");
    this.draw();
  }

  /** @param {unknown} error */
  unsaved(error) {
    setText(byId("save-error"), `Not saved: ${reason(error)}. Your changes are still here.`);
    byId("save-error").hidden = false;
    if (!this.dialog("save-dialog").open) this.dialog("save-dialog").showModal();
  }

  /** Somebody saved meanwhile: what differs, and whose is to stand. @param {AreaDocument} doc */
  async conflict(doc) {
    let theirs;
    try {
      theirs = await this.source.areas(doc.stimulus);
    } catch (error) {
      return this.unsaved(error);
    }
    const latest = theirs.history?.find((v) => v.version === theirs.version);
    setText(byId("conflict-words"), `Version ${theirs.version} was saved meanwhile${latest ? ` by ${latest.by}` : ""}. Compared with yours: ${difference(doc.areas, theirs.aois)}.`);
    byId("conflict").hidden = false;
    if (!this.dialog("save-dialog").open) this.dialog("save-dialog").showModal();
    byId("conflict-theirs").onclick = () => {
      doc.rebase(theirs, "theirs"); // undo brings the own ones back
      this.dialog("save-dialog").close();
      this.draw();
    };
    byId("conflict-mine").onclick = () => {
      doc.rebase(theirs, "mine");
      byId("conflict").hidden = true;
      this.save();
    };
  }

  /** To a time of the clip. @param {number} t s */
  goTo(t) {
    const p = this.frames.at(this.head.t);
    const shown = p && this.frames.clip(p)?.shown;
    const frame = shown?.findLast((f) => f.media_ms <= t * 1000 + 1.5) ?? shown?.[0];
    if (frame) this.head.seek(frame.at_ms);
  }
}
