// The page stands still: the participant has paused, or is asked whether to stop.

import {element, show} from './screen.js';
import {word} from './words.js';

/** A key so soon was meant for what was there before, ms. */
const TOO_SOON = 300;

const box = element('pause');
const goOn = /** @type {HTMLButtonElement} */ (element('go-on'));
const stop = /** @type {HTMLButtonElement} */ (element('stop'));

/**
 * Waits until the participant wants to go on (true), or to stop (false).
 * @param {'paused' | 'stopAsk'} why
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
export function standStill(why, signal) {
  element('pause-heading').textContent = word(why);
  element('pause-hint').textContent = word(`${why}Hint`);
  goOn.textContent = word('goOnButton');
  stop.textContent = word('stopButton');
  show('pause');
  box.focus(); // so that it is read out, and that Space presses nothing
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const listen = {signal: over.signal};
    const settle = (/** @type {boolean} */ on) => {
      if (performance.now() - began < TOO_SOON) return;
      over.abort();
      resolve(on);
    };
    signal.addEventListener('abort', () => {
      over.abort();
      reject(signal.reason);
    }, listen);
    goOn.addEventListener('click', () => settle(true), listen);
    stop.addEventListener('click', () => settle(false), listen);
    addEventListener('keydown', (e) => {
      if (e.key !== ' ' || e.repeat || e.target === goOn || e.target === stop) return;
      e.preventDefault();
      settle(true);
    }, listen);
  });
}
