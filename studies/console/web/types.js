// The shapes of what the server sends; PROTOCOL.md explains them.

/**
 * @typedef {{name: string, unit: string}} Channel
 * @typedef {{id: string, kind: string, rate_hz: number, simulated: boolean, channels: Channel[]}} StreamInfo
 * @typedef {{type: "hello", version: number, window_ms: number, streams: StreamInfo[], console: string, role: Role}} Hello
 * @typedef {"viewer"|"operator"|"analyst"|"admin"} Role
 *
 * @typedef {"fill"|"camera"|"begin"|"neutral"|"calibrate"|"validate"|"breath"|"fixation"|"play"|"rest"|"reshow"} Action
 * @typedef {{index: number, action: Action, duration_ns: number, stimulus?: string, presentation?: number, sheet?: string, aside?: boolean,
 *   again?: boolean, repeats?: number}} Step
 * @typedef {{method: string, drift_ppm: number, jitter_ms: number, bound_ms: number}} ClockStatement
 * @typedef {{info: {id: string, kind: string, device: string, port?: string, clock: string, rate_hz: number, simulated: boolean},
 *   connected: boolean, rate_hz: number, samples: number, lost: number, faults: number, age_ms: number,
 *   usable_age_ms: number, remark: string, about?: string, advice: string, clock: ClockStatement, latency: string, unseen_ms: number}} Health
 * @typedef {{id: string, severity: "minor"|"major", text: string, advice: string, panel: string,
 *   state: "active"|"acknowledged"|"cleared"|"shelved", age_ms: number, cleared_ms: number, shelved_ms: number, count: number}} Alarm
 * @typedef {{id: string, label: string, level: "ok"|"waiting"|"attention"|"missing", text: string, advice: string, gate: "start"|"begin"}} Ready one check of the readiness
 * @typedef {{gate: "start"|"begin", checks: Ready[]}} NotReady why a gate was not passed
 * @typedef {{presentation: number, stimulus: string, again: boolean, seconds: number, over: boolean, low: boolean, offer: boolean, asked: boolean,
 *   parts: {modality: string, usable_s: number, share: number, needed: boolean}[]}} UsableNow
 * @typedef {{kind: string, text: string, source: string, age_ms: number}} Mark
 * @typedef {{holder: string, name: string, asked: string, asked_by: string, left_ms: number}} Pen
 * @typedef {{name: string, usable: number, shown: number}} Tally of people
 * @typedef {{id: string, participant: string, row: number, state: string, started: string, duration_ns: number,
 *   segments: number, frames: number, simulated: boolean, bundle?: string, reason?: string, run?: number, usable?: boolean|null, usable_why?: string,
 *   traces_erased?: string, video_erased?: string}} Summary
 * @typedef {{participant: string, sessions: Summary[], cut: string}} Known a code that was used before
 * @typedef {{at: string, sessions: number, rows: number, files: number, bytes: number, recipients: string[]|null, tombstone: string,
 *   beside?: string[]|null, receipt?: string}} Erasure
 * @typedef {{session_id: string, participant: string, sessions: number, bundles: number, recipients: string[]|null}} Holder of a withdrawal code
 * @typedef {{session: string, what: string, until: string, files: number, bytes: number}} Overdue
 * @typedef {{question: string, band: string, usable: number, have: number, open?: number}} Cell
 * @typedef {{usable: number, wanted: number, withdrawn: number, declined: number, dropped: number, unusable: number, cells: Cell[]|null, videos?: Tally[]|null, brands?: Tally[]|null, people?: object[]|null, due?: number, due_error?: string}} Cohort
 * @typedef {{session_id: string, state: string, bundle: string, reason: string, error: string, erasure?: Erasure|null}} Outcome
 * @typedef {{x: number, y: number}} Point
 * @typedef {{target: Point, gaze: Point, error_deg: number, samples?: Point[]}} ValidationPoint
 * @typedef {{screen: {width_mm: number, height_mm: number, distance_mm: number}, mean_deg: number|null, max_deg: number|null,
 *   rms_s2s_deg: number|null, sd_deg: number|null, loss: number, points: ValidationPoint[]|null,
 *   missed?: {target: Point, reason: string}[]}} Validation
 * @typedef {{level: "good"|"fair"|"refused", reasons?: string[]|null}} Verdict
 * @typedef {{tracker?: unknown, calibration?: {model: string, cross_validated_deg: number}, validation?: Validation, verdict: Verdict, shift_deg?: number}} Judged
 * @typedef {{level: "good"|"fair"|"refused", reasons?: string[]|null, level_us: number|null, slope_us_per_min: number|null,
 *   breath: {latency_s: number, amplitude_us: number}|null}} Readiness
 * @typedef {{choice: "accept"|"redo"|"continue", reason?: string, how: string}} Decision
 * @typedef {{action: "calibrate"|"validate"|"breath", step: number, round: number,
 *   phase: "preparing"|"calibrating"|"validating"|"deciding"|"breathing"|"done", shown: number, targets: number,
 *   target: Point|null, weak: string, judged: Judged|null, readiness: Readiness|null, decision: Decision|null, own: boolean}} Check
 * @typedef {{crosses: {error_deg: number}[]|null, trend: {deg_per_min: number}|null}} Drift
 * @typedef {{fixations: number, per_second: number, delay_ms: number,
 *   recent: {x: number, y: number, duration_ms: number, age_ms: number}[]}} Eyes
 * @typedef {{state: string, busy: string, session_id: string, participant: string, segment: number,
 *   plan: {row: number, steps: Step[]|null}, step: number, elapsed_ms: number, streams: Health[]|null, alarms: Alarm[]|null,
 *   stage_connected: boolean, stage_waiting: string, disk_free_bytes: number, disk_hours: number, recovered: Summary[]|null,
 *   last_outcome: Outcome|null, study_id: string, study_title: string,
 *   ready: boolean, paused: boolean, live: boolean, recording_over: boolean, stopped: boolean, face_video: boolean, check: Check|null, asked: boolean, gaze_corrected: boolean, drift: Drift|null, eyes: Eyes|null, screen_assumed: boolean,
 *   readiness: Ready[]|null, confirmed: {participant: boolean, operator: boolean}, usable: UsableNow[]|null, marks: Mark[]|null,
 *   blind: boolean, blind_by_study: boolean}} Status
 * @typedef {{type: "status", now_ms: number, viewers: number, unseen_chunks: number, pen: Pen, status: Status}} Report
 *
 * @typedef {{stream: number, gap: boolean, channels: number, times: Float64Array, values: Float32Array}} Block
 * @typedef {{now: number, blocks: Block[]}} Batch
 */

export {};
