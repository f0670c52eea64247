// A sheet on the page: what the participant reads, and perhaps fills in, in peace. No
// answer is chosen beforehand, none looks better than another, and there is no time limit.

import {field} from './fields/field.js';
import {make} from './fields/parts.js';
import {element} from './screen.js';
import {chosen, choose, inLanguage, keep, language, nameOf, word} from './words.js';

/** @import {Field} from './fields/parts.js' */
/** @import {Filled, Sheet} from './protocol.js' */

/** A press so soon after the sheet came up was meant for what was there before, ms. */
const TOO_SOON = 500;

/** Who has pressed a button hears that something is under way after so long, ms. */
const PATIENCE = 400;

/** Sheets on which nobody has to be offered to stop: they have another button for it, or are the end. */
const ENDS = ['consent', 'leave', 'exit', 'receipt'];

const box = element('sheet');

/**
 * Whether the page is that of a simulated participant. Its answers say so, and are void
 * before a real camera.
 */
export const virtual = location.hash.includes('virtual');

export class Form {
  /**
   * Writes a sheet into the page, unseen.
   * @param {Sheet} sheet
   * @param {string[]} languages to choose from; none = they have been chosen
   * @param {() => void} stop is called when the participant presses the button for it
   */
  constructor(sheet, languages, stop) {
    this.sheet = sheet;
    this.languages = languages.length > 1 ? languages : [];
    this.stop = stop;
    /** When it lit up, ms; Infinity until then. */
    this.lit = Infinity;
    /** An answer has been given, and the server has not yet said what comes of it. */
    this.sent = false;
    /** @type {(filled: Filled) => void} */
    this.done = () => {};
    /** @type {Field[]} */
    this.fields = [];
    /** How long after the sheet came up each answer was last changed, ms. @type {Record<string, number>} */
    this.changed = {};
    /** What stands between the paragraphs and the fields. */
    this.insert = make('div', 'insert');
    this.#write();
  }

  #write() {
    const {sheet} = this;
    this.changed = {};
    this.fields = (sheet.fields ?? []).map((spec, i) => field(spec, (key) => {
      this.changed[key] = Math.max(0, performance.now() - this.lit);
      this.fields[i]?.complain('');
      this.#hear('');
    }));
    const heading = make('h1', '', {id: 'sheet-heading', tabindex: -1}, inLanguage(sheet.heading) ?? '');
    const body = (inLanguage(sheet.body) ?? []).map((words) => make('p', '', {}, words));
    this.status = make('p', 'status', {role: 'status'});
    this.go = this.#button(inLanguage(sheet.go) ?? word('go'), () => this.#give(false));
    const buttons = [this.go];
    if (sheet.no) buttons.push((this.no = this.#button(inLanguage(sheet.no) ?? word('no'), () => this.#give(true))));
    const form = make('form', '', {novalidate: true, autocomplete: 'off', 'aria-labelledby': heading.id},
      ...this.fields.map((f) => f.element), this.status, make('div', `buttons of-${buttons.length}`, {}, ...buttons));
    form.addEventListener('submit', (e) => e.preventDefault()); // Enter in a field answers nothing
    form.addEventListener('keydown', (e) => {
      // Neither does a key that is still held down from before.
      if (e.repeat && (e.key === 'Enter' || e.key === ' ') && e.target instanceof HTMLButtonElement) e.preventDefault();
    });
    box.dataset.kind = sheet.kind;
    box.replaceChildren(make('div', 'page', {}, ...this.#tongues(), heading, ...body, this.insert, form, ...this.#wayOut()));
    box.scrollTop = 0;
    box.inert = false;
  }

  /**
   * @param {string} label
   * @param {() => void} press
   */
  #button(label, press) {
    const b = make('button', '', {type: 'button'}, label);
    b.addEventListener('click', () => {
      if (performance.now() - this.lit >= TOO_SOON) press();
    });
    return b;
  }

  /** The languages to choose from. */
  #tongues() {
    if (this.languages.length === 0) return [];
    const buttons = this.languages.map((tag) => {
      const b = make('button', '', {type: 'button', lang: tag, 'aria-current': tag === language ? 'true' : false}, nameOf(tag));
      b.addEventListener('click', () => this.speak(tag));
      return b;
    });
    return [make('nav', 'tongues', {'aria-label': word('language')}, ...buttons)];
  }

  /**
   * Goes over to another language. What was filled in is gone: it was said of another text.
   * @param {string} tag
   */
  async speak(tag) {
    if (this.sent || tag === language || !this.languages.includes(tag)) return;
    await choose(tag);
    this.#write();
    for (const b of box.querySelectorAll('nav button')) {
      if (b instanceof HTMLElement && b.lang === tag) b.focus();
    }
  }

  #wayOut() {
    if (virtual) return [make('p', 'way-out', {}, word('simulated'))];
    if (ENDS.includes(this.sheet.kind)) return [];
    return [make('p', 'way-out', {}, make('span', '', {}, word('holdToStop')), this.#button(word('stop'), this.stop))];
  }

  /**
   * Says that the sheet is on the screen.
   * @param {number} visible since when, ms
   */
  light(visible) {
    this.lit = visible;
    element('sheet-heading').focus(); // so that it is read out; no answer has the focus
  }

  /** The participant is back on the sheet, and was at the button that left it. */
  comeBack() {
    const b = box.querySelector('.way-out button');
    if (b instanceof HTMLElement) b.focus();
  }

  /**
   * Waits for the answer, however long it takes.
   * @param {AbortSignal} signal
   * @returns {Promise<Filled>}
   */
  filled(signal) {
    return new Promise((resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), {once: true});
      this.done = resolve;
    });
  }

  /**
   * Gives the answer, if it is one.
   * @param {boolean} declined
   */
  #give(declined) {
    if (this.sent) return;
    if (!declined && !this.#whole()) return;
    const tag = language in this.sheet.sha256 ? language : (Object.keys(this.sheet.sha256)[0] ?? '');
    /** @type {Record<string, string>} */
    const values = declined ? {} : Object.assign({}, ...this.fields.map((f) => f.values()));
    this.sent = true;
    keep();
    const slow = setTimeout(() => this.sent && this.#hear(word('moment')), PATIENCE);
    this.settle = () => clearTimeout(slow);
    this.done({
      values,
      response_ms: Object.fromEntries(Object.entries(this.changed).filter(([key]) => key in values)),
      declined,
      language: tag,
      text_sha256: this.sheet.sha256[tag] ?? '',
      simulated: virtual,
    });
  }

  /** Looks whether all is answered, and says what is not. */
  #whole() {
    const faults = this.fields.map((f) => f.fault());
    this.fields.forEach((f, i) => f.complain(faults[i] ?? ''));
    const wrong = this.fields.filter((_, i) => faults[i]);
    if (wrong.length === 0) return true;
    this.#hear(wrong.length > 1 ? word('several', {n: wrong.length}) : word('one'));
    wrong[0]?.focus();
    return false;
  }

  /** The server has not accepted the answer: there is something that it alone can tell. */
  again() {
    this.settle?.();
    this.sent = false;
    this.#hear(word('again'));
    this.fields[0]?.focus();
  }

  /** The answer is accepted. */
  over() {
    this.settle?.();
    box.inert = true;
  }

  /** @param {string} words */
  #hear(words) {
    if (this.status && this.status.textContent !== words) this.status.textContent = words;
  }
}

/**
 * The languages that a participant may choose on a sheet: before the recording, and on a
 * page that has lost what was chosen.
 * @param {string[]} languages
 * @param {boolean} early
 */
export const offered = (languages, early) => (early || !chosen() ? languages : []);
