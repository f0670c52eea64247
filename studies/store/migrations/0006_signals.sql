-- Signals and calibration: what the participant was asked to look at, what was decided
-- about it, what was fitted from it, how the eyes moved, and how light the stimuli are.

-- The participant's screen, as the eyes see it: degrees are reckoned from this.
ALTER TABLE segment ADD COLUMN screen_w_mm REAL;
ALTER TABLE segment ADD COLUMN screen_h_mm REAL;
ALTER TABLE segment ADD COLUMN screen_distance_mm REAL;
ALTER TABLE segment ADD COLUMN screen_assumed INTEGER CHECK (screen_assumed IN (0, 1));

-- One row for each target that the participant was shown to look at, and for each
-- cue to breathe.
CREATE TABLE gaze_target (
  session_id   TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  purpose      TEXT NOT NULL CHECK (purpose IN ('calibrate', 'validate', 'fixation', 'breath')),
  step         INTEGER NOT NULL,
  round        INTEGER NOT NULL,
  point        INTEGER NOT NULL,
  x            REAL,
  y            REAL,
  from_ns      INTEGER NOT NULL,
  until_ns     INTEGER,
  err_ns       INTEGER NOT NULL,
  PRIMARY KEY (session_id, segment, n),
  FOREIGN KEY (session_id, segment) REFERENCES segment(session_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (
  session_id   TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  step         INTEGER NOT NULL,
  round        INTEGER NOT NULL,
  choice       TEXT NOT NULL CHECK (choice IN ('accept', 'redo', 'continue')),
  reason       TEXT NOT NULL,
  how          TEXT NOT NULL,
  value        TEXT NOT NULL CHECK (value = '' OR json_valid(value)),
  at_ns        INTEGER NOT NULL,
  PRIMARY KEY (session_id, segment, n),
  FOREIGN KEY (session_id, segment) REFERENCES segment(session_id, number)
) STRICT, WITHOUT ROWID;

-- Until now there was one calibration of a kind in a derivation.
ALTER TABLE calibration RENAME TO calibration_5;
CREATE TABLE calibration (
  session_id   TEXT NOT NULL,
  derivation   TEXT NOT NULL,
  n            INTEGER NOT NULL,
  segment      INTEGER NOT NULL,
  stream       TEXT NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('neutral', 'gaze', 'gaze-validation', 'gaze-drift', 'conductance-check')),
  step         INTEGER,
  round        INTEGER,
  used         INTEGER NOT NULL CHECK (used IN (0, 1)),
  value        TEXT NOT NULL CHECK (json_valid(value)),
  residual     REAL,
  from_ns      INTEGER NOT NULL,
  until_ns     INTEGER NOT NULL,
  software     TEXT NOT NULL,
  created_utc  TEXT NOT NULL,
  PRIMARY KEY (session_id, derivation, n),
  FOREIGN KEY (session_id, derivation) REFERENCES derivation(session_id, name)
) STRICT, WITHOUT ROWID;
INSERT INTO calibration
  SELECT session_id, derivation, 1, segment, '', kind, NULL, NULL, 1, value, residual, from_ns, until_ns, software, created_utc
  FROM calibration_5;
DROP TABLE calibration_5;

-- What is said of skin conductance over the whole of a segment (presentation 0) and over
-- each presentation.
CREATE TABLE eda_summary (
  session_id          TEXT NOT NULL,
  derivation          TEXT NOT NULL,
  segment             INTEGER NOT NULL,
  stream              TEXT NOT NULL,
  presentation        INTEGER NOT NULL,
  from_ns             INTEGER NOT NULL,
  until_ns            INTEGER NOT NULL,
  valid_s             REAL,
  valid_share         REAL,
  enough              INTEGER NOT NULL CHECK (enough IN (0, 1)),
  scl_us              REAL,
  scl_outside_us      REAL,
  responses           INTEGER NOT NULL,
  per_minute          REAL,
  amplitude_us        REAL,
  fine_responses      INTEGER NOT NULL,
  fine_per_minute     REAL,
  area_us_s           REAL,
  edasymp_us2         REAL,
  edasymp_share       REAL,
  non_responder       INTEGER NOT NULL CHECK (non_responder IN (0, 1)),
  related             INTEGER,
  related_latency_s   REAL,
  related_first_us    REAL,
  related_sum_us      REAL,
  related_max_us      REAL,
  PRIMARY KEY (session_id, derivation, segment, stream, presentation),
  FOREIGN KEY (session_id, derivation) REFERENCES derivation(session_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE eye_event (
  session_id     TEXT NOT NULL,
  derivation     TEXT NOT NULL,
  segment        INTEGER NOT NULL,
  n              INTEGER NOT NULL,
  stream         TEXT NOT NULL,
  class          TEXT NOT NULL,
  from_ns        INTEGER NOT NULL,
  until_ns       INTEGER NOT NULL,
  screen_x       REAL,
  screen_y       REAL,
  presentation   INTEGER,
  media_ns       INTEGER,
  stimulus_x     REAL,
  stimulus_y     REAL,
  amplitude_deg  REAL,
  peak_deg_s     REAL,
  mean_deg_s     REAL,
  dispersion_deg REAL,
  PRIMARY KEY (session_id, derivation, segment, n),
  FOREIGN KEY (session_id, derivation) REFERENCES derivation(session_id, name)
) STRICT, WITHOUT ROWID;

-- A fact about the file of a video and not about a session: it is known by its hash.
CREATE TABLE stimulus_luminance (
  sha256       TEXT NOT NULL,
  frame        INTEGER NOT NULL,
  luminance    REAL NOT NULL,
  PRIMARY KEY (sha256, frame)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER stimulus_luminance_observed BEFORE UPDATE ON stimulus_luminance
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;

ALTER TABLE eda_response ADD COLUMN slope_us_s REAL;
ALTER TABLE eda_response ADD COLUMN flags INTEGER;

ALTER TABLE trace_row ADD COLUMN eye_class INTEGER;
ALTER TABLE trace_row ADD COLUMN pupil_clean_mm REAL;
ALTER TABLE trace_row ADD COLUMN pupil_adjusted_mm REAL;
ALTER TABLE trace_row ADD COLUMN eda_flags INTEGER;

DROP VIEW trace;
CREATE VIEW trace AS
  SELECT r.session_id, s.participant, r.derivation, r.segment, r.seq, r.at_ns, r.err_ns,
         (r.at_ns - g.start_ns) / 1e9 AS t_s,
         p.stimulus, r.presentation, r.frame, r.media_ns, r.media_ns / 1e9 AS media_s,
         r.face_found, r.face_confidence,
         r.p_neutral, r.p_happy, r.p_sad, r.p_angry, r.p_fearful, r.p_disgusted, r.p_surprised,
         r.valence, r.arousal,
         r.yaw_deg, r.pitch_deg, r.roll_deg, r.pose_residual, r.face_height_px, r.ear_right, r.ear_left,
         r.au01, r.au02, r.au04, r.au05, r.au06, r.au07, r.au09, r.au10, r.au12, r.au14, r.au15, r.au17,
         r.au20, r.au23, r.au24, r.au25, r.au26, r.au43, r.au45, r.emfacs_happy, r.emfacs_sad, r.emfacs_angry,
         r.emfacs_fearful, r.emfacs_disgusted, r.emfacs_surprised, r.emfacs_agreement,
         r.gaze_x, r.gaze_y, r.gaze_valid, r.eye_class, r.pupil_mm, r.pupil_clean_mm, r.pupil_adjusted_mm,
         r.eda_us, r.scl_us, r.scr_us, r.scr_onset, r.eda_flags, r.quality
  FROM session s
  JOIN trace_row r ON r.session_id = s.id AND r.derivation = s.trace_derivation
  JOIN segment g ON g.session_id = r.session_id AND g.number = r.segment
  LEFT JOIN presentation p ON p.session_id = r.session_id AND p.number = r.presentation;

-- gaze_target
CREATE TRIGGER gaze_target_enter BEFORE INSERT ON gaze_target
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'recording'
BEGIN SELECT RAISE(ABORT, 'samples enter only while their session records'); END;
CREATE TRIGGER gaze_target_observed BEFORE UPDATE ON gaze_target
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER gaze_target_kept BEFORE DELETE ON gaze_target
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- decision
CREATE TRIGGER decision_enter BEFORE INSERT ON decision
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'recording'
BEGIN SELECT RAISE(ABORT, 'samples enter only while their session records'); END;
CREATE TRIGGER decision_observed BEFORE UPDATE ON decision
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER decision_kept BEFORE DELETE ON decision
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- calibration
CREATE TRIGGER calibration_enter BEFORE INSERT ON calibration
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER calibration_derived BEFORE UPDATE ON calibration
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER calibration_kept BEFORE DELETE ON calibration
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- eye_event
CREATE TRIGGER eye_event_enter BEFORE INSERT ON eye_event
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER eye_event_derived BEFORE UPDATE ON eye_event
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER eye_event_kept BEFORE DELETE ON eye_event
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- eda_summary
CREATE TRIGGER eda_summary_enter BEFORE INSERT ON eda_summary
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER eda_summary_derived BEFORE UPDATE ON eda_summary
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER eda_summary_kept BEFORE DELETE ON eda_summary
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
