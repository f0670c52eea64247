// The affect grid (Russell, Weiss and Mendelsohn 1989, J. Pers. Soc. Psychol. 57:493):
// pleasure from left to right, arousal from below upwards, one cell is chosen.

import {word} from '../words.js';
import {ends, group, make} from './parts.js';

/** @import {Maker} from './parts.js' */

/** Cells of a side of a grid that does not say how many. */
const POINTS = 9;

/** Keys of the two answers: of the field's, with these behind it. */
const VALENCE = '.valence';
const AROUSAL = '.arousal';

/** By how many cells an arrow key goes, to the right and upwards. @type {Record<string, [right: number, up: number]>} */
const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};

/** @type {Maker} */
export function affectGrid(spec, changed) {
  const points = spec.points || POINTS;
  const {low, high} = ends(spec, word('grid.left'), word('grid.right'));
  /** By valence - 1, then arousal - 1. @type {HTMLInputElement[][]} */
  const cells = Array.from({length: points}, (_, v) => Array.from({length: points}, (_, a) => make('input', '', {
    type: 'radio', name: spec.id, value: `${v + 1} ${a + 1}`,
    'aria-label': word('grid.cell', {valence: v + 1, arousal: a + 1, points}),
  })));
  const board = make('div', 'board', {});
  board.style.setProperty('--points', String(points));
  for (let a = points - 1; a >= 0; a--) {
    for (const column of cells) board.append(column[a] ?? '');
  }
  const chosen = () => cells.flat().find((c) => c.checked);
  board.addEventListener('keydown', (e) => {
    const step = ARROWS[e.key];
    if (!step || e.ctrlKey || e.altKey || e.metaKey) return;
    e.preventDefault(); // the browser goes through the cells in one line
    const middle = (points + 1) >> 1;
    const [v = middle, a = middle] = chosen()?.value.split(' ').map(Number) ?? [];
    const first = !chosen(); // begins in the middle, wherever the focus came from
    const inside = (/** @type {number} */ n) => Math.min(Math.max(n, 1), points);
    const cell = cells[inside(first ? v : v + step[0]) - 1]?.[inside(first ? a : a + step[1]) - 1];
    if (!cell?.checked) {
      cell?.focus();
      cell?.click();
    }
  });
  board.addEventListener('change', () => {
    changed(spec.id + VALENCE);
    changed(spec.id + AROUSAL);
  });
  const side = (/** @type {string} */ where, /** @type {string} */ words) => make('span', where, {'aria-hidden': 'true'}, words);
  /** What is acted so far: the two answers come one after the other. @type {Record<string, string>} */
  const acted = {};
  return {
    ...group(spec, 'grid', make('div', 'axes', {},
      side('top', word('grid.top')), side('left', low), board, side('right', high), side('bottom', word('grid.bottom')))),
    values: () => {
      const [v, a] = chosen()?.value.split(' ') ?? [];
      return v && a ? {[spec.id + VALENCE]: v, [spec.id + AROUSAL]: a} : {};
    },
    fault: () => (spec.required && !chosen() ? word('missing') : ''),
    focus: () => (chosen() ?? cells[(points - 1) >> 1]?.[(points - 1) >> 1])?.focus(),
    act: (key, value) => {
      acted[key] = value;
      const both = `${acted[spec.id + VALENCE]} ${acted[spec.id + AROUSAL]}`;
      cells.flat().find((c) => c.value === both)?.click();
    },
  };
}
