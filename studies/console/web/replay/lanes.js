// The ruler and the lanes over the traces: which clip when, and what was noted when.
// Beside them the overview of the whole session, with the stretch that is looked at.

import { byId, make } from "../dom.js";
import { clipLabel, clipName, exact } from "./screen.js";
import { ticks, tickWords } from "./ruler.js";

/** @typedef {import("./types.js").Recording} Recording */

/** Px between two times on the ruler. */
const apartPx = 90;

/** What a mark is called. @type {Record<string, string>} */
export const markNames = {
  note: "Note", distraction: "Distraction", technical: "Technical", marker: "Marker", external: "Other program", override: "Override", blind: "Blind mode", alarm: "Alarm", device: "Device",
};

/** Whether people or programs said it; alarms and devices talk all the time. @param {import("./types.js").Marker} m */
export const isSaid = (m) => m.kind !== "alarm" && m.kind !== "device";

export class Lanes {
  /** @param {Recording} recording @param {import("./playhead.js").Playhead} head @param {import("./playhead.js").View} view */
  constructor(recording, head, view) {
    this.recording = recording;
    this.head = head;
    this.view = view;
    this.over = byId("over");
    this.line = byId("cursor");
    this.band = byId("selection");
    view.listen(() => this.draw());
    head.listen(() => this.place());
    new ResizeObserver(() => this.draw()).observe(byId("lane-clips"));
    this.drawOverview();
    this.draw();
  }

  /** @param {number} t as a share of what is shown */
  share(t) {
    return (t - this.view.from) / this.view.span;
  }

  draw() {
    this.drawRuler();
    byId("lane-clips").replaceChildren(...this.recording.presentations.flatMap((p) => {
      const block = this.block("clip-block", p.from_ms, p.until_ms, `${clipName(p)}${p.brand ? `, ${p.brand}` : ""}${p.again ? ", shown again" : ""}: ${exact(p.from_ms)}`);
      block?.append(...clipLabel(p));
      return block ?? [];
    }));
    const marks = this.recording.markers.filter(isSaid).flatMap((m) => this.block("mark", m.at_ms, m.at_ms, `${markNames[m.kind] ?? m.kind}: ${m.text || m.source}, ${exact(m.at_ms)}`) ?? []);
    const notes = this.recording.annotations.filter((a) => !a.removed_utc).flatMap((a) =>
      this.block(a.until_ms === null ? "mark note" : "stretch", a.from_ms, a.until_ms ?? a.from_ms, `Annotation ${a.label}: ${a.text || "no text"}, ${exact(a.from_ms)}`) ?? []);
    byId("lane-marks").replaceChildren(...notes, ...marks);
    this.place();
  }

  /** One block of a lane, if it is in sight. @param {string} kind @param {number} from @param {number} until @param {string} title */
  block(kind, from, until, title) {
    if (until < this.view.from || from > this.view.until) return undefined;
    const block = /** @type {HTMLButtonElement} */ (make("button", kind));
    block.type = "button";
    block.tabIndex = -1; // the keys N and P go from one to the next, and the lists hold them too
    block.title = title;
    block.setAttribute("aria-label", title);
    const left = Math.max(0, this.share(from));
    block.style.left = `${(left * 100).toFixed(4)}%`;
    if (until > from) block.style.width = `${((Math.min(1, this.share(until)) - left) * 100).toFixed(4)}%`;
    block.onclick = () => this.head.seek(from);
    block.ondblclick = () => until > from && this.view.show(from - 500, until + 500);
    return block;
  }

  drawRuler() {
    const ruler = byId("ruler");
    const times = ticks(this.view.from, this.view.until, ruler.clientWidth / apartPx);
    const apart = times.length > 1 ? times[1] - times[0] : this.view.span;
    ruler.replaceChildren(...times.map((t) => {
      const label = make("span", "", tickWords(t, apart));
      label.style.left = `${(this.share(t) * 100).toFixed(4)}%`;
      return label;
    }));
  }

  /** The cursor and the selection over all panels, and the cursor on the overview. */
  place() {
    const { head, view } = this;
    const at = this.share(head.t);
    this.line.hidden = at < 0 || at > 1;
    this.line.style.left = `${(at * 100).toFixed(4)}%`;
    const s = head.selection;
    this.band.hidden = !s || s.until < view.from || s.from > view.until;
    this.band.classList.toggle("loop", head.loop);
    if (s) {
      const from = Math.max(0, this.share(s.from));
      this.band.style.left = `${(from * 100).toFixed(4)}%`;
      this.band.style.width = `${((Math.min(1, this.share(s.until)) - from) * 100).toFixed(4)}%`;
    }
    const percent = (/** @type {number} */ t) => `${((t / Math.max(1, head.duration)) * 100).toFixed(4)}%`;
    byId("overview-cursor").style.left = percent(head.t);
    const window = byId("overview-view");
    window.style.left = percent(view.from);
    window.style.width = percent(view.span);
  }

  drawOverview() {
    const total = Math.max(1, this.recording.duration_ms);
    const blocks = this.recording.presentations.map((p) => ({ kind: "clip", from: p.from_ms, until: p.until_ms }))
      .concat(this.recording.segments.slice(1).map((s, i) => ({ kind: "cut", from: this.recording.segments[i].until_ms, until: s.from_ms })))
      .concat(this.recording.markers.filter(isSaid).map((m) => ({ kind: "tick", from: m.at_ms, until: m.at_ms })));
    byId("overview-blocks").replaceChildren(...blocks.map((b) => {
      const block = make("i", b.kind);
      block.style.left = `${(b.from / total) * 100}%`;
      if (b.until > b.from) block.style.width = `${((b.until - b.from) / total) * 100}%`;
      return block;
    }));
  }
}
