// The participant's page: it does what the server says, and the server is the
// truth. A page that was reloaded, or has lost its connection, is sent the plan
// again from the step that was interrupted.

import {VERSION, tick, toTick} from './protocol.js';
import {Link} from './link.js';
import {Player} from './player.js';
import {put} from './ask.js';
import {offered} from './form.js';
import {load} from './library.js';
import {blockMediaKeys, watchPage} from './watch.js';
import * as view from './screen.js';
import {standStill} from './pause.js';
import {listen} from './wishes.js';
import {forget, speakFirst, speakOneOf, word} from './words.js';

/** @import {Ask, Clip, Hello, PageHappening, Plan, ServerMessage} from './protocol.js' */

/** Set on a kiosk whose browser plays sound without being touched first. */
const autostart = location.hash.includes('autostart');

/** Names this loading of the page: its clock starts with it. */
const epoch = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, '0')).join('');

let takeOver = false;
let refused = false;

/** @type {Plan | null} */
let plan = null;

/** Number of the plan that this page could not show. */
let failed = 0;

/** Ends what the page does for the present plan. */
let running = new AbortController();

/** Plays the present plan. @type {Player | null} */
let player = null;

/** Loading happens in one line: a plan waits for what is already under way. */
let loading = Promise.resolve();

/** The screen was refused: its refresh may have been measured while the computer was busy. */
let doubted = false;

/** The page has left the screen of its hello during the present plan. */
let strayed = false;

/** The participant wishes to stop, and the server has not said yet what comes then. */
let leaving = false;

/** The participant had paused when the connection was lost. */
let pausing = false;

/** Ends what is asked before the first step. */
let asking = new AbortController();

/** How often the page looks whether it is still on the screen of its hello, ms. */
const LOOK = 1000;

/** @returns {Promise<Hello>} */
async function hello() {
  if (view.moved() || view.refreshRate() === 0 || doubted) await view.measureRefresh();
  doubted = false;
  return {
    type: 'hello',
    version: VERSION,
    epoch,
    agent: navigator.userAgent,
    simulated: false,
    isolated: globalThis.crossOriginIsolated === true,
    take_over: takeOver,
    ...view.seen(),
  };
}

/** Whether the participant has touched this page, so that it may play sound. */
const touched = () => autostart || navigator.userActivation?.hasBeenActive === true;

function wait() {
  view.say(word('waiting'), document.fullscreenElement || autostart ? '' : word('fullScreen'));
}

/**
 * Loads the words and the clips of a study.
 * @param {string[] | null} languages
 * @param {Clip[]} clips
 */
function prepare(languages, clips) {
  const job = loading.then(async () => {
    await speakOneOf(languages ?? []);
    await load(clips, (share) => view.say(word('loading'), '', share));
  });
  loading = job.catch(() => {});
  return job;
}

/** @param {ServerMessage} m */
function receive(m) {
  switch (m.type) {
    case 'library':
      refused = takeOver = false;
      view.setCorner(m.corner);
      wait();
      prepare(m.languages, m.clips).then(
        () => {
          view.setCorner(m.corner); // its words are known now
          if (!plan) wait();
        },
        (e) => link.send({type: 'fault', run: 0, text: String(e.message), fatal: false}),
      );
      break;
    case 'plan':
      refused = takeOver = false;
      if (player?.paused()) leaving = false; // the plan is the answer to a wish during a pause
      getReady(m);
      break;
    case 'begin':
      if (plan?.run === m.run) begin(plan);
      break;
    case 'ask':
      if (plan?.run === m.run) ask(m);
      break;
    case 'target':
    case 'cue':
    case 'finish':
      if (plan?.run === m.run) player?.orders.push(m);
      break;
    case 'go':
    case 'again':
      if (plan?.run === m.run) player?.rulings.push(m);
      break;
    case 'receipt':
      if (plan?.run === m.run) player?.receipt(m);
      break;
    case 'conduct':
      if (plan?.run === m.run) player?.conduct(m);
      break;
    case 'leave':
      if (plan?.run === m.run) {
        leaving = false;
        player?.left(m.skip);
      }
      break;
    case 'stop':
      if (plan?.run === m.run) {
        leave();
        link.report({type: 'blank', run: m.run, tick: toTick(view.show('blank'))});
        link.send({type: 'stopped', run: m.run});
        participantGone();
        if (m.run === failed) view.say(word('failed'));
        else wait();
      }
      break;
    case 'over':
      if (plan?.run === m.run) {
        leave();
        view.say(word(m.outcome === 'complete' ? 'thanks' : 'thanksEarly'));
        participantGone();
      }
      break;
    case 'refused':
      refused = true;
      doubted = !m.busy;
      leave();
      if (m.busy) view.say(word('busy'), word('takeOver'));
      else view.say(word('refused'), m.reason);
      break;
  }
}

/** The next participant may be another one. */
function participantGone() {
  leaving = pausing = false;
  forget();
}

/** Ends the present plan on this side. */
function leave() {
  running.abort(new DOMException('the plan has ended', 'AbortError'));
  running = new AbortController();
  plan = null;
  player = null;
  strayed = false;
}

/**
 * Sees to it that the server knows the screen. One that the page has gone to is told
 * by another hello, but not in the middle of a plan, which would begin its step anew.
 */
