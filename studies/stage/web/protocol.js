// The messages of PROTOCOL.md as types. Ticks are whole microseconds of
// performance.now().

/** Version of the protocol that this page speaks. */
export const VERSION = 6;

/**
 * Words by language, paragraphs by language.
 * @typedef {Record<string, string>} Text
 * @typedef {Record<string, string[]>} Body
 *
 * @typedef {{value: string, label: Text}} Option
 * @typedef {'scope'|'yesno'|'integer'|'choice'|'likert'|'sam'|'affect_grid'|'vas'|'text'} FieldType
 * @typedef {{id: string, type: FieldType, ask: Text, required: boolean, options?: Option[], points?: number, dimension?: string, low?: Text, high?: Text, min?: number, max?: number}} FieldSpec
 * @typedef {'notice'|'consent'|'screening'|'rating'|'form'|'debrief'|'receipt'|'leave'|'exit'} SheetKind
 * @typedef {{id: string, kind: SheetKind, heading: Text, body: Body | null, fields: FieldSpec[] | null, go: Text, no?: Text, sha256: Record<string, string>}} Sheet
 *
 * @typedef {{class: string, until: string, after_payment_days: number}} Limit
 * @typedef {{code: string, study: string, session: string, scopes: string[] | null, refused: string[] | null, until: Limit[] | null}} Receipt
 *
 * @typedef {{id: string, url: string, sha256: string, width: number, height: number, duration_ms: number}} Clip
 * @typedef {''|'top-left'|'top-right'|'bottom-left'|'bottom-right'} Corner
 * @typedef {'fixation'|'neutral'|'play'|'rest'|'fill'|'camera'|'begin'|'calibrate'|'validate'|'breath'|'reshow'} Action
 * @typedef {{index: number, action: Action, duration_ms: number, stimulus: string, presentation: number, sheet: string, skippable: boolean}} Step
 * @typedef {{type: 'plan', run: number, from: number, steps: Step[], clips: Clip[], corner: Corner, sheets: Sheet[] | null, skip: number[] | null, languages: string[] | null, phone_frame: boolean, conducted: boolean}} Plan
 *
 * @typedef {{x: number, y: number}} Place
 * @typedef {{type: 'target', run: number, step: number, id: number} & Place
 *   | {type: 'cue', run: number, step: number, id: number, key: string, code?: string}
 *   | Finish | Ask} Order
 * @typedef {{type: 'finish', run: number, step: number, skip: number[] | null}} Finish
 *
 * What is asked before the first step has the step -1.
 * @typedef {{type: 'ask', run: number, step: number, id: number, kind: 'code'|'sound', code: string, tones: number, tries: number}} Ask
 * @typedef {{value: string, audio: string}} Said
 *
 * The answer to an answer: it is accepted, or it is not.
 * @typedef {{type: 'go', run: number, step: number, skip: number[] | null}} Go
 * @typedef {{type: 'again', run: number, step: number, reason: string}} Again
 * @typedef {{type: 'receipt', run: number, step: number, receipt: Receipt, qr: boolean[][] | null}} ReceiptMessage
 * @typedef {{type: 'conduct', run: number, step: number, after_ms: number, answer: boolean, fill: Record<string, string> | null, no: boolean, leave: boolean, swipe: boolean, pause_ms: number, language?: string}} Conduct
 * @typedef {{type: 'leave', run: number, skip: number[] | null}} Leave
 *
 * @typedef {{type: 'ping', id: number}
 *   | {type: 'library', clips: Clip[], corner: Corner, languages: string[] | null}
 *   | Plan
 *   | {type: 'begin', run: number}
 *   | {type: 'stop', run: number}
 *   | Order | Go | Again | ReceiptMessage | Conduct | Leave
 *   | {type: 'over', run: number, outcome: 'complete'|'declined'|'left'}
 *   | {type: 'refused', busy: boolean, reason: string}} ServerMessage
 *
 * @typedef {'hidden'|'shown'|'frozen'|'thawed'|'fullscreen-left'|'fullscreen-taken'|'resized'|'moved'} PageHappening
 * @typedef {'paused'|'waiting'|'seeking'|'seeked'|'playing'} ClipHappening
 * @typedef {{type: 'remark', run: number, what: PageHappening|ClipHappening, tick: number, presentation: number, media: number}} Remark
 *
 * @typedef {{presented: number, media: number, expected: number, submitted: number, callback: number}} Frame
 * @typedef {{type: 'frames', run: number, presentation: number, stimulus: string, rect: number[], frames: Frame[]}} Frames
 *
 * @typedef {{values: Record<string, string>, response_ms: Record<string, number>, declined: boolean, language: string, text_sha256: string, simulated: boolean}} Filled
 * @typedef {{type: 'answer', run: number, step: number, sheet: string, tick: number} & Filled} Answer
 *
 * @typedef {{screen_w: number, screen_h: number, dpr: number, refresh_hz: number}} ScreenSeen
 * @typedef {{type: 'hello', version: number, epoch: string, agent: string, simulated: boolean, isolated: boolean, take_over: boolean} & ScreenSeen} Hello
 * @typedef {Hello
 *   | {type: 'pong', id: number, rx: number, tx: number}
 *   | {type: 'waiting', run: number}
 *   | {type: 'ready', run: number}
 *   | {type: 'step-began', run: number, step: number, tick: number, place?: Place}
 *   | {type: 'shown', run: number, step: number, id: number, tick: number, place?: Place}
 *   | {type: 'step-ended', run: number, step: number, tick: number, dropped: number, swiped?: boolean, media?: number}
 *   | {type: 'reply', run: number, step: number, id: number, simulated: boolean, tick: number} & Said
 *   | Answer
 *   | {type: 'paused' | 'resumed' | 'leave', run: number, step: number, tick: number}
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
