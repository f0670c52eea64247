// Plays a plan and reports what was displayed when.

import {tick, toTick} from './protocol.js';
import {source} from './library.js';
import {obey} from './lead.js';
import {Orders} from './orders.js';
import {ask, choose} from './question.js';
import {watchClip, watchSight} from './watch.js';
import * as view from './screen.js';

/** @import {Clip, Frame, PageMessage, Place, Plan, Step} from './protocol.js' */

/** So long does a displayed frame wait at most for others to be reported with, ms.
 * The first of a clip does not wait: triggers are written upon it. */
const BATCH = 40;

/** The first frame of a loaded clip stands on the page within this time, ms. A
 * browser that paints none before it plays is let play; it tells its frames itself. */
const STANDING = 1000;

/** Refreshes from when it stands until it is shown: the page has painted by then all
 * that showing it needs, and the change lights up as fast as a frame does. */
const SETTLE = 3;

/** The least time between two reports, a tick, ms. */
const GRAIN = .001;

/** A clip that is still not over so long after it should be has got stuck, ms. */
const STUCK = 5000;

export class Player {
  /**
   * @param {Plan} plan
   * @param {(m: PageMessage) => void} report
   * @param {AbortSignal} signal ends playing at once
   * @param {() => void} anew begins the step anew, with another connection
   */
  constructor(plan, report, signal, anew) {
    this.anew = anew;
    /** What the server asks for in the steps that it leads. */
    this.orders = new Orders();
    this.plan = plan;
    this.report = report;
    this.signal = signal;
  }

  /** Shows the plan from its step `from` to its end, and leaves the screen blank. */
  async run() {
    const {run, steps, from} = this.plan;
    if (view.refreshRate() === 0) { // the page was loaded unseen
      await view.nextFrame(this.signal);
      await view.measureRefresh();
    }
    for (const step of steps.slice(from)) {
      if (step.action === 'consent') {
        await this.#ask(step); // its answer ends it
        continue;
      }
      const last = step.index === steps.length - 1;
      const dropped = await this.#show(step);
      if (last) this.#blank();
      this.report({type: 'step-ended', run, step: step.index, tick: toTick(performance.now()), dropped});
    }
  }

