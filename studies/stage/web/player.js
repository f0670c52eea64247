// Plays a plan and reports what was displayed when.

import {toTick} from './protocol.js';
import {source} from './library.js';
import {ask, choose} from './question.js';
import * as view from './screen.js';

/** @import {Clip, Frame, PageMessage, Plan, Step} from './protocol.js' */

/** So long does a displayed frame wait at most for others to be reported with, ms.
 * The first of a clip does not wait: triggers are written upon it. */
const BATCH = 40;

/** A clip that is still not over so long after its time has got stuck, ms. */
const STUCK = 5000;

export class Player {
  /**
   * @param {Plan} plan
   * @param {(m: PageMessage) => void} report
   * @param {AbortSignal} signal ends playing at once
   */
  constructor(plan, report, signal) {
    this.plan = plan;
    this.report = report;
    this.signal = signal;
  }

  /** Shows the plan from its step `from` to its end, and leaves the screen blank. */
  async run() {
    const {run, steps, from} = this.plan;
    for (const step of steps.slice(from)) {
      if (step.action === 'consent') {
        await this.#ask(step); // its answer ends it
        continue;
      }
      const last = step.index === steps.length - 1;
      const dropped = step.action === 'play' ? await this.#play(step) : await this.#hold(step);
      if (last) this.#blank();
      this.report({type: 'step-ended', run, step: step.index, tick: toTick(performance.now()), dropped});
    }
  }

  #blank() {
    this.report({type: 'blank', run: this.plan.run, tick: toTick(view.show('blank'))});
  }

  /**
   * @param {Step} step
   * @param {number} visible ms
   */
  #began(step, visible) {
    this.report({type: 'step-began', run: this.plan.run, step: step.index, tick: toTick(visible)});
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
    const visible = await view.draw(step.action === 'fixation' ? 'cross' : 'blank', this.signal);
    this.report({type: 'blank', run: this.plan.run, tick: toTick(visible)});
    this.#began(step, visible);
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
    const frames = new FrameLog(this.plan.run, step, video, this.report, this.signal);
    frames.first = (visible) => {
      view.dropCross();
      this.#began(step, visible);
    };
    view.place(video, clip.width, clip.height);
    try {
      await this.#toItsEnd(video, clip);
      // The callback of the last frame may come a refresh or two after the end.
      await view.nextFrame(this.signal);
      await view.nextFrame(this.signal);
    } finally {
      frames.close();
    }
    if (frames.count === 0) throw new Error(`${clip.id}: no frame was displayed; is the page hidden?`);
    return video.getVideoPlaybackQuality().droppedVideoFrames;
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {Clip} clip
   * @returns {Promise<void>}
   */
  #toItsEnd(video, clip) {
    return new Promise((resolve, reject) => {
      const fail = (/** @type {string} */ what) => reject(new Error(`${clip.id}: ${what}`));
      const stuck = setTimeout(() => fail('did not come to its end'), clip.duration_ms + STUCK);
      const done = (/** @type {() => void} */ settle) => {
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
      video.onerror = () => done(() => fail(video.error?.message || 'cannot be decoded'));
      video.src = source(clip);
      video.play().catch((e) => {
        if (!this.signal.aborted) done(() => fail(`was not allowed to play (${e.name})`));
      });
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
    /** Called with the time of the first frame, ms. @type {(visible: number) => void} */
    this.first = () => {};
    /** @type {Frame[]} */
    this.frames = [];
    this.rect = [0, 0, 0, 0];
    this.timer = 0;
    this.handle = video.requestVideoFrameCallback((now, meta) => this.#add(now, meta));
    // At once, so that these frames are reported before the blank that follows.
    signal.addEventListener('abort', () => this.close(), {once: true});
  }

  /**
   * @param {DOMHighResTimeStamp} now
   * @param {VideoFrameCallbackMetadata} meta
   */
  #add(now, meta) {
    this.handle = this.video.requestVideoFrameCallback((n, m) => this.#add(n, m));
    if (this.count === 0) this.first(meta.expectedDisplayTime);
    this.count++;
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
    if (this.count === 1) {
      this.flush();
      return;
    }
    // By a timer, not by the next frame: that may be long in coming.
    this.timer ||= setTimeout(() => this.flush(), BATCH);
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
