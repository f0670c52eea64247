// A whole number.

import {word} from '../words.js';
import {complainer, complaint, idOf, make, question} from './parts.js';

/** @import {Maker} from './parts.js' */

/** Digits of the longest number that may be typed. */
const LONGEST = 12;

/** @type {Maker} */
export function integer(spec, changed) {
  const {min = 0, max = 0} = spec;
  const wrong = complaint(spec);
  // A text field: one for numbers changes with the wheel and takes an e for a digit.
  const input = make('input', '', {
    type: 'text', inputmode: min < 0 ? 'text' : 'numeric', id: idOf(spec, 'input'), name: spec.id,
    autocomplete: 'off', maxlength: LONGEST, 'aria-describedby': wrong.id, 'aria-required': String(spec.required),
  });
  input.addEventListener('input', () => changed(spec.id));
  const typed = () => input.value.replace(/\s/g, '');
  const element = make('div', 'field integer', {}, make('label', 'asks', {for: input.id}, ...question(spec)), wrong, input);
  return {
    element,
    values: () => (typed() === '' ? {} : {[spec.id]: String(Number(typed()))}),
    fault: () => {
      if (typed() === '') return spec.required ? word('missing') : '';
      const n = Number(typed());
      const fits = /^-?\d+$/.test(typed()) && Number.isSafeInteger(n) && (max <= min || (n >= min && n <= max));
      if (fits) return '';
      return max > min ? word('numberWithin', {min, max}) : word('number');
    },
    complain: complainer(input, wrong),
    focus: () => input.focus(),
    act: (_key, value) => {
      input.value = value;
      input.dispatchEvent(new Event('input', {bubbles: true}));
    },
  };
}
