// Words of the participant's own.

import {word} from '../words.js';
import {complainer, complaint, idOf, make, question} from './parts.js';

/** @import {Maker} from './parts.js' */

/** Most characters that are kept. */
const MOST = 2000;

/** So many that are left are said, from here on. */
const NEAR = 200;

/** @type {Maker} */
export function freeText(spec, changed) {
  const wrong = complaint(spec);
  const left = make('p', 'left-over', {id: idOf(spec, 'left'), 'aria-live': 'polite'});
  const area = make('textarea', '', {
    id: idOf(spec, 'text'), name: spec.id, rows: 4, maxlength: MOST, autocomplete: 'off',
    'aria-describedby': `${wrong.id} ${left.id}`, 'aria-required': String(spec.required),
  });
  area.addEventListener('input', () => {
    const rest = MOST - area.value.length;
    left.textContent = rest <= NEAR ? word('text.left', {n: rest}) : '';
    changed(spec.id);
  });
  const written = () => area.value.trim();
  const element = make('div', 'field text', {}, make('label', 'asks', {for: area.id}, ...question(spec)), wrong, area, left);
  return {
    element,
    values: () => (written() === '' ? {} : {[spec.id]: written()}),
    fault: () => (spec.required && written() === '' ? word('missing') : ''),
    complain: complainer(area, wrong),
    focus: () => area.focus(),
    act: (_key, value) => {
      area.value = value;
      area.dispatchEvent(new Event('input', {bubbles: true}));
    },
  };
}
