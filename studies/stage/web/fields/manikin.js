// The self-assessment manikin (Bradley and Lang 1994, J. Behav. Ther. Exp. Psychiatry
// 25:49): a row of figures, in our own drawing, of which one is chosen.

import {has, word} from '../words.js';
import {byDigit, choiceOf, drawn, ends, group, make, pointName, radio} from './parts.js';

/** @import {Maker} from './parts.js' */

/** Points of a scale that does not say how many. */
const POINTS = 9;

/** What a figure shows, from 0 (low) to 1 (high). @type {Record<string, (u: number) => SVGElement>} */
const FIGURES = {valence, arousal, dominance};

/** @type {Maker} */
export function manikin(spec, changed) {
  const points = spec.points || POINTS;
  const dimension = spec.dimension ?? '';
  const figure = FIGURES[dimension];
  if (!figure) throw new Error(`no manikin shows ${dimension || 'nothing'}`);
  const named = (/** @type {string} */ end) => (has(`sam.${dimension}.${end}`) ? word(`sam.${dimension}.${end}`) : '');
  const words = ends(spec, named('low'), named('high'));
  const radios = Array.from({length: points}, (_, i) => radio(spec, String(i + 1), {'aria-label': pointName(i + 1, points, words)}));
  const cells = radios.map((r, i) => make('label', 'figure', {}, r, figure(points > 1 ? i / (points - 1) : 0), make('span', '', {'aria-hidden': 'true'}, r.value)));
  const field = group(spec, 'sam', make('div', 'row', {}, ...cells),
    make('div', 'ends', {'aria-hidden': 'true'}, make('span', '', {}, words.low), make('span', '', {}, words.high)));
  byDigit(field.element, radios);
  return {...field, ...choiceOf(spec, radios, changed)};
}

/** @param {number} from @param {number} to @param {number} u */
const between = (from, to, u) => from + (to - from) * u;

/** @param {Node[]} parts */
const picture = (...parts) => drawn('svg', {viewBox: '0 0 64 80', 'aria-hidden': 'true'}, ...parts);

/**
 * A head that frowns, or smiles.
 * @param {number} u
 */
function valence(u) {
  const bend = between(-9, 9, u); // of the mouth, downwards
  const brow = between(-4, 0, Math.min(1, 2 * u)); // the inner ends are drawn down by displeasure
  return picture(
    drawn('path', {class: 'line', d: 'M10 80 C10 66 18 62 26 61 V56 M54 80 C54 66 46 62 38 61 V56'}),
    drawn('rect', {class: 'body', x: 9, y: 8, width: 46, height: 49, rx: 19}),
    drawn('circle', {class: 'dot', cx: 23, cy: 29, r: 2.8}),
    drawn('circle', {class: 'dot', cx: 41, cy: 29, r: 2.8}),
    drawn('path', {class: 'line', d: `M17 ${21 + brow / 2} L27 ${21 - brow} M47 ${21 + brow / 2} L37 ${21 - brow}`}),
    drawn('path', {class: 'line', d: `M20 ${44 - bend / 3} Q32 ${44 + bend} 44 ${44 - bend / 3}`}),
  );
}

/**
 * A figure that is asleep, or in whose chest something bursts.
 * @param {number} u
 */
function arousal(u) {
  const eye = between(.4, 3, u);
  const inner = between(1.2, 6, u);
  const outer = between(1.6, 16, u);
  const spikes = Array.from({length: 24}, (_, i) => {
    const r = i % 2 ? outer : inner;
    const a = (i * Math.PI) / 12;
    return `${i ? 'L' : 'M'}${(32 + r * Math.cos(a)).toFixed(2)} ${(55 + r * Math.sin(a)).toFixed(2)}`;
  });
  return picture(
    drawn('rect', {class: 'body', x: 20, y: 3, width: 24, height: 25, rx: 10}),
    drawn('ellipse', {class: 'dot', cx: 27, cy: 14, rx: 2.4, ry: eye}),
    drawn('ellipse', {class: 'dot', cx: 37, cy: 14, rx: 2.4, ry: eye}),
    drawn('path', {class: 'line', d: 'M28 22 H36'}),
    drawn('path', {class: 'body', d: 'M20 32 H44 Q55 32 55 43 V78 H9 V43 Q9 32 20 32 Z'}),
    drawn('path', {class: 'dot', d: `${spikes.join('')}Z`}),
  );
}

/**
 * A figure that is small, or large.
 * @param {number} u
 */
function dominance(u) {
  const size = between(.32, 1, u);
  return picture(drawn('g', {transform: `translate(32 ${between(54, 40, u).toFixed(2)}) scale(${size.toFixed(3)}) translate(-32 -40)`},
    drawn('rect', {class: 'body', x: 22, y: 2, width: 20, height: 21, rx: 8}),
    drawn('circle', {class: 'dot', cx: 28, cy: 11, r: 2}),
    drawn('circle', {class: 'dot', cx: 36, cy: 11, r: 2}),
    drawn('path', {class: 'line', d: 'M28 17 H36'}),
    drawn('path', {class: 'body', d: 'M18 26 H46 Q56 26 56 36 V54 H48 V78 H36 V62 H28 V78 H16 V54 H8 V36 Q8 26 18 26 Z'}),
  ));
}