  /** @param {Step} step */
  async #show(step) {
    switch (step.action) {
      case 'play':
        return this.#play(step);
      case 'calibrate':
      case 'validate':
      case 'breath':
        return this.#follow(step);
    }
    return this.#hold(step);
  }

  #blank() {
    this.report({type: 'blank', run: this.plan.run, tick: toTick(view.show('blank'))});
  }

  /**
   * @param {Step} step
   * @param {number} visible ms
   * @param {Place} [place] of a cross
   */
  #began(step, visible, place) {
    this.report({type: 'step-began', run: this.plan.run, step: step.index, tick: toTick(visible), place});
  }

  /**
   * Shows what the server asks for until it ends the step.
   * @param {Step} step
   */
  async #follow(step) {
    const {run} = this.plan;
    this.orders.clear(); // those of a step before are nobody's any more
    const visible = await view.draw('blank', this.signal);
    this.report({type: 'blank', run, tick: toTick(visible)});
    this.#began(step, visible);
    const over = new AbortController();
    const following = AbortSignal.any([this.signal, over.signal]);
    // What nobody saw is no target, nor is one that the window's edge has moved: the
    // step begins anew when the page can be seen.
    watchSight(this.anew, () => {}, following);
    addEventListener('resize', () => this.anew(), {signal: following});
    try {
      await obey(this.orders, (id, tick, place) => {
        this.report({type: 'shown', run, step: step.index, id, tick, place});
      }, this.signal);
    } finally {
      over.abort();
    }
    return 0;
  }

  /**
   * Asks the participant, and waits for the answer however long it takes.
   * @param {Step} step
   */
  async #ask(step) {
    const {run} = this.plan;
    const text = choose(step.texts);
    const answered = ask(text, this.signal);
    const visible = await view.draw('question', this.signal);
    this.report({type: 'blank', run, tick: toTick(visible)}); // no stimulus
    this.#began(step, visible);
    const {granted, simulated} = await answered();
    view.show('blank');
    this.report({
      type: 'answer',
      run,
      step: step.index,
      scope: step.scope,
      granted,
      text_sha256: text.sha256,
      language: text.language,
      simulated,
      tick: toTick(performance.now()),
    });
  }

  /**
   * Shows the cross, or nothing, for the step's time.
   * @param {Step} step
   */
  async #hold(step) {
    const cross = step.action === 'fixation';
    const visible = await view.draw(cross ? 'cross' : 'blank', this.signal);
    this.report({type: 'blank', run: this.plan.run, tick: toTick(visible)});
    this.#began(step, visible, cross ? view.crossPlace() : undefined);
    // The next step is drawn in the frame after this loop and lights up one
    // refresh later, so the loop ends two refreshes before the time is over.
    const refresh = 1000 / (view.refreshRate() || 60);
    const until = visible + step.duration_ms - 2.5 * refresh;
    while ((await view.nextFrame(this.signal)) < until);
    return 0;
  }

  /**
   * Plays a clip and returns how many frames its decoder dropped.
   * @param {Step} step
   */
  async #play(step) {
    const clip = this.plan.clips.find((c) => c.id === step.stimulus);
    if (!clip) throw new Error(`the plan has no clip ${step.stimulus}`);
    const video = document.createElement('video');
    video.playsInline = true;
    video.preload = 'auto';
    video.disablePictureInPicture = true;
    video.disableRemotePlayback = true;
    if (view.showsClip()) this.#blank(); // another clip was shown just before
    if (document.visibilityState === 'hidden') await view.nextFrame(this.signal); // no clip begins unseen
    const frames = new FrameLog(this.plan.run, step, video, this.report, this.signal);
    view.place(video, clip.width, clip.height);
    const over = new AbortController();
    const playing = AbortSignal.any([this.signal, over.signal]);
    watchClip(video, (what) => {
      frames.flush();
      this.report({
        type: 'remark',
        run: this.plan.run,
        what,
        tick: tick(),
        presentation: step.presentation,
        media: Math.round(video.currentTime * 1e6),
      });
    }, playing);
    watchSight(() => frames.lose(), () => frames.find(), playing);
    try {
      await this.#toItsEnd(video, clip, async () => {
        await Promise.race([frames.standing, new Promise((late) => setTimeout(late, STANDING))]);
        for (let n = 0; n < SETTLE; n++) await view.nextFrame(playing);
        const now = await view.nextFrame(playing);
        const visible = view.uncover(now);
        this.#began(step, visible);
        frames.begin(now, visible);
      });
      // The callback of the last frame may come a refresh or two after the end.
      await view.nextFrame(this.signal);
      await view.nextFrame(this.signal);
    } finally {
      over.abort();
      frames.close();
    }
    if (frames.count === 0) throw new Error(`${clip.id}: no frame was displayed; is the page hidden?`);
    return video.getVideoPlaybackQuality().droppedVideoFrames;
  }

  /**
   * Loads a clip, shows it, and plays it.
   * @param {HTMLVideoElement} video
   * @param {Clip} clip
   * @param {() => Promise<void>} show ends when the clip's first frame has been shown
   * @returns {Promise<void>}
   */
  #toItsEnd(video, clip, show) {
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
        this.signal.removeEventListener('abort', abort);
        settle();
      };
      const abort = () => {
        video.pause();
        done(() => reject(this.signal.reason));
      };
      this.signal.addEventListener('abort', abort, {once: true});
      video.onended = () => done(resolve);
      video.onerror = () => fail(video.error?.message || 'cannot be decoded');
      video.src = source(clip);
      const play = () => {
        if (this.signal.aborted) return;
        video.play().catch((e) => {
          if (!this.signal.aborted && e.name !== 'AbortError') fail(`was not allowed to play (${e.name})`);
        });
      };
      show().then(play, (e) => done(() => reject(e)));
    });
  }
}

/** The displayed frames of one video, reported in batches. */
class FrameLog {
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
    // then, and was not displayed at it; the next one is told.
    if (meta.expectedDisplayTime < this.seen) return;
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
