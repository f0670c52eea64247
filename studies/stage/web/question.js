// A question to the participant: read in peace, answered with the mouse, a
// finger or the keyboard, with no answer chosen beforehand and no time limit.

import {element} from './screen.js';
import words, {language} from './words.js';

/** @import {Text} from './protocol.js' */

/**
 * Set where the participant is simulated and nobody sits before the page. The
 * answer says so, and is void before a real camera.
 */
const virtual = location.hash.includes('virtual');

/** How long the page of a simulated participant shows a question, ms. */
const VIRTUAL_READING = 1500;

/**
 * A choice so soon after the question appeared was meant for what was there
 * before, such as a second tap, ms.
 */
const TOO_SOON = 500;

const box = element('question');
const heading = element('question-heading');
const body = element('question-body');
const hint = element('question-hint');
const yes = /** @type {HTMLButtonElement} */ (element('yes'));
const no = /** @type {HTMLButtonElement} */ (element('no'));

/**
 * The text in the language of the page, or else the first.
 * @param {Text[]} texts
 */
export function choose(texts) {
  const text = texts.find((t) => t.language === language) ?? texts[0];
  if (!text) throw new Error('the question has no text');
  return text;
}

/**
 * Writes a question into the page. What it returns is to be called when the
 * question is visible, and waits for the answer.
 * @param {Text} text
 * @param {AbortSignal} signal
 */
export function ask(text, signal) {
  box.lang = text.language;
  heading.textContent = text.heading;
  body.replaceChildren(...text.body.map((words) => {
    const p = document.createElement('p');
    p.textContent = words;
    return p;
  }));
  yes.textContent = text.yes;
  no.textContent = text.no;
  hint.textContent = virtual ? words.simulated : text.hint;
  return () => answer(text, signal);
}

/**
 * @param {Text} text
 * @param {AbortSignal} signal
 * @returns {Promise<{granted: boolean, simulated: boolean}>}
 */
function answer(text, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const shown = performance.now();
    const settle = (/** @type {boolean} */ granted, simulated = false) => {
      if (performance.now() - shown < TOO_SOON) return;
      over.abort();
      box.blur();
      resolve({granted, simulated});
    };
    const listen = {signal: over.signal};
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener('abort', () => {
      over.abort();
      reject(signal.reason);
    }, listen);
    if (virtual) {
      const timer = setTimeout(() => settle(true, true), VIRTUAL_READING);
      over.signal.addEventListener('abort', () => clearTimeout(timer));
      return;
    }
    yes.addEventListener('click', () => settle(true), listen);
    no.addEventListener('click', () => settle(false), listen);
    addEventListener('keydown', (e) => {
      // A key that is still held down from before is no answer.
      if (e.repeat || e.ctrlKey || e.altKey || e.metaKey) {
        if (e.repeat && (e.key === 'Enter' || e.key === ' ')) e.preventDefault();
        return;
      }
      switch (e.key) {
        case 'ArrowLeft':
        case 'ArrowUp':
          yes.focus();
          break;
        case 'ArrowRight':
        case 'ArrowDown':
          no.focus();
          break;
        default:
          if (same(e.key, text.yes)) settle(true);
          else if (same(e.key, text.no)) settle(false);
          else return;
      }
      e.preventDefault();
    }, listen);
    box.focus(); // so that it is read out; neither answer has the focus
  });
}

/**
 * Tells whether a key is the first letter of an answer.
 * @param {string} key
 * @param {string} label
 */
const same = (key, label) => key.toLowerCase() === label[0]?.toLowerCase();
