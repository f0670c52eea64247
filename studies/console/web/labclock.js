// The lab's time as this page knows it: the server's "now" of the batches,
// carried on by the browser's own clock between them.

/** How fast a stale estimate is given up, in ms per ms: faster than any crystal drifts. */
const forget = 0.0005;

export class LabClock {
  constructor() {
    this.offset = NaN; // lab ms minus performance.now(), from the least delayed message
    this.seen = 0; // performance.now() of the latest message
  }

  /** @param {number} now the server's time in a message that has just come */
  heard(now) {
    const here = performance.now();
    const offset = now - here;
    const faded = this.offset - forget * (here - this.seen);
    this.offset = offset > faded || Number.isNaN(faded) ? offset : faded;
    this.seen = here;
  }

  /** Lab time in ms; NaN before the first message. */
  now() {
    return performance.now() + this.offset;
  }

  reset() {
    this.offset = NaN;
  }
}
