// Plays a plan and reports what was displayed when.

import {tick, toTick} from './protocol.js';
import {act, actLeast} from './conduct.js';
import {Form, offered, virtual} from './form.js';
import {Inbox} from './inbox.js';
import {instruct, obey, reading, untilRead} from './lead.js';
import {standStill} from './pause.js';
import {receipt} from './receipt.js';
import {Showing} from './showing.js';
import {watchSight} from './watch.js';
import {timeInWords, word} from './words.js';
import * as view from './screen.js';

/** @import {Again, Conduct, Go, Order, PageMessage, Place, Plan, ReceiptMessage, Sheet, Step} from './protocol.js' */
/** @import {Wish} from './wishes.js' */

/** Steps that may be paused: those in which time passes. On a sheet nobody is in a hurry. */
const TIMED = ['fixation', 'neutral', 'play', 'rest', 'calibrate', 'validate', 'breath'];

/** Steps that the server leads, in which what is seen is measured by. */
const MEASURED = ['calibrate', 'validate', 'breath'];

export class Player {
  /**
   * @param {Plan} plan
   * @param {(m: PageMessage) => void} report
   * @param {AbortSignal} signal ends playing at once
   * @param {() => void} anew begins the step anew, with another connection
   * @param {(e: unknown) => void} fail the plan cannot be shown
   */
  constructor(plan, report, signal, anew, fail) {
    this.anew = anew;
    this.fail = fail;
    this.plan = plan;
    this.report = report;
    this.signal = signal;
    this.skip = new Set(plan.skip ?? []);
    /** What the server asks for in the steps that it leads. @type {Inbox<Order>} */
    this.orders = new Inbox();
    /** What it says to answers. @type {Inbox<Go | Again>} */
    this.rulings = new Inbox();
    /** The sheet of the present step. @type {Form | null} */
    this.form = null;
    /** The present step. @type {Step | null} */
    this.step = null;
    /** Cuts the present step off. */
    this.cut = new AbortController();
    /** Ends with the plan, or when the step is cut off. */
    this.now = AbortSignal.any([signal, this.cut.signal]);
    /** The present step has been cut off, and why. @type {'' | 'pause' | 'leave'} */
    this.why = '';
    /** Swipes the clip away that is on the screen. @type {(() => void) | null} */
    this.swipe = null;
  }

  /** Shows the plan from its step `from` to its end, and leaves the screen blank. */
  async run() {
    if (view.refreshRate() === 0) { // the page was loaded unseen
      await view.nextFrame(this.signal);
      await view.measureRefresh();
    }
    for (let next = this.#from(this.plan.from); next;) {
      const step = next;
      this.step = step;
      try {
        await this.#perform(step, this.now);
      } catch (e) {
        if (this.signal.aborted || !this.why) throw e;
      }
      next = this.why ? await this.#afterCut(step) : this.#from(step.index + 1);
    }
    this.step = null;
  }

