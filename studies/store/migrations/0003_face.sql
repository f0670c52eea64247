-- The face as an instrument: what the camera saw of the face besides the
-- expression, what is derived from its landmarks, what of it the participant
-- agreed to keep, and deriving a sealed session again beside the old rows.

ALTER TABLE stream ADD COLUMN model TEXT NOT NULL DEFAULT '';
ALTER TABLE stream ADD COLUMN frames_of TEXT NOT NULL DEFAULT '';

ALTER TABLE face_frame ADD COLUMN face_tracked INTEGER;
ALTER TABLE face_frame ADD COLUMN faces INTEGER;
ALTER TABLE face_frame ADD COLUMN frame_w_px INTEGER;
ALTER TABLE face_frame ADD COLUMN frame_h_px INTEGER;
ALTER TABLE face_frame ADD COLUMN luma_face REAL;
ALTER TABLE face_frame ADD COLUMN luma_around REAL;
ALTER TABLE face_frame ADD COLUMN face_clipped REAL;
ALTER TABLE face_frame ADD COLUMN face_sharpness REAL;
ALTER TABLE face_frame ADD COLUMN mouth_cover REAL;

ALTER TABLE trace_row ADD COLUMN yaw_deg REAL;
ALTER TABLE trace_row ADD COLUMN pitch_deg REAL;
ALTER TABLE trace_row ADD COLUMN roll_deg REAL;
ALTER TABLE trace_row ADD COLUMN pose_residual REAL;
ALTER TABLE trace_row ADD COLUMN face_height_px REAL;
ALTER TABLE trace_row ADD COLUMN ear_right REAL;
ALTER TABLE trace_row ADD COLUMN ear_left REAL;
ALTER TABLE trace_row ADD COLUMN au01 REAL;
ALTER TABLE trace_row ADD COLUMN au02 REAL;
ALTER TABLE trace_row ADD COLUMN au04 REAL;
ALTER TABLE trace_row ADD COLUMN au05 REAL;
ALTER TABLE trace_row ADD COLUMN au06 REAL;
ALTER TABLE trace_row ADD COLUMN au07 REAL;
ALTER TABLE trace_row ADD COLUMN au09 REAL;
ALTER TABLE trace_row ADD COLUMN au10 REAL;
ALTER TABLE trace_row ADD COLUMN au12 REAL;
ALTER TABLE trace_row ADD COLUMN au14 REAL;
ALTER TABLE trace_row ADD COLUMN au15 REAL;
ALTER TABLE trace_row ADD COLUMN au17 REAL;
ALTER TABLE trace_row ADD COLUMN au20 REAL;
ALTER TABLE trace_row ADD COLUMN au23 REAL;
ALTER TABLE trace_row ADD COLUMN au24 REAL;
ALTER TABLE trace_row ADD COLUMN au25 REAL;
ALTER TABLE trace_row ADD COLUMN au26 REAL;
ALTER TABLE trace_row ADD COLUMN au43 REAL;
ALTER TABLE trace_row ADD COLUMN au45 INTEGER;
ALTER TABLE trace_row ADD COLUMN emfacs_happy REAL;
ALTER TABLE trace_row ADD COLUMN emfacs_sad REAL;
ALTER TABLE trace_row ADD COLUMN emfacs_angry REAL;
ALTER TABLE trace_row ADD COLUMN emfacs_fearful REAL;
ALTER TABLE trace_row ADD COLUMN emfacs_disgusted REAL;
ALTER TABLE trace_row ADD COLUMN emfacs_surprised REAL;
ALTER TABLE trace_row ADD COLUMN emfacs_agreement REAL;

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
         r.gaze_x, r.gaze_y, r.gaze_valid, r.pupil_mm,
         r.eda_us, r.scl_us, r.scr_us, r.scr_onset, r.quality
  FROM session s
  JOIN trace_row r ON r.session_id = s.id AND r.derivation = s.trace_derivation
  JOIN segment g ON g.session_id = r.session_id AND g.number = r.segment
  LEFT JOIN presentation p ON p.session_id = r.session_id AND p.number = r.presentation;

