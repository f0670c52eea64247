// The messages of PROTOCOL.md as types. Ticks are whole microseconds of
// performance.now().

/** Version of the protocol that this page speaks. */
export const VERSION = 4;

/**
 * @typedef {{id: string, url: string, sha256: string, width: number, height: number, duration_ms: number}} Clip
 * @typedef {''|'top-left'|'top-right'|'bottom-left'|'bottom-right'} Corner
 * @typedef {{language: string, heading: string, body: string[], yes: string, no: string, hint: string, sha256: string}} Text
 * @typedef {{index: number, action: 'fixation'|'play'|'rest'|'consent'|'calibrate'|'validate'|'breath', duration_ms: number, stimulus: string, presentation: number, scope: string, texts: Text[]}} Step
 * @typedef {{type: 'plan', run: number, from: number, steps: Step[], clips: Clip[], corner: Corner}} Plan
 *
 * @typedef {{x: number, y: number}} Place
 * @typedef {'look'|'wait'|'breathe'|'rest'} CueKey
 * @typedef {{type: 'target', run: number, step: number, id: number} & Place
 *   | {type: 'cue', run: number, step: number, id: number, key: CueKey}
 *   | {type: 'finish', run: number, step: number}} Order
 *
 * @typedef {{type: 'ping', id: number}
 *   | {type: 'library', clips: Clip[], corner: Corner}
 *   | Plan
 *   | {type: 'begin', run: number}
 *   | {type: 'stop', run: number}
 *   | Order
 *   | {type: 'over', run: number}
 *   | {type: 'refused', busy: boolean, reason: string}} ServerMessage
 *
 * @typedef {'hidden'|'shown'|'frozen'|'thawed'|'fullscreen-left'|'fullscreen-taken'|'resized'|'moved'} PageHappening
 * @typedef {'paused'|'waiting'|'seeking'|'seeked'|'playing'} ClipHappening
 * @typedef {{type: 'remark', run: number, what: PageHappening|ClipHappening, tick: number, presentation: number, media: number}} Remark
 *
 * @typedef {{presented: number, media: number, expected: number, submitted: number, callback: number}} Frame
 * @typedef {{type: 'frames', run: number, presentation: number, stimulus: string, rect: number[], frames: Frame[]}} Frames
 *
 * @typedef {{screen_w: number, screen_h: number, dpr: number, refresh_hz: number}} ScreenSeen
 * @typedef {{type: 'hello', version: number, epoch: string, agent: string, simulated: boolean, isolated: boolean, take_over: boolean} & ScreenSeen} Hello
 * @typedef {Hello
 *   | {type: 'pong', id: number, rx: number, tx: number}
 *   | {type: 'waiting', run: number}
 *   | {type: 'ready', run: number}
 *   | {type: 'step-began', run: number, step: number, tick: number, place?: Place}
 *   | {type: 'shown', run: number, step: number, id: number, tick: number, place?: Place}
 *   | {type: 'step-ended', run: number, step: number, tick: number, dropped: number}
 *   | {type: 'answer', run: number, step: number, scope: string, granted: boolean, text_sha256: string, language: string, simulated: boolean, tick: number}
 *   | Frames
 *   | {type: 'blank', run: number, tick: number}
 *   | {type: 'unknown', run: number, tick: number}
 *   | Remark
 *   | {type: 'stopped', run: number}
 *   | {type: 'fault', run: number, text: string, fatal: boolean}} PageMessage
 */

/**
 * Converts milliseconds of performance.now() to ticks.
 * @param {number} ms
 */
export const toTick = (ms) => Math.round(ms * 1000);

/** The page's clock, in ticks. */
export const tick = () => toTick(performance.now());