function look() {
  if (!view.moved()) return;
  if (!plan) link.again();
  else if (!strayed) {
    strayed = true;
    happened('moved');
  }
}

/**
 * Tells what happened to the page while a plan runs.
 * @param {PageHappening} what
 */
function happened(what) {
  if (plan) link.report({type: 'remark', run: plan.run, what, tick: tick(), presentation: 0, media: 0});
}

/**
 * Blanks the screen, loads the clips, and waits for the participant.
 * @param {Plan} next
 */
async function getReady(next) {
  leave();
  plan = next;
  const {signal} = running;
  try {
    link.report({type: 'blank', run: next.run, tick: toTick(view.show('blank'))});
    await prepare(next.languages, next.clips);
    view.setCorner(next.corner);
    view.setFrame(next.phone_frame);
    if (signal.aborted) {
      if (!plan && !refused) wait();
      return;
    }
    if (!touched()) {
      view.say(next.from > 0 ? word('goOn') : word('begin'));
      link.send({type: 'waiting', run: next.run});
      await touch(signal);
    } else if (pausing) {
      // Said again: the server may have been started anew since, and nobody is filmed in a pause.
      link.report({type: 'paused', run: next.run, step: next.from, tick: tick()});
      link.send({type: 'waiting', run: next.run});
      leaving ||= !(await standStill('paused', signal));
    }
    pausing = false;
    if (signal.aborted) return;
    view.show('blank');
    await view.keepLit();
    link.send({type: 'ready', run: next.run});
  } catch (e) {
    fail(e, next, signal);
  }
}

/**
 * The languages to choose from before the first step: as on the sheets, not any more when
 * the recording has begun.
 * @param {Plan} of
 */
const tongues = (of) => offered(of.languages ?? [], of.steps.some((s) => s.action === 'begin' && s.index >= of.from));

/**
 * Asks what the server asks: before the first step there is nobody else to do it.
 * @param {Ask} question
 */
async function ask(question) {
  if (player) {
    player.orders.push(question);
    return;
  }
  const {run, step, id} = question;
  const {signal} = running;
  asking.abort();
  asking = new AbortController();
  try {
    const visible = await put(question, plan ? tongues(plan) : [], (m) => link.send(m), AbortSignal.any([signal, asking.signal]));
    link.send({type: 'shown', run, step, id, tick: toTick(visible)});
  } catch (e) {
    if (plan && !asking.signal.aborted) fail(e, plan, signal);
  }
}

/** @param {Plan} now */
async function begin(now) {
  const {signal} = running;
  asking.abort();
  try {
    player = new Player(now, (m) => link.report(m), signal, () => link.again(), (e) => fail(e, now, signal));
    const playing = player.run();
    if (leaving) player.leave(); // the wish was lost with the connection
    await playing;
  } catch (e) {
    fail(e, now, signal);
  }
}

/**
 * @param {unknown} e
 * @param {Plan} of
 * @param {AbortSignal} signal
 */
function fail(e, of, signal) {
  if (signal.aborted) return; // ended on purpose
  const text = (e instanceof Error ? e.message : String(e)).slice(0, 200);
  failed = of.run;
  link.report({type: 'blank', run: of.run, tick: toTick(view.show('blank'))});
  link.send({type: 'fault', run: of.run, text, fatal: true});
  view.say(word('failed'));
}

/**
 * Waits until the participant touches the page. Some keys, such as Escape, do
 * not count for the browser.
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function touch(signal) {
  return new Promise((resolve) => {
    for (const name of ['keydown', 'pointerdown']) {
      addEventListener(name, () => (touched() || !navigator.userActivation) && resolve(), {signal});
    }
    signal.addEventListener('abort', () => resolve(), {once: true});
  });
}

const link = new Link(hello, receive, () => {
  // The plan may go on without this page: nothing is shown that is not reported.
  if (plan) {
    const {run} = plan;
    pausing ||= player?.paused() ?? false; // it may be lost once more before they go on
    leave();
    link.report({type: 'blank', run, tick: toTick(view.show('blank'))});
  }
  if (!refused) view.say(word('connecting'));
});

// Full screen needs a touch. While a plan runs the page is in it already.
addEventListener('keydown', (e) => {
  if (refused && e.key.toLowerCase() === 't') {
    takeOver = true;
    return; // with the next connection, within a second
  }
  if (e.key === 'Escape') return; // leaves full screen
  if (document.body.dataset.view === 'words') view.takeScreen().then(() => plan || refused || wait());
});
addEventListener('pointerdown', () => {
  if (document.body.dataset.view === 'words') view.takeScreen().then(() => plan || refused || wait());
});
addEventListener('contextmenu', (e) => e.preventDefault());
document.addEventListener('visibilitychange', () => {
  view.keepLit();
  // Loaded unseen, the page could not measure the refresh: it says hello with it now.
  if (document.visibilityState === 'visible' && !plan && view.refreshRate() === 0) link.again();
});
listen((wish) => player?.may(wish) ?? false, (wish) => {
  if (wish === 'leave') leaving = true;
  player?.[wish]?.();
});
watchPage(happened);
blockMediaKeys();
setInterval(look, LOOK);

await speakFirst();
view.say(word('connecting'));
await view.measureRefresh();
link.connect();