  /**
   * The first step from there on that is not passed over.
   * @param {number} index
   */
  #from(index) {
    return this.plan.steps.find((s) => s.index >= index && !this.skip.has(s.index));
  }

  /**
   * @param {Step} step
   * @param {AbortSignal} now ends when the step is cut off
   */
  async #perform(step, now) {
    if (step.action === 'fill') {
      await this.#fill(step, now); // its answer ends it
      return;
    }
    const {dropped, swiped, media} = await this.#show(step, now);
    if (!this.#from(step.index + 1) && !swiped) this.#blank();
    const ended = {run: this.plan.run, step: step.index, tick: tick(), dropped};
    this.report(swiped ? {type: 'step-ended', ...ended, swiped, media} : {type: 'step-ended', ...ended});
  }

  /**
   * @param {Step} step
   * @param {AbortSignal} now
   * @returns {Promise<{dropped: number, swiped?: boolean, media?: number}>}
   */
  async #show(step, now) {
    switch (step.action) {
      case 'play':
        return this.#play(step, now);
      case 'calibrate':
      case 'validate':
      case 'breath':
      case 'camera':
      case 'begin':
      case 'reshow':
        return this.#follow(step, now);
    }
    return this.#hold(step, now);
  }

  #blank() {
    this.report({type: 'blank', run: this.plan.run, tick: toTick(view.show('blank'))});
  }

  /**
   * Tells whether the participant may have that wish now.
   * @param {Wish} wish
   */
  may(wish) {
    if (!this.step || this.signal.aborted) return false;
    switch (wish) {
      case 'swipe':
        return this.swipe !== null;
      case 'pause':
        return this.why === '' && TIMED.includes(this.step.action) && !reading();
      case 'leave':
        return this.why !== 'leave' && this.form?.sheet.kind !== 'leave' && this.form?.sheet.kind !== 'exit';
    }
  }

  /** Whether the participant has paused. */
  paused() {
    return this.why === 'pause';
  }

  /** Cuts the present step off, and waits for the participant. */
  pause() {
    const {step} = this;
    if (!step) return;
    this.#cutOff('pause');
    this.report({type: 'paused', run: this.plan.run, step: step.index, tick: tick()});
  }

  /** The participant wishes to stop: the server says what comes then. */
  leave() {
    const {step} = this;
    if (step) this.report({type: 'leave', run: this.plan.run, step: step.index, tick: tick()});
  }

  /**
   * The server has accepted the wish to stop: what comes then is the first step that is
   * not passed over.
   * @param {number[] | null} skip
   */
  left(skip) {
    this.skip = new Set(skip ?? []);
    this.#cutOff('leave');
  }

  /** @param {'pause' | 'leave'} why */
  #cutOff(why) {
    this.why = why;
    this.cut.abort(new DOMException('the step was cut off', 'AbortError'));
    this.#renew();
    this.#blank();
  }

  #renew() {
    this.cut = new AbortController();
    this.now = AbortSignal.any([this.signal, this.cut.signal]);
  }

  /**
   * What comes after a step was cut off. A step that was paused begins anew, which the
   * server says by sending the plan again.
   * @param {Step} step
   */
  async #afterCut(step) {
    this.form?.over();
    this.form = this.swipe = null;
    try {
      if (this.why === 'pause') {
        if (await standStill('paused', this.now)) {
          this.report({type: 'resumed', run: this.plan.run, step: step.index, tick: tick()});
          view.show('blank');
        } else {
          view.show('blank');
          this.leave();
        }
        await new Promise((_, reject) => this.now.addEventListener('abort', () => reject(this.now.reason)));
      }
    } catch (e) {
      if (this.signal.aborted) throw e;
    }
    this.why = '';
    return this.#from(0);
  }

  /**
   * What the server says that a simulated participant does.
   * @param {Conduct} c
   */
  conduct(c) {
    if (!virtual || this.step?.index !== c.step) return;
    this.#simulate(act(c, this.form, this.signal));
  }

  /** @param {Promise<void>} acted */
  #simulate(acted) {
    acted.catch((e) => {
      if (!this.signal.aborted) this.fail(e);
    });
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
   * @param {AbortSignal} now
   */
  async #follow(step, now) {
    const {run} = this.plan;
    this.orders.clear(); // those of a step before are nobody's any more
    const visible = await view.draw('blank', now);
    this.report({type: 'blank', run, tick: toTick(visible)});
    this.#began(step, visible);
    const over = new AbortController();
    const following = AbortSignal.any([now, over.signal]);
    if (MEASURED.includes(step.action)) {
      // What nobody saw is no target, nor is one that the window's edge has moved: the
      // step begins anew when the page can be seen.
      watchSight(this.anew, () => {}, following);
      addEventListener('resize', () => this.anew(), {signal: following});
    }
    try {
      const {skip} = await obey(step.action, this.orders, (id, tick, place) => {
        this.report({type: 'shown', run, step: step.index, id, tick, place});
      }, this.report, now);
      this.skip = new Set(skip ?? []);
    } finally {
      over.abort();
    }
    return {dropped: 0};
  }

  /**
   * Has a sheet filled in, however long it takes, until the server accepts it.
   * @param {Step} step
   * @param {AbortSignal} now
   */
  async #fill(step, now) {
    const {run} = this.plan;
    this.rulings.clear();
    const sheet = this.#sheet(step);
    const form = new Form(sheet, offered(this.plan.languages ?? [], this.#early(step)), () => this.#askToStop(form, now));
    this.form = form;
    const visible = await view.draw('sheet', now);
    this.report({type: 'blank', run, tick: toTick(visible)}); // no stimulus
    this.#began(step, visible);
    form.light(visible);
    if (virtual && !this.plan.conducted) this.#simulate(actLeast(form, now));
    for (;;) {
      const filled = await form.filled(now);
      this.report({type: 'answer', run, step: step.index, sheet: sheet.id, ...filled, tick: tick()});
      const ruling = await this.rulings.next(now);
      if (ruling.type === 'go') {
        this.skip = new Set(ruling.skip ?? []);
        break;
      }
      if (virtual) throw new Error(`the simulated participant's answers to ${sheet.id} are refused: ${ruling.reason}`);
      form.again();
    }
    form.over();
    this.form = null;
    view.show('blank'); // whatever comes next, nothing of the sheet stays
  }

  /** @param {Step} step @returns {Sheet} */
  #sheet(step) {
    const sheet = this.plan.sheets?.find((s) => s.id === step.sheet);
    if (!sheet) throw new Error(`the plan has no sheet ${step.sheet}`);
    return sheet;
  }

  /** Whether a step comes before the recording. @param {Step} step */
  #early(step) {
    return this.plan.steps.some((s) => s.action === 'begin' && s.index > step.index);
  }

  /**
   * Writes what the participant takes away onto the sheet that asks for it.
   * @param {ReceiptMessage} message
   */
  receipt(message) {
    if (this.step?.index === message.step) this.form?.insert.replaceChildren(...receipt(message, this.plan.sheets ?? []));
  }

  /**
   * A button can be pressed by mistake, so the participant is asked again.
   * @param {Form} form
   * @param {AbortSignal} now
   */
  async #askToStop(form, now) {
    try {
      const goOn = await standStill('stopAsk', now);
      view.show('sheet');
      if (goOn) form.comeBack();
      else this.leave();
    } catch {
      // The sheet is over.
    }
  }

  /**
   * Shows a cross, with what the face is to do meanwhile or without, or nothing, for
   * the step's time.
   * @param {Step} step
   * @param {AbortSignal} now
   */
  async #hold(step, now) {
    const cross = step.action === 'fixation';
    if (step.action === 'neutral') view.setNeutral();
    if (cross && !step.stimulus) await this.#sayHowLong(step, now);
    const visible = await view.draw(cross ? 'cross' : step.action === 'neutral' ? 'neutral' : 'blank', now);
    this.report({type: 'blank', run: this.plan.run, tick: toTick(visible)});
    this.#began(step, visible, cross ? view.crossPlace() : undefined);
    // The next step is drawn in the frame after this loop and lights up one
    // refresh later, so the loop ends two refreshes before the time is over.
    const refresh = 1000 / (view.refreshRate() || 60);
    const until = visible + step.duration_ms - 2.5 * refresh;
    while ((await view.nextFrame(now)) < until);
    return {dropped: 0};
  }

  /**
   * Says what to do before a cross that belongs to no clip: it stays for long, and nothing
   * else does. Beside the cross words would draw the eyes.
   * @param {Step} step
   * @param {AbortSignal} now
   */
  async #sayHowLong(step, now) {
    const visible = await instruct(word('baseline', {time: timeInWords(step.duration_ms)}), now);
    this.report({type: 'blank', run: this.plan.run, tick: toTick(visible)}); // no stimulus
    await untilRead(now);
  }

  /**
   * Plays a clip to its end, or until it is swiped away.
   * @param {Step} step
   * @param {AbortSignal} now
   */
  async #play(step, now) {
    const clip = this.plan.clips.find((c) => c.id === step.stimulus);
    if (!clip) throw new Error(`the plan has no clip ${step.stimulus}`);
    if (view.showsClip()) this.#blank(); // another clip was shown just before
    const showing = new Showing(this.plan.run, step, clip, this.report, now);
    try {
      return await showing.play((visible) => {
        this.#began(step, visible);
        if (step.skippable) this.swipe = () => showing.swipe();
      });
    } finally {
      this.swipe = null;
    }
  }
}
