// One showing of a clip: loaded, stood ready, shown, played, and told frame by frame.

import {tick, toTick} from './protocol.js';
import {FrameLog} from './frames.js';
import {source} from './library.js';
import {watchClip, watchSight} from './watch.js';
import * as view from './screen.js';

/** @import {Clip, PageMessage, Step} from './protocol.js' */

/** The first frame of a loaded clip stands on the page within this time, ms. A
 * browser that paints none before it plays is let play; it tells its frames itself. */
const STANDING = 1000;

/** Refreshes from when it stands until it is shown: the page has painted by then all
 * that showing it needs, and the change lights up as fast as a frame does. */
const SETTLE = 3;

/** A clip that is still not over so long after it should be has got stuck, ms. */
const STUCK = 5000;

export class Showing {
  /**
   * @param {number} run
   * @param {Step} step
   * @param {Clip} clip
   * @param {(m: PageMessage) => void} report
   * @param {AbortSignal} signal
   */
  constructor(run, step, clip, report, signal) {
    this.run = run;
    this.step = step;
    this.clip = clip;
    this.report = report;
    this.signal = signal;
    const video = document.createElement('video');
    video.playsInline = true;
    video.preload = 'auto';
    video.disablePictureInPicture = true;
    video.disableRemotePlayback = true;
    this.video = video;
    /** Ends the watch over the clip. */
    this.over = new AbortController();
    /** Ends the clip before its time. */
    this.swiped = new Promise((resolve) => (this.swipe = () => resolve(true)));
  }

  /**
   * Plays the clip, and returns how many frames its decoder dropped.
   * @param {(visible: number) => void} begun is called when it is shown, with since when (ms)
   * @returns {Promise<{dropped: number, swiped?: boolean, media?: number}>}
   */
  async play(begun) {
    const {video, clip, signal} = this;
    if (document.visibilityState === 'hidden') await view.nextFrame(signal); // no clip begins unseen
    const frames = new FrameLog(this.run, this.step, video, this.report, signal);
    view.place(video, clip.width, clip.height);
    const playing = AbortSignal.any([signal, this.over.signal]);
    watchClip(video, (what) => {
      frames.flush();
      this.report({type: 'remark', run: this.run, what, tick: tick(), presentation: this.step.presentation, media: this.#media()});
    }, playing);
    watchSight(() => frames.lose(), () => frames.find(), playing);
    let swiped = false;
    try {
      swiped = await this.#toItsEnd(async () => {
        await Promise.race([frames.standing, new Promise((late) => setTimeout(late, STANDING))]);
        for (let n = 0; n < SETTLE; n++) await view.nextFrame(playing);
        const now = await view.nextFrame(playing);
        const visible = view.uncover(now);
        begun(visible);
        frames.begin(now, visible);
      });
      if (!swiped) {
        // The callback of the last frame may come a refresh or two after the end.
        await view.nextFrame(signal);
        await view.nextFrame(signal);
      }
    } finally {
      this.over.abort();
      frames.close();
    }
    if (frames.count === 0) throw new Error(`${clip.id}: no frame was displayed; is the page hidden?`);
    const dropped = video.getVideoPlaybackQuality().droppedVideoFrames;
    if (!swiped) return {dropped};
    video.pause();
    const media = this.#media();
    this.report({type: 'blank', run: this.run, tick: toTick(view.show('blank'))});
    return {dropped, swiped, media};
  }

  /** Where the clip is in its time, µs. */
  #media() {
    return Math.round(this.video.currentTime * 1e6);
  }

  /**
   * Loads the clip, shows it, and plays it; tells whether it was swiped away.
   * @param {() => Promise<void>} show ends when the clip's first frame has been shown
   * @returns {Promise<boolean>}
   */
  #toItsEnd(show) {
    const {video, clip, signal} = this;
    return new Promise((resolve, reject) => {
      const fail = (/** @type {string} */ what) => done(() => reject(new Error(`${clip.id}: ${what}`)));
      // A clip that is paused, or that nobody can see, takes its time: it is stuck
      // when it should go on and does not.
      let stuck = 0;
      const watch = () => {
        clearTimeout(stuck);
        stuck = setTimeout(() => {
          if (document.visibilityState === 'hidden') watch();
          else fail('did not come to its end');
        }, clip.duration_ms - video.currentTime * 1000 + STUCK);
      };
      const over = new AbortController();
      for (const name of ['playing', 'pause', 'seeked']) video.addEventListener(name, watch, {signal: over.signal});
      document.addEventListener('visibilitychange', watch, {signal: over.signal});
      watch();
      const done = (/** @type {() => void} */ settle) => {
        over.abort();
        clearTimeout(stuck);
        signal.removeEventListener('abort', abort);
        settle();
      };
      const abort = () => {
        video.pause();
        done(() => reject(signal.reason));
      };
      signal.addEventListener('abort', abort, {once: true});
      video.onended = () => done(() => resolve(false));
      video.onerror = () => fail(video.error?.message || 'cannot be decoded');
      this.swiped.then(() => done(() => resolve(true)));
      video.src = source(clip);
      const play = () => {
        if (signal.aborted) return;
        video.play().catch((e) => {
          if (!signal.aborted && e.name !== 'AbortError') fail(`was not allowed to play (${e.name})`);
        });
      };
      show().then(play, (e) => done(() => reject(e)));
    });
  }
}
