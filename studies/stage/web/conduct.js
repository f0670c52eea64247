// A simulated participant before a real page: what the server tells them to do is done
// with the page's own fields, buttons and keys, so that a rehearsal proves these too.

import {HELD} from './wishes.js';
import {language} from './words.js';

/** @import {Conduct, FieldSpec, Sheet} from './protocol.js' */
/** @import {Form} from './form.js' */

/** Nothing that is pressed earlier on a sheet counts, ms. */
const SOONEST = 600;

/** Held so much longer than needed, ms. */
const SURELY = 200;

/**
 * Does it. Pausing and stopping go beyond the step, so `signal` is the plan's.
 * @param {Conduct} c
 * @param {Form | null} form of the step, if it is a sheet
 * @param {AbortSignal} signal
 */
export async function act(c, form, signal) {
  await passes(c.after_ms, signal);
  if (c.pause_ms > 0) {
    press(' ');
    await passes(c.pause_ms, signal);
    press(' ');
  }
  if (c.swipe) press('ArrowUp');
  if (c.leave) {
    key('keydown', 'Escape');
    await passes(HELD + SURELY, signal);
    key('keyup', 'Escape');
  }
  if (!form || c.leave) return;
  if (c.language) await form.speak(c.language);
  if (c.answer) await fill(form, c.no ? {} : c.fill ?? {}, c.no, signal);
  else await actLeast(form, signal);
}

/**
 * Fills in the least that a sheet demands, for a participant of whom nobody says what
 * they do.
 * @param {Form} form
 * @param {AbortSignal} signal
 */
export const actLeast = (form, signal) => fill(form, least(form.sheet), false, signal);

/**
 * @param {Form} form
 * @param {Record<string, string>} values
 * @param {boolean} no
 * @param {AbortSignal} signal
 */
async function fill(form, values, no, signal) {
  await passes(SOONEST - (performance.now() - form.lit), signal);
  for (const [key, value] of Object.entries(values)) {
    const i = (form.sheet.fields ?? []).findIndex((f) => key === f.id || (f.type === 'affect_grid' && key.startsWith(`${f.id}.`)));
    const field = form.fields[i];
    if (!field) throw new Error(`the simulated participant answers ${key}, which ${form.sheet.id} does not ask`);
    field.act(key, value);
  }
  (no ? form.no : form.go)?.click();
  if (!form.sent) throw new Error(`the simulated participant's answers to ${form.sheet.id} (${language}) are not complete`);
}

/**
 * The least that a sheet demands.
 * @param {Sheet} sheet
 */
function least(sheet) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const f of sheet.fields ?? []) {
    if (!f.required) continue;
    if (f.type === 'affect_grid') values[`${f.id}.valence`] = values[`${f.id}.arousal`] = middle(f);
    else values[f.id] = any(f);
  }
  return values;
}

/** @param {FieldSpec} f */
function any(f) {
  switch (f.type) {
    case 'scope':
      return 'yes';
    case 'yesno':
      return 'no';
    case 'integer':
      return String(f.min ?? 0);
    case 'choice':
      return f.options?.[0]?.value ?? '';
    case 'vas':
      return '50';
    case 'text':
      return 'simulated';
  }
  return middle(f);
}

/** @param {FieldSpec} f */
const middle = (f) => String(((f.points || 9) + 1) >> 1);

/** @param {string} name */
function press(name) {
  key('keydown', name);
  key('keyup', name);
}

/**
 * @param {'keydown' | 'keyup'} kind
 * @param {string} name
 */
const key = (kind, name) => dispatchEvent(new KeyboardEvent(kind, {key: name, bubbles: true, cancelable: true}));

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function passes(ms, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, Math.max(0, ms));
    signal.addEventListener('abort', abort, {once: true});
  });
}
