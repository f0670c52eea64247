// What the page keeps of each stream: a ring, long enough for the strips.

/** @typedef {import("./types.js").StreamInfo} StreamInfo */
/** @typedef {import("./types.js").Block} Block */

/** Rows a stream: 20 s at 60 a second, and half as much again. */
const capacity = 2048;

export class Series {
  /** @param {StreamInfo} info */
  constructor(info) {
    this.info = info;
    this.times = new Float64Array(capacity);
    this.gaps = new Uint8Array(capacity); // 1: something is missing before this row
    /** @type {Map<string, Float32Array>} */
    this.columns = new Map(info.channels.map((c) => [c.name, new Float32Array(capacity)]));
    this.total = 0; // rows ever pushed
    /** The longest interval between two rows that still is one line, in ms. */
    this.reach = Math.max(250, info.rate_hz > 0 ? 4000 / info.rate_hz : 0);
  }

  /** @param {Block} block */
  push(block) {
    const columns = [...this.columns.values()];
    for (let row = 0; row < block.times.length; row++) {
      const i = this.total++ % capacity;
      this.times[i] = block.times[row];
      this.gaps[i] = row === 0 && block.gap ? 1 : 0;
      for (let k = 0; k < columns.length; k++) columns[k][i] = block.values[row * block.channels + k];
    }
  }

  /** @param {string} channel */
  column(channel) {
    return this.columns.get(channel);
  }

  /** The slots of rows not older than t0, oldest first, as [first, end) of ever-growing numbers; slot = n % capacity.
   * @param {number} t0 lab ms
   * @returns {[number, number]} */
  since(t0) {
    let first = this.total;
    const oldest = Math.max(0, this.total - capacity);
    while (first > oldest && this.times[(first - 1) % capacity] >= t0) first--;
    return [first, this.total];
  }

  /** @param {number} n a row's number */
  slot(n) {
    return n % capacity;
  }

  /** Time of the latest row, or -Infinity. */
  get lastTime() {
    return this.total === 0 ? -Infinity : this.times[(this.total - 1) % capacity];
  }

  /** @param {string} channel @returns {number} the latest value, NaN without one */
  last(channel) {
    const c = this.columns.get(channel);
    return c === undefined || this.total === 0 ? NaN : c[(this.total - 1) % capacity];
  }
}

/** The rings of all streams, by index and by kind. */
export class Rings {
  constructor() {
    /** @type {Series[]} */
    this.list = [];
    /** @type {Map<string, Series>} */
    this.byKind = new Map();
  }

  /** A new connection: everything comes again. @param {StreamInfo[]} streams */
  reset(streams) {
    this.list = streams.map((s) => new Series(s));
    this.byKind = new Map(this.list.map((s) => [s.info.kind, s]));
  }

  /** Forgets the data and keeps the streams. */
  clear() {
    this.reset(this.list.map((s) => s.info));
  }

  /** @param {Block[]} blocks */
  push(blocks) {
    for (const b of blocks) this.list[b.stream]?.push(b);
  }

  /** @param {string} kind */
  of(kind) {
    return this.byKind.get(kind);
  }
}
