// All traces under one time axis, each from the stream that measured it. What is shown is
// fetched as fine as the screen can show it, again with every zoom.

import { byId } from "../dom.js";
import { readPalette } from "../palette.js";
import { Chart } from "./chart.js";
import { unthinned } from "./frames.js";
import { isUnit, panelsFor, traceId } from "./panels.js";
import { Track } from "./tracks.js";

/** Beyond each edge of what is shown so much of it is fetched too, so that a pan finds something. */
const margin = 0.25;
/** The view has come to rest when it was not moved for so long, ms. */
const restMs = 80;
const chosenKey = "emolab-replay-units";

export class Charts {
  /** @param {import("./source.js").Source} source @param {import("./types.js").Recording} recording
   * @param {import("./playhead.js").Playhead} head @param {import("./playhead.js").View} view @param {(error: unknown) => void} fault */
  constructor(source, recording, head, view, fault) {
    this.source = source;
    this.recording = recording;
    this.head = head;
    this.view = view;
    this.fault = fault;
    this.box = byId("panels");
    this.columns = recording.streams.find((s) => s.id === traceId)?.columns.map((c) => c.name) ?? [];
    /** @type {string[]} */
    this.units = (sessionStorage.getItem(chosenKey) ?? "").split(" ").filter((n) => isUnit(n) && this.columns.includes(n));
    /** @type {number|null} */
    this.hovered = null;
    this.scene = { bands: [...recording.bands, ...gapBands(recording)], clips: recording.presentations, responses: /** @type {number[]} */ ([]) };
    /** @type {Chart[]} */
    this.charts = [];
    /** @type {Map<string, Track>} by the streams' ids */
    this.tracks = new Map();
    this.asked = 0;
    this.timer = 0;
    view.listen(() => this.moved());
    new ResizeObserver(() => {
      if (this.box.clientWidth === 0) return; // the editor stands in its place
      this.rebuild();
      this.rested(); // another width shows it finer, or need not
    }).observe(this.box);
    this.compose();
  }

  /** Makes the panels anew: of other traces, or in other colours. */
  compose() {
    for (const chart of this.charts) chart.destroy();
    const { head, view } = this;
    const palette = readPalette();
    const gestures = {
      seek: (/** @type {number} */ t) => head.seek(t), all: () => view.all(),
      zoomTo: (/** @type {number} */ from, /** @type {number} */ until) => view.show(from, until),
      select: (/** @type {number} */ from, /** @type {number} */ until) => head.select({ from, until }),
      zoom: (/** @type {number} */ factor, /** @type {number} */ at) => view.zoom(factor, at),
      pan: (/** @type {number} */ share) => view.pan(share),
      hover: (/** @type {number|null} */ t) => { this.hovered = t; this.read(); },
    };
    this.charts = panelsFor(this.recording.streams, this.units).map((p) => new Chart(p, palette, gestures, this.scene));
    this.box.replaceChildren(...this.charts.map((c) => c.element));
    byId("no-traces").hidden = this.charts.length > 0;
    const lines = this.charts.flatMap((c) => c.panel.lines);
    this.tracks = new Map(this.recording.streams.filter((s) => lines.some((l) => l.stream === s.id)).map((s) => {
      const track = this.tracks.get(s.id) ?? new Track(this.source, s, () => this.read(), this.fault);
      track.names = [...new Set(lines.filter((l) => l.stream === s.id).map((l) => l.name))];
      return [s.id, track];
    }));
    this.rebuild();
    this.fetch();
  }

  rebuild() {
    for (const chart of this.charts) chart.build(this.view.from, this.view.until);
    this.fill();
  }

  /** @param {string} name of an action unit */
  toggle(name) {
    this.units = this.units.includes(name) ? this.units.filter((n) => n !== name) : [...this.units, name].sort();
    sessionStorage.setItem(chosenKey, this.units.join(" "));
    this.compose();
  }

  /** @param {number[]} times of responses of the skin */
  responses(times) {
    this.scene.responses.splice(0, Infinity, ...times);
    for (const chart of this.charts) chart.u?.redraw(false);
  }

  moved() {
    for (const chart of this.charts) chart.show(this.view.from, this.view.until);
    this.rested();
  }

  /** Fetches what is shown once it has come to rest. */
  rested() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), restMs);
  }

  async fetch() {
    if (this.tracks.size === 0) return;
    const asked = ++this.asked;
    document.body.dataset.asked = String(asked);
    const { from, until, span } = this.view;
    const width = this.charts[0].plot.clientWidth * (window.devicePixelRatio || 1);
    const points = Math.min(unthinned, Math.max(500, Math.round(width * (1 + 2 * margin))));
    const come = await Promise.all([...this.tracks.values()].map(async (track) => {
      try {
        await track.fetch(Math.max(0, from - margin * span), Math.min(this.recording.duration_ms, until + margin * span), points, () => asked === this.asked);
        this.fill(track.stream.id);
        return true;
      } catch (error) {
        this.fault(error);
        return false;
      }
    }));
    if (asked === this.asked && come.every(Boolean)) document.body.dataset.drawn = String(asked);
  }

  /** Draws what has come. @param {string} [stream] only what is drawn of this one */
  fill(stream) {
    for (const chart of this.charts) {
      const { lines } = chart.panel;
      if (stream && !lines.some((l) => l.stream === stream)) continue;
      const streams = [...new Set(lines.map((l) => l.stream))]; // the lines of one follow each other
      const tables = streams.flatMap((id) => {
        const track = this.tracks.get(id);
        return track ? [track.table(lines.filter((l) => l.stream === id).map((l) => l.name))] : [];
      });
      chart.set(tables, this.view.from, this.view.until);
    }
    this.read();
  }

  /** Tells the values under the pointer, or under the cursor. */
  read() {
    const t = this.hovered ?? this.head.t;
    for (const chart of this.charts) chart.read((l) => this.tracks.get(l.stream)?.value(l.name, t) ?? NaN);
  }
}

/** Gaps of a stream as stretches that cannot be used. @param {import("./types.js").Recording} recording @returns {import("./types.js").Band[]} */
function gapBands(recording) {
  return recording.gaps.flatMap((g) => {
    const kind = recording.streams.find((s) => s.id === g.stream)?.kind;
    return kind === "face" || kind === "gaze" || kind === "eda" ? [{ kind, from_ms: g.from_ms, until_ms: g.until_ms, why: g.why }] : [];
  });
}
