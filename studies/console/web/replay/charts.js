// All traces under one time axis. What is shown is fetched as fine as the screen can
// show it, again with every zoom.

import { byId } from "../dom.js";
import { readPalette } from "../palette.js";
import { Chart } from "./chart.js";
import { unthinned } from "./frames.js";
import { isUnit, panelsFor } from "./panels.js";

/** @typedef {import("./types.js").Rows} Rows */

/** Beyond each edge of what is shown so much of it is fetched too, so that a pan finds something. */
const margin = 0.25;
/** A stretch without a row that is longer than this, and than four usual rows, is a hole, ms. */
const holeMs = 250;
/** Around the cursor values are read off whole rows, where what is drawn is thinned, ms. */
const fineMs = 10_000;
/** The view has come to rest when it was not moved for so long, ms. */
const restMs = 80;
const chosenKey = "emolab-replay-units";

export class Charts {
  /** @param {import("./api.js").Source} source @param {import("./types.js").Recording} recording
   * @param {import("./playhead.js").Playhead} head @param {import("./playhead.js").View} view @param {(error: unknown) => void} fault */
  constructor(source, recording, head, view, fault) {
    this.source = source;
    this.recording = recording;
    this.head = head;
    this.view = view;
    this.fault = fault;
    this.box = byId("panels");
    this.columns = recording.streams.find((s) => s.id === "trace")?.columns.map((c) => c.name) ?? [];
    /** @type {string[]} */
    this.units = (sessionStorage.getItem(chosenKey) ?? "").split(" ").filter((n) => isUnit(n) && this.columns.includes(n));
    /** @type {number|null} */
    this.hovered = null;
    this.scene = { bands: [...recording.bands, ...gapBands(recording)], clips: recording.presentations, responses: /** @type {number[]} */ ([]) };
    /** @type {Chart[]} */
    this.charts = [];
    /** @type {Rows|undefined} */
    this.rows = undefined;
    this.names = "";
    /** @type {{from: number, until: number, names: string, rows: Rows|null}} rows null: on their way */
    this.fine = { from: 0, until: 0, names: "", rows: null };
    this.asked = 0;
    this.timer = 0;
    view.listen(() => this.moved());
    new ResizeObserver(() => this.rebuild()).observe(this.box);
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
    this.charts = panelsFor(this.columns, this.units).map((p) => new Chart(p, palette, gestures, this.scene));
    this.box.replaceChildren(...this.charts.map((c) => c.element));
    byId("no-traces").hidden = this.charts.length > 0;
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
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), restMs);
  }

  async fetch() {
    const names = [...new Set(this.charts.flatMap((c) => c.panel.lines.map((l) => l.name)))];
    if (names.length === 0) return;
    const asked = ++this.asked;
    document.body.dataset.asked = String(asked);
    const { from, until, span } = this.view;
    const width = this.charts[0].plot.clientWidth * (window.devicePixelRatio || 1);
    try {
      const rows = await this.source.columns("trace", names,
        Math.max(0, from - margin * span), Math.min(this.recording.duration_ms, until + margin * span), Math.max(500, width * (1 + 2 * margin)));
      if (asked !== this.asked) return; // another stretch was asked for meanwhile
      this.rows = rows;
      this.names = names.join(" ");
      this.fill();
      document.body.dataset.drawn = String(asked);
    } catch (error) {
      this.fault(error);
    }
  }

  fill() {
    if (!this.rows) return;
    const names = this.names.split(" ");
    const { times, columns } = withHoles(this.rows);
    for (const chart of this.charts) {
      const values = chart.panel.lines.map((l) => columns[names.indexOf(l.name)] ?? times.map(() => null));
      chart.set([times, ...values], this.view.from, this.view.until);
    }
    this.read();
  }

  /** Tells the values under the pointer, or under the cursor. */
  read() {
    const t = this.hovered ?? this.head.t;
    const fine = this.rows?.thinned ? this.near(t) : null;
    const names = this.names.split(" ");
    for (const chart of this.charts) {
      if (fine) chart.read(t, fine.times, chart.panel.lines.map((l) => fine.columns[names.indexOf(l.name)] ?? []));
      else chart.read(t, chart.data[0], chart.data.slice(1));
    }
  }

  /** Whole rows around a moment; null until they have come. @param {number} t @returns {Rows|null} */
  near(t) {
    const { fine, names } = this;
    if (fine.names === names && t >= fine.from && t <= fine.until) return fine.rows;
    const wanted = { from: t - fineMs, until: t + fineMs, names, rows: /** @type {Rows|null} */ (null) };
    this.fine = wanted;
    this.source.columns("trace", names.split(" "), wanted.from - 1000, wanted.until, unthinned).then((rows) => {
      wanted.rows = rows;
      if (this.fine === wanted) this.read();
    }, this.fault);
    return null;
  }
}

/** Gaps of a stream as stretches that cannot be used. @param {import("./types.js").Recording} recording @returns {import("./types.js").Band[]} */
function gapBands(recording) {
  return recording.gaps.flatMap((g) => {
    const kind = recording.streams.find((s) => s.id === g.stream)?.kind;
    return kind === "face" || kind === "gaze" || kind === "eda" ? [{ kind, from_ms: g.from_ms, until_ms: g.until_ms, why: g.why }] : [];
  });
}

/** Rows as uPlot takes them: null where nothing was measured, and one row of it in each
 * hole, so that no line is drawn across. @param {Rows} rows */
function withHoles(rows) {
  const n = rows.times.length;
  const usual = n > 1 ? (rows.times[n - 1] - rows.times[0]) / (n - 1) : 0;
  const hole = Math.max(holeMs, 4 * usual);
  /** @type {number[]} */
  const times = [];
  /** @type {(number|null)[][]} */
  const columns = rows.columns.map(() => []);
  for (let i = 0; i < n; i++) {
    if (i > 0 && rows.times[i] - rows.times[i - 1] > hole) {
      times.push((rows.times[i] + rows.times[i - 1]) / 2);
      for (const column of columns) column.push(null);
    }
    times.push(rows.times[i]);
    rows.columns.forEach((from, c) => columns[c].push(Number.isNaN(from[i]) ? null : from[i]));
  }
  return { times, columns };
}
