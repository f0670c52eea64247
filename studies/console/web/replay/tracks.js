// What is drawn of one stream: its rows as fine as the screen shows them for the lines, and
// whole ones around the cursor for the values that are read off.

import { lastUntil, unthinned } from "./frames.js";

/** @typedef {import("./types.js").Rows} Rows */
/** @typedef {(number|null)[]} Values */

/** A stretch without a row that is longer than this, and than four usual rows, is a hole, ms. */
const shortestHoleMs = 100;
/** The distance of rows of a stream that does not say its rate, ms. */
const usualMs = 60;
/** Around the cursor values are read off whole rows, where what is drawn is thinned, ms. */
const fineMs = 5000;
/** So far before their end others are fetched, ms. */
const edgeMs = 1500;
/** After this a question that failed is asked again, ms. */
const againMs = 3000;

export class Track {
  /** @param {import("./source.js").Source} source @param {import("./types.js").Stream} stream
   * @param {() => void} arrived called when other values can be read off @param {(error: unknown) => void} fault */
  constructor(source, stream, arrived, fault) {
    this.source = source;
    this.stream = stream;
    this.arrived = arrived;
    this.fault = fault;
    /** @type {string[]} the columns that are wanted */
    this.names = [];
    /** What is drawn. @type {{rows: Rows, names: string[], hole: number}|undefined} */
    this.coarse = undefined;
    /** Whole rows, and those that were asked for last. @type {Stretch|undefined} */
    this.fine = undefined;
    /** @type {Stretch|undefined} */
    this.asked = undefined;
  }

  /** @typedef {{from: number, until: number, names: string[], rows: Rows|undefined}} Stretch */

  /** Fetches what is drawn, unless something else is wanted by the time it comes.
   * @param {number} from @param {number} until @param {number} points @param {() => boolean} wanted */
  async fetch(from, until, points, wanted) {
    const { names } = this;
    const rows = await this.source.columns(this.stream.id, names, from, until, points);
    if (!wanted()) return;
    const usual = this.stream.rate_hz > 0 ? 1000 / this.stream.rate_hz : usualMs;
    // Of rows that were thinned, two stand for a stretch: neighbours may be two stretches apart.
    this.coarse = { rows, names, hole: Math.max(shortestHoleMs, 4 * usual, rows.thinned ? (4 * (until - from)) / points : 0) };
  }

  /** Columns as uPlot takes them: null where nothing was measured, and a row of it in each
   * hole, so that no line is drawn across. @param {string[]} names @returns {[number[], ...Values[]]} */
  table(names) {
    const { coarse } = this;
    if (!coarse) return [[], ...names.map(() => [])];
    const { times } = coarse.rows;
    const from = names.map((name) => coarse.rows.columns[coarse.names.indexOf(name)]);
    /** @type {number[]} */
    const at = [];
    /** @type {Values[]} */
    const values = names.map(() => []);
    for (let i = 0; i < times.length; i++) {
      if (i > 0 && times[i] - times[i - 1] > coarse.hole) {
        at.push((times[i] + times[i - 1]) / 2);
        for (const column of values) column.push(null);
      }
      at.push(times[i]);
      from.forEach((column, c) => values[c].push(column === undefined || Number.isNaN(column[i]) ? null : column[i]));
    }
    return [at, ...values];
  }

  /** The value that holds at a moment; NaN where nothing was measured, and while it is on its
   * way. @param {string} name @param {number} t */
  value(name, t) {
    const from = this.coarse?.rows.thinned ? this.near(t) : this.coarse;
    const rows = from?.rows;
    if (!from || !rows) return NaN;
    const i = lastUntil(rows.times, t);
    const reach = Math.max(shortestHoleMs, this.stream.rate_hz > 0 ? 4000 / this.stream.rate_hz : 4 * usualMs);
    if (i < 0 || t - rows.times[i] > reach) return NaN;
    return rows.columns[from.names.indexOf(name)]?.[i] ?? NaN;
  }

  /** Whole rows around a moment; undefined until they have come. @param {number} t */
  near(t) {
    const { asked, fine } = this;
    const names = this.names.join();
    const holds = (/** @type {Stretch|undefined} */ s, edge = 0) => s?.names.join() === names && t >= s.from + edge && t <= s.until - edge;
    if (!holds(asked, edgeMs)) this.askNear(t);
    return holds(fine) ? fine : undefined;
  }

  /** @param {number} t */
  askNear(t) {
    /** @type {Stretch} */
    const asked = { from: t - fineMs, until: t + fineMs, names: this.names, rows: undefined };
    this.asked = asked;
    this.source.columns(this.stream.id, asked.names, asked.from - 1000, asked.until, unthinned).then((rows) => {
      asked.rows = rows;
      if (this.asked !== asked) return;
      this.fine = asked;
      this.arrived();
    }, (error) => {
      this.fault(error);
      setTimeout(() => {
        if (this.asked !== asked) return;
        this.asked = undefined;
        this.arrived();
      }, againMs);
    });
  }
}
