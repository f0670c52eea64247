// A line between two ends, 0 to 100. It has no mark until the participant sets one: one
// that stood there before would be an answer that nobody gave.

import {word} from '../words.js';
import {complainer, complaint, ends, idOf, make, question} from './parts.js';

/** @import {Maker} from './parts.js' */

const HIGH = 100;

/** @type {Maker} */
export function line(spec, changed) {
  const {low, high} = ends(spec);
  const wrong = complaint(spec);
  const label = make('label', 'asks', {for: idOf(spec, 'line')}, ...question(spec));
  const input = make('input', 'untouched', {
    type: 'range', id: idOf(spec, 'line'), name: spec.id, min: 0, max: HIGH, step: 1, value: HIGH / 2,
    'aria-describedby': `${idOf(spec, 'ends')} ${wrong.id}`, 'aria-valuetext': word('line.untouched'),
  });
  let touched = false;
  const touch = () => {
    touched = true;
    input.classList.remove('untouched');
    input.setAttribute('aria-valuetext', word('line.value', {n: input.value}));
    changed(spec.id);
  };
  input.addEventListener('input', touch);
  // A mark in the very middle, where the browser has it already, is no input to it.
  input.addEventListener('pointerup', () => touched || touch());
  input.addEventListener('keydown', (e) => {
    if ((e.key === ' ' || e.key === 'Enter') && !e.repeat && !touched) touch();
  });
  const element = make('div', 'field line', {}, label, wrong, input,
    make('div', 'ends', {id: idOf(spec, 'ends')}, make('span', '', {}, low), make('span', '', {}, high)));
  return {
    element,
    values: () => (touched ? {[spec.id]: input.value} : {}),
    fault: () => (spec.required && !touched ? word('missing') : ''),
    complain: complainer(input, wrong),
    focus: () => input.focus(),
    act: (_key, value) => {
      input.value = value;
      input.dispatchEvent(new Event('input', {bubbles: true}));
    },
  };
}
