// A step that the server leads: a target for the eyes, or words, where and when it
// says. The page answers when they are on the screen.

import {toTick} from './protocol.js';
import {element, draw, nextFrame, refresh, show, toPage, toScreen} from './screen.js';
import {put as putQuestion} from './ask.js';
import {virtual} from './form.js';
import {has, word} from './words.js';

/** @import {Action, Order, PageMessage, Place} from './protocol.js' */
/** @import {Inbox} from './inbox.js' */

/** A target takes so long across the whole screen, and never less than the second, ms. */
const ACROSS = 900;
const SHORTEST = 250;

/** Who neither presses a key nor taps has read what to do after so long, ms. */
const READING = 6000;

/** The page of a simulated participant waits so long, ms. */
const VIRTUAL_READING = 300;

/** A key so soon after the words appeared was meant for what was there before, ms. */
const TOO_SOON = 400;

/** How near to the edge of the page a target may come, as a share of its height: all
 * of its disc is seen. */
const MARGIN = .015;

const calm = matchMedia('(prefers-reduced-motion: reduce)');
const target = element('target');

/** Where the target is on the page, px; null when there is none. @type {Place | null} */
let at = null;

/** The participant reads what to do, and says with any key that they have. */
let read = false;

/** Whether any key is an answer now. */
export const reading = () => read;

/**
 * Does what the server asks for until it ends the step, and returns how it ends it.
 * @param {Action} action of the step
 * @param {Inbox<Order>} orders
 * @param {(id: number, tick: number, place?: Place) => void} shown
 * @param {(m: PageMessage) => void} report
 * @param {AbortSignal} signal
 */
export async function obey(action, orders, shown, report, signal) {
  at = null;
  let asking = new AbortController(); // ends with whatever is asked for next
  for (;;) {
    const order = await orders.next(signal);
    asking.abort();
    switch (order.type) {
      case 'ask':
        asking = new AbortController();
        shown(order.id, toTick(await putQuestion(order, [], report, AbortSignal.any([signal, asking.signal]))));
        break;
      case 'target': {
        const {visible, place} = await move(order, signal);
        shown(order.id, toTick(visible), place);
        break;
      }
      case 'cue': {
        const visible = await say(action, order.key, order.code ?? '', signal);
        shown(order.id, toTick(visible));
        break;
      }
      case 'finish':
        show('blank');
        return order;
    }
  }
}

/**
 * Moves the target to a place of the screen, and returns from when it stands there
 * (ms) and where that really is.
 * @param {Place} place
 * @param {AbortSignal} signal
 */
async function move(place, signal) {
  const to = toPage(place, MARGIN * innerHeight);
  const from = at;
  let now = await nextFrame(signal);
  if (from && !calm.matches) {
    const distance = Math.hypot((to.x - from.x) / innerWidth, (to.y - from.y) / innerHeight);
    const takes = Math.max(SHORTEST, ACROSS * distance);
    const began = now;
    target.classList.add('moving');
    for (;;) {
      now = await nextFrame(signal);
      const u = (now - began) / takes;
      if (u >= 1) break;
      const eased = u * u * (3 - 2 * u);
      put({x: from.x + eased * (to.x - from.x), y: from.y + eased * (to.y - from.y)});
    }
  }
  put(to);
  at = to;
  target.classList.remove('moving');
  show('target');
  return {visible: now + refresh(), place: toScreen(to)};
}

/** @param {Place} to px of the page */
function put(to) {
  target.style.transform = `translate(${to.x}px, ${to.y}px)`;
}

/**
 * Shows words and returns since when (ms). Those that say what to do with the targets
 * stay until they have been read.
 * @param {Action} action
 * @param {string} key
 * @param {string} code of the participant, to be shown with it; '' = none
 * @param {AbortSignal} signal
 */
async function say(action, key, code, signal) {
  at = null;
  const ownWords = `${action}.${key}`; // "look" says another thing to who is calibrated than to who sits down
  const words = word(has(ownWords) ? ownWords : `cue.${key}`);
  if (key !== 'look' || action === 'camera') return write(words, code && word('code.told'), signal, code);
  const visible = await instruct(words, signal);
  await untilRead(signal);
  return visible;
}

/**
 * @param {string} words
 * @param {string} hint
 * @param {AbortSignal} signal
 * @param {string} [code]
 */
function write(words, hint, signal, code = '') {
  element('cue-text').textContent = words;
  const large = element('cue-code');
  large.textContent = code;
  large.hidden = code === '';
  large.style.setProperty('--letters', String(Math.min(code.length, 12)));
  element('cue-hint').textContent = hint;
  return draw('cue', signal);
}

/**
 * Shows what to do, which is to be read before it begins, and returns since when (ms).
 * @param {string} words
 * @param {AbortSignal} signal
 */
export const instruct = (words, signal) => write(words, word(virtual ? 'simulated' : 'ready'), signal);

/**
 * Waits for a key, a tap, or until the words have been read.
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function untilRead(signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const begun = performance.now();
    read = true;
    const done = (/** @type {() => void} */ settle) => {
      clearTimeout(timer);
      over.abort();
      read = false;
      settle();
    };
    const timer = setTimeout(() => done(resolve), virtual ? VIRTUAL_READING : READING);
    for (const name of /** @type {const} */ (['keydown', 'pointerdown'])) {
      addEventListener(name, (e) => {
        if (performance.now() - begun < TOO_SOON) return;
        if (e instanceof KeyboardEvent && (e.repeat || e.key === 'Escape')) return; // Escape is held to stop
        done(resolve);
      }, {signal: over.signal});
    }
    signal.addEventListener('abort', () => done(() => reject(signal.reason)), {signal: over.signal});
  });
}
