// A row of points between two ends.

import {byDigit, choiceOf, ends, group, make, pointName, radio} from './parts.js';

/** @import {Maker} from './parts.js' */

/** Points of a scale that does not say how many. */
const POINTS = 7;

/** @type {Maker} */
export function likert(spec, changed) {
  const points = spec.points || POINTS;
  const words = ends(spec);
  const radios = Array.from({length: points}, (_, i) => radio(spec, String(i + 1), {'aria-label': pointName(i + 1, points, words)}));
  const cells = radios.map((r) => make('label', 'point', {}, r, make('span', '', {'aria-hidden': 'true'}, r.value)));
  const field = group(spec, 'likert', make('div', 'row', {}, ...cells),
    make('div', 'ends', {'aria-hidden': 'true'}, make('span', '', {}, words.low), make('span', '', {}, words.high)));
  byDigit(field.element, radios);
  return {...field, ...choiceOf(spec, radios, changed)};
}
