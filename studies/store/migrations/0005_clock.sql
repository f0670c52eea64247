-- The clock: what was measured of a stream's latency, what each derivation made of
-- the clocks, and what was on the screen when.

-- By how much what a stream's stamps speak of really happens later than they say,
-- by how much that varies, and the measurement that it comes from. NULL: it was not
-- measured.
ALTER TABLE stream ADD COLUMN shift_ns INTEGER;
ALTER TABLE stream ADD COLUMN shift_err_ns INTEGER;
ALTER TABLE stream ADD COLUMN calibration TEXT NOT NULL DEFAULT '' CHECK (calibration = '' OR json_valid(calibration));

-- Clocks and statements belong to a derivation from now on, because a session may be
-- aligned again. All derivations of before were made with the clocks of sealing.
ALTER TABLE clock_model RENAME TO clock_model_4;
CREATE TABLE clock_model (
  session_id   TEXT NOT NULL,
  derivation   TEXT NOT NULL,
  stream       TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  epoch        INTEGER NOT NULL,
  tick0        INTEGER NOT NULL,
  at0_ns       INTEGER NOT NULL,
  ns_per_tick  REAL NOT NULL,
  until_tick   INTEGER NOT NULL,
  err_ns       INTEGER NOT NULL,
  PRIMARY KEY (session_id, derivation, stream, segment, n),
  FOREIGN KEY (session_id, derivation) REFERENCES derivation(session_id, name),
  FOREIGN KEY (session_id, segment, stream) REFERENCES stream(session_id, segment, id)
) STRICT, WITHOUT ROWID;
INSERT INTO clock_model
  SELECT m.session_id, d.name, m.stream, m.segment, m.n, m.epoch, m.tick0, m.at0_ns, m.ns_per_tick, m.until_tick, m.err_ns
  FROM clock_model_4 m JOIN derivation d ON d.session_id = m.session_id AND d.name <> 'live';
DROP TABLE clock_model_4;

ALTER TABLE quality RENAME TO quality_4;
CREATE TABLE quality (
  session_id   TEXT NOT NULL,
  derivation   TEXT NOT NULL,
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
  PRIMARY KEY (session_id, derivation, segment, stream),
  FOREIGN KEY (session_id, derivation) REFERENCES derivation(session_id, name),
  FOREIGN KEY (session_id, segment, stream) REFERENCES stream(session_id, segment, id)
) STRICT, WITHOUT ROWID;
INSERT INTO quality
  SELECT q.session_id, d.name, q.segment, q.stream, q.method, q.drift_ppm, q.jitter_ms, q.bound_ms,
         q.samples, q.lost, q.epochs, q.pings, q.usable_share
  FROM quality_4 q JOIN derivation d ON d.session_id = q.session_id AND d.name <> 'live';
DROP TABLE quality_4;

-- What was on the screen when: one row a showing, without holes and overlaps. The
-- key finds the showing at an instant: the last that begins not later.
CREATE TABLE displayed (
  session_id   TEXT NOT NULL,
  derivation   TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  from_ns      INTEGER NOT NULL,
  until_ns     INTEGER,
  err_ns       INTEGER NOT NULL,
  known        INTEGER NOT NULL CHECK (known IN (0, 1)),
  presentation INTEGER,
  frame        INTEGER,
  media_ns     INTEGER,
  skipped      INTEGER NOT NULL,
  unreported   INTEGER NOT NULL,
  cut_off      INTEGER NOT NULL CHECK (cut_off IN (0, 1)),
  PRIMARY KEY (session_id, derivation, segment, from_ns)
) STRICT, WITHOUT ROWID;

-- The samples with what was on the screen at their instant, by the derivation that
-- the view trace shows. As in the trace, what was cut off and began anew later is left
-- out, so that no second of a stimulus counts twice. One search of a key a sample.
CREATE VIEW eda_shown AS
  SELECT x.session_id, x.stream, x.segment, x.seq, x.epoch, x.tick, x.arrival_ns, x.at_ns, x.err_ns,
         x.raw, x.eda_us, x.eda_range, x.eda_hold,
         p.stimulus, d.presentation, d.frame, d.media_ns
  FROM session s
  JOIN eda_sample x ON x.session_id = s.id
  LEFT JOIN displayed d ON d.session_id = x.session_id AND d.derivation = s.trace_derivation AND d.segment = x.segment
    AND d.from_ns = (SELECT max(f.from_ns) FROM displayed f WHERE f.session_id = x.session_id
      AND f.derivation = s.trace_derivation AND f.segment = x.segment AND f.from_ns <= x.at_ns)
    AND d.cut_off = 0
  LEFT JOIN presentation p ON p.session_id = d.session_id AND p.number = d.presentation;

