// One of several answers in words, and yes or no.

import {inLanguage, word} from '../words.js';
import {choiceOf, group, make, radio} from './parts.js';

/** @import {Field, Maker} from './parts.js' */
/** @import {FieldSpec} from '../protocol.js' */

/** @type {Maker} */
export const choice = (spec, changed) => listed(spec, changed, labelled(spec));

/** @type {Maker} */
export const yesNo = (spec, changed) => listed(spec, changed, spec.options?.length ? labelled(spec) : [['yes', word('yes')], ['no', word('no')]]);

/**
 * The values and labels of a field's options.
 * @param {FieldSpec} spec
 * @returns {[value: string, label: string][]}
 */
const labelled = (spec) => (spec.options ?? []).map((o) => [o.value, inLanguage(o.label) ?? o.value]);

/**
 * @param {FieldSpec} spec
 * @param {(key: string) => void} changed
 * @param {[value: string, label: string][]} options
 * @returns {Field}
 */
function listed(spec, changed, options) {
  const radios = options.map(([value]) => radio(spec, value));
  const rows = radios.map((r, i) => make('label', 'option', {}, r, make('span', '', {}, options[i]?.[1] ?? '')));
  return {...group(spec, 'choice', make('div', 'options', {}, ...rows)), ...choiceOf(spec, radios, changed)};
}
