// The displayed frames of one clip.

import {toTick} from './protocol.js';
import * as view from './screen.js';

/** @import {Frame, PageMessage, Step} from './protocol.js' */

/** So long does a displayed frame wait at most for others to be reported with, ms.
 * The first of a clip does not wait: triggers are written upon it. */
const BATCH = 40;

/** The least time between two reports, a tick, ms. */
const GRAIN = .001;

/** The displayed frames of one video, reported in batches. */
export class FrameLog {
  /**
   * @param {number} run
   * @param {Step} step
   * @param {HTMLVideoElement} video
   * @param {(m: PageMessage) => void} report
   * @param {AbortSignal} signal
   */
  constructor(run, step, video, report, signal) {
    this.run = run;
    this.step = step;
    this.video = video;
    this.report = report;
    this.count = 0;
    /**
     * Ends when the first frame stands on the page, ready to be shown.
     * @type {Promise<void>}
     */
    this.standing = new Promise((resolve) => (this.stands = resolve));
    /** The first frame as the browser tells it. @type {VideoFrameCallbackMetadata | null} */
    this.still = null;
    /** The clip is shown. */
    this.begun = false;
    /** @type {Frame[]} */
    this.frames = [];
    this.rect = [0, 0, 0, 0];
    this.timer = 0;
    /** When the latest frame lights up, ms. */
    this.latest = 0;
    /** Nobody can see the page. */
    this.lost = false;
    /** Since when the page can be seen, ms. */
    this.seen = 0;
    this.handle = video.requestVideoFrameCallback((now, meta) => this.#add(now, meta));
    // At once, so that these frames are reported before the blank that follows.
    signal.addEventListener('abort', () => this.close(), {once: true});
  }

  /**
   * Notes that the clip is shown, and with it the frame that stands. What the
   * browser told of this one is when it was painted, unseen.
   * @param {number} now of the animation frame in which it was uncovered, ms
   * @param {number} visible when it lights up, ms
   */
  begin(now, visible) {
    this.begun = true;
    if (this.still) this.#log(now, {...this.still, presentationTime: now, expectedDisplayTime: visible});
    this.flush(); // triggers are written upon it
  }

  /**
   * @param {DOMHighResTimeStamp} now
   * @param {VideoFrameCallbackMetadata} meta
   */
  #add(now, meta) {
    this.handle = this.video.requestVideoFrameCallback((n, m) => this.#add(n, m));
    if (!this.begun) {
      this.still = meta;
      this.stands();
      return;
    }
    // A frame that was made ready while nobody could see the page has the time of
    // then, and was not displayed at it; the next one is told. So is one that a busy
    // page hears of when it has been hidden already.
    if (this.lost || meta.expectedDisplayTime < this.seen) return;
    this.#log(now, meta);
    // By a timer, not by the next frame: that may be long in coming.
    this.timer ||= setTimeout(() => this.flush(), BATCH);
  }

  /**
   * @param {number} now
   * @param {VideoFrameCallbackMetadata} meta
   */
  #log(now, meta) {
    this.count++;
    this.latest = meta.expectedDisplayTime;
    const rect = view.placeOnScreen(this.video);
    if (rect.some((v, i) => v !== this.rect[i])) {
      this.flush(); // a batch has one place
      this.rect = rect;
    }
    this.frames.push({
      presented: meta.presentedFrames,
      media: Math.round(meta.mediaTime * 1e6),
      expected: toTick(meta.expectedDisplayTime),
      submitted: toTick(meta.presentationTime),
      callback: toTick(now),
    });
  }

  /** Says that from now on nobody knows what is on the screen. */
  lose() {
    if (this.lost || this.count === 0) return; // said already, or no clip is on it
    this.lost = true;
    this.flush();
    // Not before the latest frame, which lights up after it was reported.
    const from = Math.max(performance.now(), this.latest + GRAIN);
    this.report({type: 'unknown', run: this.run, tick: toTick(from)});
  }

  /** Notes that the page can be seen again, from the next refresh on. */
  find() {
    this.lost = false;
    this.seen = Math.max(performance.now(), this.latest + GRAIN); // not before what was reported
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.frames.length === 0) return;
    this.report({
      type: 'frames',
      run: this.run,
      presentation: this.step.presentation,
      stimulus: this.step.stimulus,
      rect: this.rect,
      frames: this.frames.splice(0),
    });
  }

  close() {
    this.video.cancelVideoFrameCallback(this.handle);
    this.flush();
  }
}