CREATE VIEW gaze_shown AS
  SELECT x.session_id, x.stream, x.segment, x.seq, x.epoch, x.tick, x.arrival_ns, x.at_ns, x.err_ns,
         x.gaze_x, x.gaze_y, x.gaze_valid, x.pupil_left_mm, x.pupil_right_mm,
         x.raw_x, x.raw_y, x.pupil_left_raw, x.pupil_right_raw,
         p.stimulus, d.presentation, d.frame, d.media_ns
  FROM session s
  JOIN gaze_sample x ON x.session_id = s.id
  LEFT JOIN displayed d ON d.session_id = x.session_id AND d.derivation = s.trace_derivation AND d.segment = x.segment
    AND d.from_ns = (SELECT max(f.from_ns) FROM displayed f WHERE f.session_id = x.session_id
      AND f.derivation = s.trace_derivation AND f.segment = x.segment AND f.from_ns <= x.at_ns)
    AND d.cut_off = 0
  LEFT JOIN presentation p ON p.session_id = d.session_id AND p.number = d.presentation;

CREATE VIEW light_shown AS
  SELECT x.session_id, x.stream, x.segment, x.seq, x.epoch, x.tick, x.arrival_ns, x.at_ns, x.err_ns,
         x.light_raw,
         p.stimulus, d.presentation, d.frame, d.media_ns
  FROM session s
  JOIN light_sample x ON x.session_id = s.id
  LEFT JOIN displayed d ON d.session_id = x.session_id AND d.derivation = s.trace_derivation AND d.segment = x.segment
    AND d.from_ns = (SELECT max(f.from_ns) FROM displayed f WHERE f.session_id = x.session_id
      AND f.derivation = s.trace_derivation AND f.segment = x.segment AND f.from_ns <= x.at_ns)
    AND d.cut_off = 0
  LEFT JOIN presentation p ON p.session_id = d.session_id AND p.number = d.presentation;

CREATE VIEW face_shown AS
  SELECT x.session_id, x.stream, x.segment, x.seq, x.epoch, x.tick, x.arrival_ns, x.at_ns, x.err_ns,
         x.face_found, x.face_confidence, x.box_x_px, x.box_y_px, x.box_w_px, x.box_h_px,
         x.p_neutral, x.p_happy, x.p_sad, x.p_angry, x.p_fearful, x.p_disgusted, x.p_surprised,
         x.valence, x.arousal, x.landmarks,
         x.face_tracked, x.faces, x.frame_w_px, x.frame_h_px, x.luma_face, x.luma_around,
         x.face_clipped, x.face_sharpness, x.mouth_cover,
         p.stimulus, d.presentation, d.frame, d.media_ns
  FROM session s
  JOIN face_frame x ON x.session_id = s.id
  LEFT JOIN displayed d ON d.session_id = x.session_id AND d.derivation = s.trace_derivation AND d.segment = x.segment
    AND d.from_ns = (SELECT max(f.from_ns) FROM displayed f WHERE f.session_id = x.session_id
      AND f.derivation = s.trace_derivation AND f.segment = x.segment AND f.from_ns <= x.at_ns)
    AND d.cut_off = 0
  LEFT JOIN presentation p ON p.session_id = d.session_id AND p.number = d.presentation;

-- clock_model
CREATE TRIGGER clock_model_enter BEFORE INSERT ON clock_model
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id
    AND (derivation = NEW.derivation OR (segment = NEW.segment AND stream = NEW.stream)))
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER clock_model_derived BEFORE UPDATE ON clock_model
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER clock_model_kept BEFORE DELETE ON clock_model
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- quality
CREATE TRIGGER quality_enter BEFORE INSERT ON quality
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id
    AND (derivation = NEW.derivation OR (segment = NEW.segment AND stream = NEW.stream)))
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER quality_derived BEFORE UPDATE ON quality
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER quality_kept BEFORE DELETE ON quality
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- displayed
CREATE TRIGGER displayed_enter BEFORE INSERT ON displayed
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER displayed_derived BEFORE UPDATE ON displayed
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER displayed_kept BEFORE DELETE ON displayed
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
