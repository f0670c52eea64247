// What the participant is asked that no sheet of the study asks: whether the code is
// theirs, before the first step, and how many tones they hear.

import {toTick} from './protocol.js';
import {virtual} from './form.js';
import {make} from './fields/parts.js';
import {draw, element} from './screen.js';
import {choose, language, nameOf, word} from './words.js';
import {play, sound} from './tones.js';

/** @import {Ask, PageMessage} from './protocol.js' */

/** A press so soon after the question came up was meant for what was there before, ms. */
const TOO_SOON = 500;

/** The page of a simulated participant answers after so long, ms. */
const VIRTUAL_READING = 300;

/** As many tones at most can be counted on the page. */
const MOST = 4;

const box = element('sheet');

/**
 * Asks, and returns since when the question is on the screen (ms). The answer is reported
 * when it is given, unless the signal is aborted before.
 * @param {Ask} ask
 * @param {string[]} languages to choose from; none = they have been chosen
 * @param {(m: PageMessage) => void} report
 * @param {AbortSignal} signal
 */
export async function put(ask, languages, report, signal) {
  let lit = Infinity;
  let said = false;
  const say = (/** @type {string} */ value) => {
    if (said || signal.aborted || performance.now() - lit < TOO_SOON) return;
    said = true;
    box.inert = true;
    const {run, step, id} = ask;
    report({type: 'reply', run, step, id, value, audio: ask.kind === 'sound' ? sound() : '', simulated: virtual, tick: toTick(performance.now())});
  };
  const write = () => {
    const parts = ask.kind === 'code' ? aboutCode(ask, say) : aboutSound(ask, say);
    const tongues = ask.kind === 'code' ? languagesOf(languages, write) : [];
    const simulated = virtual ? [make('p', 'way-out', {}, word('simulated'))] : [];
    box.dataset.kind = ask.kind;
    box.replaceChildren(make('div', 'page', {}, ...tongues, ...parts, ...simulated));
    box.scrollTop = 0;
    box.inert = false;
  };
  write();
  const visible = await draw('sheet', signal);
  lit = visible;
  element('sheet-heading').focus(); // so that it is read out; no answer has the focus
  if (virtual) setTimeout(() => answer(ask, say), VIRTUAL_READING + TOO_SOON);
  return visible;
}

/**
 * Answers as somebody does whose code it is, and who hears well.
 * @param {Ask} ask
 * @param {(value: string) => void} say
 */
function answer(ask, say) {
  if (ask.kind === 'sound') play(ask.tones).catch(() => {}); // whoever listens to the rehearsal hears them
  say(ask.kind === 'sound' ? String(ask.tones) : 'yes');
}

/** @param {string} words */
const heading = (words) => make('h1', '', {id: 'sheet-heading', tabindex: -1}, words);

/**
 * @param {string} label
 * @param {() => void} press
 */
function button(label, press) {
  const b = make('button', '', {type: 'button'}, label);
  b.addEventListener('click', press);
  b.addEventListener('keydown', (e) => {
    if (e.repeat && (e.key === 'Enter' || e.key === ' ')) e.preventDefault(); // held down from before
  });
  return b;
}

/**
 * @param {Ask} ask
 * @param {(value: string) => void} say
 */
function aboutCode(ask, say) {
  const code = make('p', 'own-code', {}, ask.code);
  code.style.setProperty('--letters', String(Math.min(ask.code.length, 12)));
  const yes = button(word('code.yes'), () => say('yes'));
  if (ask.tries > 0) {
    return [heading(word('code.called')), code, make('p', '', {}, word('code.calledHint')), make('div', 'buttons of-1', {}, yes)];
  }
  const no = button(word('code.no'), () => say('no'));
  return [heading(word('code.ask')), code, make('p', '', {}, word('code.hint')), make('div', 'buttons of-2', {}, yes, no)];
}

/**
 * @param {Ask} ask
 * @param {(value: string) => void} say
 */
function aboutSound(ask, say) {
  const words = ['sound.hint', 'sound.again', 'sound.called'][Math.min(ask.tries, 2)] ?? '';
  const status = make('p', 'status', {role: 'status'});
  const counts = Array.from({length: MOST + 1}, (_, n) => {
    const b = button(n === 0 ? word('sound.none') : String(n), () => say(String(n)));
    b.disabled = true; // until there was something to be heard
    return b;
  });
  const start = button(word('sound.play'), async () => {
    start.disabled = true;
    status.textContent = word('sound.listen');
    for (const b of counts) b.disabled = true;
    const played = await play(ask.tones).then(() => true, () => false);
    start.textContent = word('sound.replay');
    status.textContent = played ? '' : word('sound.off');
    for (const b of [start, ...counts]) b.disabled = false;
  });
  return [
    heading(word('sound.ask')), make('p', '', {}, word(words)),
    make('div', 'buttons of-1', {}, start), status,
    make('p', 'asks', {id: 'sound-count'}, word('sound.count')),
    make('div', 'counts', {role: 'group', 'aria-labelledby': 'sound-count'}, ...counts.slice(1), ...counts.slice(0, 1)),
  ];
}

/**
 * The languages that can be chosen before anything else is read.
 * @param {string[]} languages
 * @param {() => void} anew writes the question again
 */
function languagesOf(languages, anew) {
  if (languages.length < 2) return [];
  const buttons = languages.map((tag) => {
    const b = make('button', '', {type: 'button', lang: tag, 'aria-current': tag === language ? 'true' : false}, nameOf(tag));
    b.addEventListener('click', async () => {
      if (tag === language) return;
      await choose(tag);
      anew();
      element('sheet-heading').focus();
    });
    return b;
  });
  return [make('nav', 'tongues', {'aria-label': word('language')}, ...buttons)];
}
