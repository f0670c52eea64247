// The shapes of what the server sends; PROTOCOL.md explains them.

/**
 * @typedef {{name: string, unit: string}} Channel
 * @typedef {{id: string, kind: string, rate_hz: number, simulated: boolean, channels: Channel[]}} StreamInfo
 * @typedef {{type: "hello", version: number, window_ms: number, streams: StreamInfo[]}} Hello
 *
 * @typedef {{index: number, action: "consent"|"fixation"|"play"|"rest", duration_ns: number, stimulus?: string, presentation?: number}} Step
 * @typedef {{method: string, drift_ppm: number, jitter_ms: number, bound_ms: number}} ClockStatement
 * @typedef {{info: {id: string, kind: string, device: string, port?: string, clock: string, rate_hz: number, simulated: boolean},
 *   connected: boolean, rate_hz: number, samples: number, lost: number, faults: number, age_ms: number,
 *   usable_age_ms: number, remark: string, advice: string, clock: ClockStatement, latency: string, unseen_ms: number}} Health
 * @typedef {{id: string, severity: "minor"|"major", text: string, advice: string}} Alarm
 * @typedef {{id: string, participant: string, row: number, state: string, started: string, duration_ns: number,
 *   segments: number, frames: number, simulated: boolean, bundle?: string, reason?: string}} Summary
 * @typedef {{session_id: string, state: string, bundle: string, reason: string, error: string}} Outcome
 * @typedef {{state: string, busy: string, session_id: string, participant: string, segment: number,
 *   plan: {row: number, steps: Step[]|null}, step: number, elapsed_ms: number, streams: Health[]|null, alarms: Alarm[]|null,
 *   stage_connected: boolean, stage_waiting: string, disk_free_bytes: number, disk_hours: number, recovered: Summary[]|null,
 *   last_outcome: Outcome|null, study_id: string, study_title: string,
 *   face_video: boolean}} Status
 * @typedef {{type: "status", now_ms: number, viewers: number, unseen_chunks: number, status: Status}} Report
 *
 * @typedef {{stream: number, gap: boolean, channels: number, times: Float64Array, values: Float32Array}} Block
 * @typedef {{now: number, blocks: Block[]}} Batch
 */

export {};
