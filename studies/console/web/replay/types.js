// The shapes of what the server answers about a recorded session; PROTOCOL.md explains
// them. Times are in ms since the session's first segment began.

/**
 * @typedef {{number: number, from_ms: number, until_ms: number}} Segment
 * @typedef {{presentation: number, stimulus: string, brand?: string, title?: string, again?: number, from_ms: number, until_ms: number,
 *   width_px: number, height_px: number, clip: string}} Presentation clip: where the lab plays it; "" = it has not got it any more
 * @typedef {{step: number, action: string, words?: string, from_ms: number}} Step
 * @typedef {{id: string, kind: string, rate_hz: number, simulated: boolean, bound_ms: number, columns: {name: string, unit: string}[]}} Stream bound_ms 0: not known
 * @typedef {{stream: string, from_ms: number, until_ms: number, why: string}} Gap
 * @typedef {{kind: "face"|"gaze"|"eda", from_ms: number, until_ms: number, why: string}} Band a stretch that cannot be used
 * @typedef {{at_ms: number, kind: string, text: string, source: string}} Marker
 * @typedef {{id: number, from_ms: number, until_ms: number|null, label: string, text: string, by: string, made_utc: string, removed_utc?: string|null}} Annotation
 * @typedef {{presentation: number, modality: string, seconds: number, usable_s: number, share: number}} Usable
 * @typedef {{session: string, participant: string, state: string, study: string, duration_ms: number,
 *   segments: Segment[], presentations: Presentation[], steps: Step[], streams: Stream[], gaps: Gap[], bands: Band[],
 *   markers: Marker[], annotations: Annotation[], face: {frames: number, from_ms: number, until_ms: number}|null,
 *   usable: Usable[], derivation: string, calibration: string}} Recording
 *
 * @typedef {{at_ms: number, frame: number, media_ms: number}} ShownFrame
 * @typedef {{from_ms: number, until_ms: number, x: number, y: number, presentation: number}} Fixation
 * @typedef {{at_ms: number, peak_ms: number, amplitude_us: number, flagged: boolean}} Response
 * @typedef {{eda_responses: Response[], fixations: Fixation[], blinks: {from_ms: number, until_ms: number}[]}} Events
 * @typedef {{times: Float64Array, columns: Float32Array[], thinned: boolean}} Rows
 *
 * @typedef {"rect"|"ellipse"|"polygon"} ShapeName
 * @typedef {[number, number]} Point fractions of the clip
 * @typedef {[number, number, number, number]} Box x, y, width, height
 * @typedef {{box?: Box, points?: Point[]}} Geometry a box of a rectangle or an ellipse, or the corners of a polygon
 * @typedef {{t_s: number, box?: Box, points?: Point[], hidden?: boolean}} Keyframe
 * @typedef {{name: string, tag?: string, shape: ShapeName, layer?: number, box?: Box, points?: Point[], keyframes?: Keyframe[]}} Area
 * @typedef {{version: number, by: string, made_utc: string, note: string}} Version
 * @typedef {{stimulus: string, version: number, aois: Area[], history: Version[]}} AreaSet
 */

export {};