CREATE TABLE face_event (
  session_id   TEXT NOT NULL,
  derivation   TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('blink', 'bout')),
  label        TEXT NOT NULL,
  onset_ns     INTEGER NOT NULL,
  offset_ns    INTEGER NOT NULL,
  peak         REAL,
  mean         REAL,
  PRIMARY KEY (session_id, derivation, segment, n),
  FOREIGN KEY (session_id, derivation) REFERENCES derivation(session_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE calibration (
  session_id   TEXT NOT NULL,
  derivation   TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('neutral')),
  value        TEXT NOT NULL CHECK (json_valid(value)),
  residual     REAL,
  from_ns      INTEGER NOT NULL,
  until_ns     INTEGER NOT NULL,
  software     TEXT NOT NULL,
  created_utc  TEXT NOT NULL,
  PRIMARY KEY (session_id, derivation, kind),
  FOREIGN KEY (session_id, derivation) REFERENCES derivation(session_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE consent (
  session_id   TEXT NOT NULL,
  n            INTEGER NOT NULL,
  segment      INTEGER NOT NULL,
  scope        TEXT NOT NULL,
  granted      INTEGER NOT NULL CHECK (granted IN (0, 1)),
  text_sha256  TEXT NOT NULL,
  language     TEXT NOT NULL,
  at_ns        INTEGER NOT NULL,
  at_utc       TEXT NOT NULL,
  how          TEXT NOT NULL,
  PRIMARY KEY (session_id, n),
  FOREIGN KEY (session_id, segment) REFERENCES segment(session_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE video (
  session_id   TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  file         TEXT NOT NULL,
  from_ns      INTEGER NOT NULL,
  until_ns     INTEGER NOT NULL,
  frames       INTEGER NOT NULL,
  bytes        INTEGER NOT NULL,
  sha256       TEXT NOT NULL,
  PRIMARY KEY (session_id, segment, n),
  FOREIGN KEY (session_id, segment) REFERENCES segment(session_id, number)
) STRICT, WITHOUT ROWID;

-- A row opens one new derivation or one new face stream of a sealed session for
-- rows to come in. It is in force within one transaction only and can never be
-- committed: its last column refers, checked at the commit, to a row of the audit
-- that does not exist. What exists already cannot be opened.
CREATE TABLE reprocess (
  session_id   TEXT NOT NULL REFERENCES session(id),
  derivation   TEXT NOT NULL DEFAULT '',
  segment      INTEGER NOT NULL DEFAULT -1,
  stream       TEXT NOT NULL DEFAULT '',
  never        INTEGER NOT NULL DEFAULT 0 CHECK (never = 0) REFERENCES audit(n) DEFERRABLE INITIALLY DEFERRED,
  PRIMARY KEY (session_id, derivation, segment, stream)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER reprocess_sealed BEFORE INSERT ON reprocess
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'sealed'
BEGIN SELECT RAISE(ABORT, 'only a sealed session is derived again'); END;
CREATE TRIGGER reprocess_derivation BEFORE INSERT ON reprocess
WHEN EXISTS (SELECT 1 FROM derivation WHERE session_id = NEW.session_id AND name = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the derivation exists already: it is read-only'); END;
CREATE TRIGGER reprocess_stream BEFORE INSERT ON reprocess
WHEN EXISTS (SELECT 1 FROM stream WHERE session_id = NEW.session_id AND segment = NEW.segment AND id = NEW.stream)
BEGIN SELECT RAISE(ABORT, 'the stream exists already: it is read-only'); END;
CREATE TRIGGER reprocess_kept BEFORE UPDATE ON reprocess
BEGIN SELECT RAISE(ABORT, 'what is opened is closed, not changed'); END;

-- derivation
DROP TRIGGER derivation_enter;
CREATE TRIGGER derivation_enter BEFORE INSERT ON derivation
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.name)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- trace_row
DROP TRIGGER trace_row_enter;
CREATE TRIGGER trace_row_enter BEFORE INSERT ON trace_row
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- eda_response
DROP TRIGGER eda_response_enter;
CREATE TRIGGER eda_response_enter BEFORE INSERT ON eda_response
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- face_event
CREATE TRIGGER face_event_enter BEFORE INSERT ON face_event
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER face_event_derived BEFORE UPDATE ON face_event
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER face_event_kept BEFORE DELETE ON face_event
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

-- stream
DROP TRIGGER stream_enter;
CREATE TRIGGER stream_enter BEFORE INSERT ON stream
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND segment = NEW.segment AND stream = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- clock_model
DROP TRIGGER clock_model_enter;
CREATE TRIGGER clock_model_enter BEFORE INSERT ON clock_model
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND segment = NEW.segment AND stream = NEW.stream)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- quality
DROP TRIGGER quality_enter;
CREATE TRIGGER quality_enter BEFORE INSERT ON quality
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND segment = NEW.segment AND stream = NEW.stream)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- face_frame
DROP TRIGGER face_frame_enter;
CREATE TRIGGER face_frame_enter BEFORE INSERT ON face_frame
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'recording'
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND segment = NEW.segment AND stream = NEW.stream)
BEGIN SELECT RAISE(ABORT, 'samples enter only while their session records'); END;
DROP TRIGGER face_frame_observed;
CREATE TRIGGER face_frame_observed BEFORE UPDATE OF session_id, stream, segment, seq, epoch, tick, arrival_ns,
    face_found, face_confidence, box_x_px, box_y_px, box_w_px, box_h_px,
    p_neutral, p_happy, p_sad, p_angry, p_fearful, p_disgusted, p_surprised, valence, arousal, landmarks,
    face_tracked, faces, frame_w_px, frame_h_px, luma_face, luma_around, face_clipped, face_sharpness, mouth_cover ON face_frame
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;

-- consent: a no may come at any time
CREATE TRIGGER consent_enter BEFORE INSERT ON consent
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed') AND NEW.granted <> 0
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER consent_observed BEFORE UPDATE ON consent
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER consent_kept BEFORE DELETE ON consent
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- video
CREATE TRIGGER video_enter BEFORE INSERT ON video
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER video_observed BEFORE UPDATE ON video
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER video_kept BEFORE DELETE ON video
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- session: which derivation the view shows may change, and nothing else
DROP TRIGGER session_derived;
CREATE TRIGGER session_derived BEFORE UPDATE OF id, study_hash, participant, plan_row, plan, reached_step, state, reason,
    simulated, software, started_utc, ended_utc ON session
WHEN OLD.state IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER session_shown BEFORE UPDATE OF trace_derivation ON session
WHEN OLD.state IN ('sealed', 'failed') AND NOT (
  EXISTS (SELECT 1 FROM reprocess WHERE session_id = OLD.id)
  AND EXISTS (SELECT 1 FROM derivation WHERE session_id = OLD.id AND name = NEW.trace_derivation))
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
