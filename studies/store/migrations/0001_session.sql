-- One file is one study. Every table and column is described in SCHEMA.md.
-- Column suffixes: _ns lab-clock nanoseconds, _utc wall time (ISO 8601), _us
-- microsiemens (_us is never microseconds here), _px, _mm, _hz, _ppm, _ms, _s.

CREATE TABLE study (
  hash         TEXT PRIMARY KEY,
  id           TEXT NOT NULL,
  title        TEXT NOT NULL,
  seed         TEXT NOT NULL,
  canonical    TEXT NOT NULL,
  first_utc    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stimulus (
  study_hash   TEXT NOT NULL REFERENCES study(hash),
  id           TEXT NOT NULL,
  file         TEXT NOT NULL,
  brand        TEXT NOT NULL,
  tags         TEXT NOT NULL CHECK (json_valid(tags)),
  sha256       TEXT NOT NULL,
  width_px     INTEGER NOT NULL,
  height_px    INTEGER NOT NULL,
  duration_ns  INTEGER NOT NULL,
  frames       INTEGER NOT NULL,
  PRIMARY KEY (study_hash, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE participant (
  code         TEXT PRIMARY KEY,
  first_utc    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
  id               TEXT PRIMARY KEY,
  study_hash       TEXT NOT NULL REFERENCES study(hash),
  participant      TEXT NOT NULL REFERENCES participant(code),
  plan_row         INTEGER NOT NULL,
  plan             TEXT NOT NULL CHECK (json_valid(plan)),
  reached_step     INTEGER NOT NULL,
  state            TEXT NOT NULL CHECK (state IN ('recording', 'recovered', 'failed', 'sealed')),
  reason           TEXT NOT NULL,
  simulated        INTEGER NOT NULL CHECK (simulated IN (0, 1)),
  trace_derivation TEXT NOT NULL,
  software         TEXT NOT NULL,
  started_utc      TEXT NOT NULL,
  ended_utc        TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE segment (
  session_id   TEXT NOT NULL REFERENCES session(id),
  number       INTEGER NOT NULL,
  boot         TEXT NOT NULL,
  start_ns     INTEGER NOT NULL,
  until_ns     INTEGER,
  start_utc    TEXT NOT NULL,
  first_step   INTEGER NOT NULL,
  PRIMARY KEY (session_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE stream (
  session_id   TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  id           TEXT NOT NULL,
  kind         TEXT NOT NULL,
  device       TEXT NOT NULL,
  serial       TEXT NOT NULL,
  port         TEXT NOT NULL,
  clock        TEXT NOT NULL,
  tick_hz      REAL NOT NULL,
  rate_hz      REAL NOT NULL,
  channels     TEXT NOT NULL CHECK (json_valid(channels)),
  simulated    INTEGER NOT NULL CHECK (simulated IN (0, 1)),
  PRIMARY KEY (session_id, segment, id),
  FOREIGN KEY (session_id, segment) REFERENCES segment(session_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE presentation (
  session_id   TEXT NOT NULL REFERENCES session(id),
  number       INTEGER NOT NULL,
  step         INTEGER NOT NULL,
  stimulus     TEXT NOT NULL,
  PRIMARY KEY (session_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE clock_probe (
  session_id   TEXT NOT NULL,
  stream       TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  epoch        INTEGER NOT NULL,
  t0_ns        INTEGER NOT NULL,
  rx_tick      INTEGER NOT NULL,
  tx_tick      INTEGER NOT NULL,
  t3_ns        INTEGER NOT NULL,
  PRIMARY KEY (session_id, stream, segment, n),
  FOREIGN KEY (session_id, segment, stream) REFERENCES stream(session_id, segment, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE clock_model (
  session_id   TEXT NOT NULL,
  stream       TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  epoch        INTEGER NOT NULL,
  tick0        INTEGER NOT NULL,
  at0_ns       INTEGER NOT NULL,
  ns_per_tick  REAL NOT NULL,
  until_tick   INTEGER NOT NULL,
  err_ns       INTEGER NOT NULL,
  PRIMARY KEY (session_id, stream, segment, n),
  FOREIGN KEY (session_id, segment, stream) REFERENCES stream(session_id, segment, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
  session_id   TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  stream       TEXT NOT NULL,
  epoch        INTEGER NOT NULL,
  kind         TEXT NOT NULL,
  at_ns        INTEGER NOT NULL,
  count        INTEGER NOT NULL,
  detail       TEXT NOT NULL,
  PRIMARY KEY (session_id, segment, n),
  FOREIGN KEY (session_id, segment, stream) REFERENCES stream(session_id, segment, id)
) STRICT, WITHOUT ROWID;

-- Markers are events; a view, so that nothing is written twice.
CREATE VIEW marker AS
  SELECT session_id, segment, n, stream, at_ns, detail AS label
  FROM event WHERE kind = 'marker';

CREATE TABLE gap (
  session_id   TEXT NOT NULL,
  stream       TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  from_ns      INTEGER NOT NULL,
  until_ns     INTEGER,
  lost         INTEGER NOT NULL,
  reason       TEXT NOT NULL CHECK (reason IN ('lost', 'disconnected')),
  detail       TEXT NOT NULL,
  PRIMARY KEY (session_id, stream, segment, n),
  FOREIGN KEY (session_id, segment, stream) REFERENCES stream(session_id, segment, id)
) STRICT, WITHOUT ROWID;

-- The sample tables are not STRICT: a device that sends 3.5 where a whole number
-- is expected costs precision in nobody's analysis, but a refused transaction
-- would cost 50 ms of every stream. They have no foreign keys either: the
-- trigger that lets rows in only while a session records says the same, once.

CREATE TABLE eda_sample (
  session_id   TEXT NOT NULL,
  stream       TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  seq          INTEGER NOT NULL,
  epoch        INTEGER NOT NULL,
  tick         INTEGER NOT NULL,
  arrival_ns   INTEGER NOT NULL,
  at_ns        INTEGER NOT NULL,
  err_ns       INTEGER NOT NULL,
  raw          REAL,
  eda_us       REAL,
  PRIMARY KEY (session_id, stream, segment, seq)
) WITHOUT ROWID;

CREATE TABLE gaze_sample (
  session_id     TEXT NOT NULL,
  stream         TEXT NOT NULL,
  segment        INTEGER NOT NULL,
  seq            INTEGER NOT NULL,
  epoch          INTEGER NOT NULL,
  tick           INTEGER NOT NULL,
  arrival_ns     INTEGER NOT NULL,
  at_ns          INTEGER NOT NULL,
  err_ns         INTEGER NOT NULL,
  gaze_x         REAL,
  gaze_y         REAL,
  gaze_valid     INTEGER,
  pupil_left_mm  REAL,
  pupil_right_mm REAL,
  PRIMARY KEY (session_id, stream, segment, seq)
) WITHOUT ROWID;

CREATE TABLE face_frame (
  session_id      TEXT NOT NULL,
  stream          TEXT NOT NULL,
  segment         INTEGER NOT NULL,
  seq             INTEGER NOT NULL,
  epoch           INTEGER NOT NULL,
  tick            INTEGER NOT NULL,
  arrival_ns      INTEGER NOT NULL,
  at_ns           INTEGER NOT NULL,
  err_ns          INTEGER NOT NULL,
  face_found      INTEGER,
  face_confidence REAL,
  box_x_px        REAL,
  box_y_px        REAL,
  box_w_px        REAL,
  box_h_px        REAL,
  p_neutral       REAL,
  p_happy         REAL,
  p_sad           REAL,
  p_angry         REAL,
  p_fearful       REAL,
  p_disgusted     REAL,
  p_surprised     REAL,
  valence         REAL,
  arousal         REAL,
  landmarks       BLOB,
  PRIMARY KEY (session_id, stream, segment, seq)
) WITHOUT ROWID;

CREATE TABLE stimulus_frame (
  session_id       TEXT NOT NULL,
  stream           TEXT NOT NULL,
  segment          INTEGER NOT NULL,
  seq              INTEGER NOT NULL,
  epoch            INTEGER NOT NULL,
  tick             INTEGER NOT NULL,
  arrival_ns       INTEGER NOT NULL,
  at_ns            INTEGER NOT NULL,
  err_ns           INTEGER NOT NULL,
  presentation     INTEGER,
  frame            INTEGER,
  media_ns         INTEGER,
  presented_frames INTEGER,
  rect_x           REAL,
  rect_y           REAL,
  rect_w           REAL,
  rect_h           REAL,
  PRIMARY KEY (session_id, stream, segment, seq)
) WITHOUT ROWID;

CREATE TABLE derivation (
  session_id   TEXT NOT NULL REFERENCES session(id),
  name         TEXT NOT NULL,
  algorithm    TEXT NOT NULL,
  version      TEXT NOT NULL,
  parameters   TEXT NOT NULL CHECK (json_valid(parameters)),
  software     TEXT NOT NULL,
  created_utc  TEXT NOT NULL,
  PRIMARY KEY (session_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE eda_response (
  session_id      TEXT NOT NULL,
  derivation      TEXT NOT NULL,
  segment         INTEGER NOT NULL,
  n               INTEGER NOT NULL,
  onset_ns        INTEGER NOT NULL,
  peak_ns         INTEGER NOT NULL,
  amplitude_us    REAL NOT NULL,
  rise_s          REAL,
  half_recovery_s REAL,
  PRIMARY KEY (session_id, derivation, segment, n),
  FOREIGN KEY (session_id, derivation) REFERENCES derivation(session_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE trace_row (
  session_id      TEXT NOT NULL,
  derivation      TEXT NOT NULL,
  segment         INTEGER NOT NULL,
  seq             INTEGER NOT NULL,
  at_ns           INTEGER NOT NULL,
  err_ns          INTEGER NOT NULL,
  presentation    INTEGER,
  frame           INTEGER,
  media_ns        INTEGER,
  face_found      INTEGER,
  face_confidence REAL,
  p_neutral       REAL,
  p_happy         REAL,
  p_sad           REAL,
  p_angry         REAL,
  p_fearful       REAL,
  p_disgusted     REAL,
  p_surprised     REAL,
  valence         REAL,
  arousal         REAL,
  gaze_x          REAL,
  gaze_y          REAL,
  gaze_valid      INTEGER,
  pupil_mm        REAL,
  eda_us          REAL,
  scl_us          REAL,
  scr_us          REAL,
  scr_onset       INTEGER,
  quality         INTEGER,
  PRIMARY KEY (session_id, derivation, segment, seq)
) WITHOUT ROWID;

CREATE VIEW trace AS
  SELECT r.session_id, s.participant, r.derivation, r.segment, r.seq, r.at_ns, r.err_ns,
         (r.at_ns - g.start_ns) / 1e9 AS t_s,
         p.stimulus, r.presentation, r.frame, r.media_ns, r.media_ns / 1e9 AS media_s,
         r.face_found, r.face_confidence,
         r.p_neutral, r.p_happy, r.p_sad, r.p_angry, r.p_fearful, r.p_disgusted, r.p_surprised,
         r.valence, r.arousal, r.gaze_x, r.gaze_y, r.gaze_valid, r.pupil_mm,
         r.eda_us, r.scl_us, r.scr_us, r.scr_onset, r.quality
  FROM session s
  JOIN trace_row r ON r.session_id = s.id AND r.derivation = s.trace_derivation
  JOIN segment g ON g.session_id = r.session_id AND g.number = r.segment
  LEFT JOIN presentation p ON p.session_id = r.session_id AND p.number = r.presentation;

CREATE TABLE quality (
  session_id   TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  stream       TEXT NOT NULL,
  method       TEXT NOT NULL,
  drift_ppm    REAL,
  jitter_ms    REAL,
  bound_ms     REAL,
  samples      INTEGER NOT NULL,
  lost         INTEGER NOT NULL,
  epochs       INTEGER NOT NULL,
  pings        INTEGER NOT NULL,
  usable_share REAL,
  PRIMARY KEY (session_id, segment, stream),
  FOREIGN KEY (session_id, segment, stream) REFERENCES stream(session_id, segment, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE export (
  n               INTEGER PRIMARY KEY,
  session_id      TEXT NOT NULL REFERENCES session(id),
  path            TEXT NOT NULL,
  bytes           INTEGER NOT NULL,
  sha256          TEXT NOT NULL,
  manifest_sha256 TEXT NOT NULL,
  software        TEXT NOT NULL,
  created_utc     TEXT NOT NULL
) STRICT;
CREATE INDEX export_session ON export(session_id, n);

CREATE TABLE audit (
  n            INTEGER PRIMARY KEY,
  at_utc       TEXT NOT NULL,
  session_id   TEXT,
  action       TEXT NOT NULL,
  detail       TEXT NOT NULL
) STRICT;
