// Which traces there are, and how each is drawn.

/** @typedef {{name: string, label: string, colour: string, dash?: number[], digits: number}} Line name: of the column */
/** @typedef {{id: string, title: string, unit: string, kind: "face"|"gaze"|"eda", grow: number,
 *   range: [number, number]|null, levels: number[]|null, lines: Line[], responses?: boolean}} Panel */

/** @param {string} name @param {string} label @param {string} colour @param {number} digits @param {number[]} [dash] @returns {Line} */
const line = (name, label, colour, digits, dash) => ({ name, label, colour, digits, dash });

/** @param {string} word @param {number[]} [dash] */
const expression = (word, dash) => line(`p_${word}`, word, `c-${word}`, 2, dash);

/** @type {Panel[]} */
const measured = [
  {
    id: "expression", title: "Expression", unit: "share", kind: "face", grow: 1.7, range: [0, 1], levels: [0, 0.5, 1],
    lines: [expression("neutral"), expression("happy"), expression("surprised"), expression("sad"), expression("angry"),
      expression("fearful", [5, 3]), expression("disgusted", [5, 3])],
  },
  { id: "valence", title: "Valence", unit: "−1 to 1", kind: "face", grow: 1, range: [-1, 1], levels: [-1, 0, 1], lines: [line("valence", "valence", "ink", 2)] },
  {
    id: "eda", title: "Skin conductance", unit: "µS", kind: "eda", grow: 1.1, range: null, levels: null, responses: true,
    lines: [line("eda_us", "measured", "ink", 2), line("scl_us", "level", "accent", 2)],
  },
  { id: "pupil", title: "Pupil", unit: "mm", kind: "gaze", grow: 1, range: null, levels: null, lines: [line("pupil_mm", "measured", "faint", 2), line("pupil_clean_mm", "cleaned", "ink", 2)] },
  { id: "gaze", title: "Gaze", unit: "of the clip", kind: "gaze", grow: 1, range: [0, 1], levels: [0, 0.5, 1], lines: [line("gaze_x", "across", "ink", 2), line("gaze_y", "down", "accent", 2)] },
];

/** What action units are called. @type {Record<string, string>} */
const units = {
  au01: "inner brow raiser", au02: "outer brow raiser", au04: "brow lowerer", au05: "upper lid raiser", au06: "cheek raiser", au07: "lid tightener",
  au09: "nose wrinkler", au10: "upper lip raiser", au12: "lip corner puller", au14: "dimpler", au15: "lip corner depressor", au17: "chin raiser",
  au20: "lip stretcher", au23: "lip tightener", au24: "lip pressor", au25: "lips part", au26: "jaw drop", au43: "eyes closed", au45: "blink",
};
const unitColours = ["ink", "accent", "c-happy", "c-surprised", "c-angry", "c-fearful", "c-disgusted"];

/** @param {string} name of a column */
export const isUnit = (name) => /^au\d\d$/.test(name);

/** @param {string} name */
export const unitWords = (name) => `${name.toUpperCase().replace("AU", "AU ")} ${units[name] ?? ""}`.trim();

/** The panels for what was recorded; those of which there is no column are left out.
 * @param {string[]} columns of the joined trace @param {string[]} chosen action units @returns {Panel[]} */
export function panelsFor(columns, chosen) {
  const panels = measured.map((p) => ({ ...p, lines: p.lines.filter((l) => columns.includes(l.name)) })).filter((p) => p.lines.length > 0);
  const lines = chosen.filter((name) => columns.includes(name))
    .map((name, i) => line(name, name.toUpperCase().replace("AU", "AU "), unitColours[i % unitColours.length], 2));
  if (lines.length > 0) panels.push({ id: "au", title: "Action units", unit: "0 to 1", kind: "face", grow: 1.2, range: [0, 1], levels: [0, 0.5, 1], lines });
  return panels;
}
