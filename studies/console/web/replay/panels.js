// Which traces there are, and how each is drawn.

/** @typedef {import("./types.js").Stream} Stream */
/** @typedef {{stream: string, name: string, label: string, colour: string, dash?: number[], digits: number}} Line stream: its id; name: of the column */
/** @typedef {Omit<Line, "stream"> & {of?: "eda"|"gaze"}} Sketch of: what was measured, drawn from each device of that kind as it was, whatever
 *   the camera saw; else a column of the joined trace, one value a camera frame */
/** @typedef {{id: string, title: string, unit: string, kind: "face"|"gaze"|"eda", grow: number,
 *   range: [number, number]|null, levels: number[]|null, lines: Line[], responses?: boolean}} Panel */

/** @param {string} name @param {string} label @param {string} colour @param {number} digits @param {number[]} [dash] @returns {Sketch} */
const line = (name, label, colour, digits, dash) => ({ name, label, colour, digits, dash });

/** The id of the joined trace among the streams. */
export const traceId = "trace";

/** @param {string} word @param {number[]} [dash] */
const expression = (word, dash) => line(`p_${word}`, word, `c-${word}`, 2, dash);

/** @type {(Omit<Panel, "lines"> & {lines: Sketch[]})[]} */
const measured = [
  {
    id: "expression", title: "Expression", unit: "share", kind: "face", grow: 1.7, range: [0, 1], levels: [0, 0.5, 1],
    lines: [expression("neutral"), expression("happy"), expression("surprised"), expression("sad"), expression("angry"),
      expression("fearful", [5, 3]), expression("disgusted", [5, 3])],
  },
  {
    id: "valence", title: "Valence", unit: "−1 to 1", kind: "face", grow: 1, range: [-1, 1], levels: [-1, 0, 1],
    lines: [line("valence", "valence", "ink", 2), line("arousal", "arousal", "accent", 2, [5, 3])],
  },
  {
    id: "eda", title: "Skin conductance", unit: "µS", kind: "eda", grow: 1.1, range: null, levels: null, responses: true,
    lines: [{ ...line("eda_us", "measured", "ink", 2), of: "eda" }, line("scl_us", "level", "accent", 2)],
  },
  {
    id: "pupil", title: "Pupil", unit: "mm", kind: "gaze", grow: 1, range: null, levels: null,
    lines: [{ ...line("pupil_mm", "measured", "faint", 2), of: "gaze" }, line("pupil_clean_mm", "cleaned", "ink", 2)],
  },
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

/** A sketched line for each stream that has it. @param {Sketch} sketch @param {Stream[]} streams @returns {Line[]} */
function linesOf({ of, ...sketch }, streams) {
  const having = streams.filter((s) => (of ? s.kind === of : s.id === traceId) && s.columns.some((c) => c.name === sketch.name));
  return having.map((s, i) => ({ ...sketch, stream: s.id, label: having.length > 1 ? s.id : sketch.label, dash: i > 0 ? [5, 3] : sketch.dash }));
}

/** The panels for what was recorded; those of which nothing was are left out.
 * @param {Stream[]} streams @param {string[]} chosen action units @returns {Panel[]} */
export function panelsFor(streams, chosen) {
  const units = chosen.map((name, i) => line(name, name.toUpperCase().replace("AU", "AU "), unitColours[i % unitColours.length], 2));
  return [...measured, { id: "au", title: "Action units", unit: "0 to 1", kind: /** @type {const} */ ("face"), grow: 1.2, range: /** @type {[number, number]} */ ([0, 1]), levels: [0, 0.5, 1], lines: units }]
    .filter((p) => streams.some((s) => s.kind === p.kind))
    .map((p) => ({ ...p, lines: p.lines.flatMap((l) => linesOf(l, streams)) }))
    .filter((p) => p.lines.length > 0);
}
