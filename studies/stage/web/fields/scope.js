// A scope of consent: a box that nobody ticks but the participant.

import {inLanguage, word} from '../words.js';
import {complainer, complaint, idOf, make} from './parts.js';

/** @import {Maker} from './parts.js' */

/** @type {Maker} */
export function scope(spec, changed) {
  const wrong = complaint(spec);
  const remark = make('span', 'remark', {id: idOf(spec, 'remark')}, word(spec.required ? 'scopeRequired' : 'scopeFree'));
  const box = make('input', '', {type: 'checkbox', id: idOf(spec, 'box'), name: spec.id, autocomplete: 'off', 'aria-describedby': `${remark.id} ${wrong.id}`});
  box.addEventListener('change', () => changed(spec.id));
  const label = make('label', '', {for: box.id}, inLanguage(spec.ask) ?? spec.id);
  const element = make('div', 'field scope', {}, wrong, box, make('div', '', {}, label, remark));
  return {
    element,
    values: () => ({[spec.id]: box.checked ? 'yes' : 'no'}),
    fault: () => (spec.required && !box.checked ? word('scopeMissing') : ''),
    complain: complainer(box, wrong),
    focus: () => box.focus(),
    act: (_key, value) => {
      if (box.checked !== (value === 'yes')) box.click();
    },
  };
}
