-- The participant's path: what was read and answered, who takes part in which order,
-- which sessions count, and how everything of a participant is taken back.
--
-- Two tables are made anew under their names, because SQLite cannot change a CHECK or
-- a NOT NULL. What refers to them is looked at again when the step is over.

CREATE TEMP TABLE session_6 AS SELECT * FROM session;
DROP TABLE session;
CREATE TABLE session (
  id               TEXT PRIMARY KEY,
  study_hash       TEXT NOT NULL REFERENCES study(hash),
  participant      TEXT NOT NULL REFERENCES participant(code),
  plan_row         INTEGER NOT NULL,
  plan             TEXT NOT NULL CHECK (json_valid(plan)),
  reached_step     INTEGER NOT NULL,
  state            TEXT NOT NULL CHECK (state IN ('prepared', 'declined', 'recording', 'recovered', 'failed', 'sealed')),
  reason           TEXT NOT NULL,
  simulated        INTEGER NOT NULL CHECK (simulated IN (0, 1)),
  trace_derivation TEXT NOT NULL,
  software         TEXT NOT NULL,
  started_utc      TEXT NOT NULL,
  ended_utc        TEXT,
  run              INTEGER NOT NULL CHECK (run > 0),
  usable           INTEGER CHECK (usable IN (0, 1)),
  usable_why       TEXT NOT NULL DEFAULT '',
  judged_by        TEXT NOT NULL DEFAULT '' CHECK (judged_by IN ('', 'rules', 'person'))
) STRICT, WITHOUT ROWID;
INSERT INTO session (id, study_hash, participant, plan_row, plan, reached_step, state, reason, simulated, trace_derivation, software, started_utc, ended_utc, run)
  SELECT *, row_number() OVER (PARTITION BY participant ORDER BY started_utc, id) FROM session_6;
DROP TABLE session_6;
CREATE INDEX session_participant ON session(participant);

CREATE TEMP TABLE consent_6 AS SELECT * FROM consent;
DROP TABLE consent;
CREATE TABLE consent (
  session_id   TEXT NOT NULL REFERENCES session(id),
  n            INTEGER NOT NULL,
  segment      INTEGER,
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
INSERT INTO consent SELECT * FROM consent_6;
DROP TABLE consent_6;

-- What the study wants to be known of a session, and which of its versions this is.
ALTER TABLE study ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE study ADD COLUMN rules TEXT NOT NULL DEFAULT '' CHECK (rules = '' OR json_valid(rules));
ALTER TABLE study ADD COLUMN primary_indicators TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(primary_indicators));
ALTER TABLE study ADD COLUMN locked_utc TEXT;
ALTER TABLE study ADD COLUMN sheets TEXT NOT NULL DEFAULT '' CHECK (sheets = '' OR json_valid(sheets));

ALTER TABLE stimulus ADD COLUMN role TEXT NOT NULL DEFAULT '' CHECK (role IN ('', 'filler'));
ALTER TABLE stimulus ADD COLUMN fps_hz REAL;

ALTER TABLE participant ADD COLUMN bands TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(bands));

ALTER TABLE export ADD COLUMN recipient TEXT NOT NULL DEFAULT '';
ALTER TABLE export ADD COLUMN stale TEXT NOT NULL DEFAULT '';

ALTER TABLE audit ADD COLUMN participant TEXT NOT NULL DEFAULT '';

-- Facts about the file of a video and not about a session: it is known by its hash.
CREATE TABLE stimulus_measure (
  sha256         TEXT PRIMARY KEY,
  fps_hz         REAL,
  loudness_lufs  REAL,
  true_peak_dbtp REAL,
  luminance_mean REAL,
  cuts           TEXT CHECK (json_valid(cuts)),
  audio          INTEGER CHECK (audio IN (0, 1)),
  codec          TEXT,
  flashes        INTEGER,
  flashes_at_s   REAL,
  measured_with  TEXT NOT NULL,
  at_utc         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What participants read, once for all of them.
CREATE TABLE text (
  sha256       TEXT PRIMARY KEY,
  language     TEXT NOT NULL,
  words        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE step (
  session_id   TEXT NOT NULL REFERENCES session(id),
  segment      INTEGER,
  n            INTEGER NOT NULL,
  step         INTEGER NOT NULL,
  action       TEXT NOT NULL,
  at_ns        INTEGER,
  PRIMARY KEY (session_id, n),
  FOREIGN KEY (session_id, segment) REFERENCES segment(session_id, number)
) STRICT, WITHOUT ROWID;

-- One row for each sheet that was answered (item is empty), and one for each of its
-- values.
CREATE TABLE answer (
  session_id   TEXT NOT NULL REFERENCES session(id),
  n            INTEGER NOT NULL,
  segment      INTEGER,
  step         INTEGER NOT NULL,
  sheet        TEXT NOT NULL,
  kind         TEXT NOT NULL,
  item         TEXT NOT NULL,
  value        TEXT NOT NULL,
  number       REAL,
  stimulus     TEXT NOT NULL,
  presentation INTEGER,
  response_ms  REAL,
  language     TEXT NOT NULL,
  text_sha256  TEXT NOT NULL,
  at_ns        INTEGER,
  at_utc       TEXT NOT NULL,
  how          TEXT NOT NULL,
  PRIMARY KEY (session_id, n, item),
  FOREIGN KEY (session_id, segment) REFERENCES segment(session_id, number)
) STRICT, WITHOUT ROWID;

-- The latest answer to each step: what began anew after a pause was answered again.
CREATE VIEW rating AS
  SELECT a.session_id, s.participant, a.stimulus, a.presentation, a.sheet, a.item, a.value, a.number, a.response_ms,
         a.segment, a.step, a.at_ns
  FROM answer a JOIN session s ON s.id = a.session_id
  WHERE a.kind = 'rating' AND a.item <> ''
    AND a.n = (SELECT max(b.n) FROM answer b WHERE b.session_id = a.session_id AND b.step = a.step);

CREATE TABLE usable (
  session_id   TEXT NOT NULL,
  derivation   TEXT NOT NULL,
  presentation INTEGER NOT NULL,
  modality     TEXT NOT NULL CHECK (modality IN ('face', 'gaze', 'eda')),
  seconds      REAL NOT NULL,
  usable_s     REAL NOT NULL,
  share        REAL NOT NULL,
  PRIMARY KEY (session_id, derivation, presentation, modality),
  FOREIGN KEY (session_id, derivation) REFERENCES derivation(session_id, name)
) STRICT, WITHOUT ROWID;

-- By what a participant may take everything back. Who has the file cannot make the
-- code of it: the hash is keyed, and the key is kept elsewhere.
CREATE TABLE withdrawable (
  session_id   TEXT NOT NULL REFERENCES session(id),
  n            INTEGER NOT NULL,
  code_hash    TEXT NOT NULL UNIQUE,
  PRIMARY KEY (session_id, n)
) STRICT, WITHOUT ROWID;

-- What is left of what was erased.
CREATE TABLE tombstone (
  n            INTEGER PRIMARY KEY,
  class        TEXT NOT NULL CHECK (class IN ('participant', 'face_video', 'traces')),
  code_hash    TEXT NOT NULL,
  at_utc       TEXT NOT NULL,
  sessions     INTEGER NOT NULL,
  rows         INTEGER NOT NULL,
  files        INTEGER NOT NULL,
  bytes        INTEGER NOT NULL,
  recipients   TEXT NOT NULL CHECK (json_valid(recipients)),
  scrubbed_utc TEXT
) STRICT;
CREATE INDEX tombstone_code ON tombstone(code_hash);

-- A row lets the rows of one session be deleted, closed or not. It refers to the
-- tombstone that stays, is in force within one transaction only, and can never be
-- committed: see reprocess.
CREATE TABLE erasing (
  session_id   TEXT PRIMARY KEY,
  tombstone    INTEGER NOT NULL REFERENCES tombstone(n),
  never        INTEGER NOT NULL DEFAULT 0 CHECK (never = 0) REFERENCES audit(n) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

-- text, tombstone
CREATE TRIGGER text_observed BEFORE UPDATE ON text
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER tombstone_observed BEFORE UPDATE OF n, class, code_hash, at_utc, sessions, files, bytes, recipients ON tombstone
BEGIN SELECT RAISE(ABORT, 'a tombstone is never rewritten'); END;
CREATE TRIGGER tombstone_counted BEFORE UPDATE OF rows ON tombstone
WHEN NOT EXISTS (SELECT 1 FROM erasing WHERE tombstone = OLD.n)
BEGIN SELECT RAISE(ABORT, 'a tombstone is never rewritten'); END;
CREATE TRIGGER tombstone_kept BEFORE DELETE ON tombstone
BEGIN SELECT RAISE(ABORT, 'a tombstone is never removed'); END;

-- session: of a closed one may change which derivation the view shows, and, each after a
-- row of the audit that says so, whose it is and what it counts for
CREATE TRIGGER session_derived BEFORE UPDATE OF id, study_hash, plan_row, plan, reached_step, state, reason,
    simulated, software, started_utc, ended_utc ON session
WHEN OLD.state IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER session_shown BEFORE UPDATE OF trace_derivation ON session
WHEN OLD.state IN ('sealed', 'failed', 'declined') AND NOT (
  EXISTS (SELECT 1 FROM reprocess WHERE session_id = OLD.id)
  AND EXISTS (SELECT 1 FROM derivation WHERE session_id = OLD.id AND name = NEW.trace_derivation))
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER session_moved BEFORE UPDATE OF participant, run ON session
WHEN NOT EXISTS (SELECT 1 FROM audit WHERE n = (SELECT max(n) FROM audit) AND session_id = OLD.id
  AND action = 'move' AND participant = NEW.participant)
BEGIN SELECT RAISE(ABORT, 'a session is moved after a row of the audit that says so'); END;
CREATE TRIGGER session_judged BEFORE UPDATE OF usable, usable_why, judged_by ON session
WHEN OLD.state IN ('sealed', 'failed', 'declined') AND NOT EXISTS (
  SELECT 1 FROM audit WHERE n = (SELECT max(n) FROM audit) AND session_id = OLD.id AND action = 'judge')
BEGIN SELECT RAISE(ABORT, 'a closed session is judged after a row of the audit that says so'); END;
CREATE TRIGGER session_kept BEFORE DELETE ON session
WHEN OLD.state IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- study: only when its primary indicators were locked is written later, and once
DROP TRIGGER study_kept;
CREATE TRIGGER study_kept BEFORE UPDATE OF hash, id, title, seed, canonical, first_utc, version, rules, primary_indicators ON study
BEGIN SELECT RAISE(ABORT, 'a study file that was used is never rewritten'); END;
CREATE TRIGGER study_locked BEFORE UPDATE OF locked_utc ON study
WHEN OLD.locked_utc IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'primary indicators are locked once'); END;

-- consent: a no may come at any time
CREATE TRIGGER consent_enter BEFORE INSERT ON consent
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined') AND NEW.granted <> 0
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER consent_observed BEFORE UPDATE ON consent
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER consent_kept BEFORE DELETE ON consent
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- step, answer
CREATE TRIGGER step_enter BEFORE INSERT ON step
WHEN coalesce((SELECT state FROM session WHERE id = NEW.session_id), '') NOT IN ('prepared', 'recording')
BEGIN SELECT RAISE(ABORT, 'steps are noted only while their session runs'); END;
CREATE TRIGGER step_observed BEFORE UPDATE ON step
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER step_kept BEFORE DELETE ON step
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER answer_enter BEFORE INSERT ON answer
WHEN coalesce((SELECT state FROM session WHERE id = NEW.session_id), '') NOT IN ('prepared', 'recording')
BEGIN SELECT RAISE(ABORT, 'answers are kept only while their session runs'); END;
CREATE TRIGGER answer_observed BEFORE UPDATE ON answer
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER answer_kept BEFORE DELETE ON answer
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- withdrawable
CREATE TRIGGER withdrawable_enter BEFORE INSERT ON withdrawable
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER withdrawable_derived BEFORE UPDATE ON withdrawable
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER withdrawable_kept BEFORE DELETE ON withdrawable
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- usable
CREATE TRIGGER usable_enter BEFORE INSERT ON usable
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER usable_derived BEFORE UPDATE ON usable
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER usable_kept BEFORE DELETE ON usable
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- All other tables of a session: the rows of one that was declined are read-only too, and
-- those of one that is being erased may be deleted.

-- eda_sample
DROP TRIGGER eda_sample_derived;
CREATE TRIGGER eda_sample_derived BEFORE UPDATE OF at_ns, err_ns ON eda_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER eda_sample_kept;
CREATE TRIGGER eda_sample_kept BEFORE DELETE ON eda_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- gaze_sample
DROP TRIGGER gaze_sample_derived;
CREATE TRIGGER gaze_sample_derived BEFORE UPDATE OF at_ns, err_ns ON gaze_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER gaze_sample_kept;
CREATE TRIGGER gaze_sample_kept BEFORE DELETE ON gaze_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- face_frame
DROP TRIGGER face_frame_derived;
CREATE TRIGGER face_frame_derived BEFORE UPDATE OF at_ns, err_ns ON face_frame
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER face_frame_kept;
CREATE TRIGGER face_frame_kept BEFORE DELETE ON face_frame
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- stimulus_frame
DROP TRIGGER stimulus_frame_derived;
CREATE TRIGGER stimulus_frame_derived BEFORE UPDATE OF at_ns, err_ns ON stimulus_frame
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER stimulus_frame_kept;
CREATE TRIGGER stimulus_frame_kept BEFORE DELETE ON stimulus_frame
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- event
DROP TRIGGER event_kept;
CREATE TRIGGER event_kept BEFORE DELETE ON event
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- clock_probe
DROP TRIGGER clock_probe_kept;
CREATE TRIGGER clock_probe_kept BEFORE DELETE ON clock_probe
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- segment
DROP TRIGGER segment_enter;
CREATE TRIGGER segment_enter BEFORE INSERT ON segment
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER segment_derived;
CREATE TRIGGER segment_derived BEFORE UPDATE ON segment
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER segment_kept;
CREATE TRIGGER segment_kept BEFORE DELETE ON segment
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- stream
DROP TRIGGER stream_derived;
CREATE TRIGGER stream_derived BEFORE UPDATE ON stream
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER stream_kept;
CREATE TRIGGER stream_kept BEFORE DELETE ON stream
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER stream_enter;
CREATE TRIGGER stream_enter BEFORE INSERT ON stream
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND segment = NEW.segment AND stream = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- presentation
DROP TRIGGER presentation_enter;
CREATE TRIGGER presentation_enter BEFORE INSERT ON presentation
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER presentation_derived;
CREATE TRIGGER presentation_derived BEFORE UPDATE ON presentation
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER presentation_kept;
CREATE TRIGGER presentation_kept BEFORE DELETE ON presentation
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- gap
DROP TRIGGER gap_enter;
CREATE TRIGGER gap_enter BEFORE INSERT ON gap
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER gap_derived;
CREATE TRIGGER gap_derived BEFORE UPDATE ON gap
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER gap_kept;
CREATE TRIGGER gap_kept BEFORE DELETE ON gap
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- derivation
DROP TRIGGER derivation_derived;
CREATE TRIGGER derivation_derived BEFORE UPDATE ON derivation
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER derivation_kept;
CREATE TRIGGER derivation_kept BEFORE DELETE ON derivation
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER derivation_enter;
CREATE TRIGGER derivation_enter BEFORE INSERT ON derivation
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.name)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- eda_response
DROP TRIGGER eda_response_kept;
CREATE TRIGGER eda_response_kept BEFORE DELETE ON eda_response
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER eda_response_enter;
CREATE TRIGGER eda_response_enter BEFORE INSERT ON eda_response
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER eda_response_derived;
CREATE TRIGGER eda_response_derived BEFORE UPDATE ON eda_response
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- trace_row
DROP TRIGGER trace_row_derived;
CREATE TRIGGER trace_row_derived BEFORE UPDATE ON trace_row
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER trace_row_kept;
CREATE TRIGGER trace_row_kept BEFORE DELETE ON trace_row
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER trace_row_enter;
CREATE TRIGGER trace_row_enter BEFORE INSERT ON trace_row
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- audit
DROP TRIGGER audit_kept;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM erasing)
BEGIN SELECT RAISE(ABORT, 'the audit is never rewritten'); END;

-- face_event
DROP TRIGGER face_event_enter;
CREATE TRIGGER face_event_enter BEFORE INSERT ON face_event
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER face_event_derived;
CREATE TRIGGER face_event_derived BEFORE UPDATE ON face_event
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER face_event_kept;
CREATE TRIGGER face_event_kept BEFORE DELETE ON face_event
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- video
DROP TRIGGER video_enter;
CREATE TRIGGER video_enter BEFORE INSERT ON video
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER video_kept;
CREATE TRIGGER video_kept BEFORE DELETE ON video
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- light_sample
DROP TRIGGER light_sample_derived;
CREATE TRIGGER light_sample_derived BEFORE UPDATE OF at_ns, err_ns ON light_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER light_sample_kept;
CREATE TRIGGER light_sample_kept BEFORE DELETE ON light_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- trigger_sample
DROP TRIGGER trigger_sample_derived;
CREATE TRIGGER trigger_sample_derived BEFORE UPDATE OF at_ns, err_ns ON trigger_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER trigger_sample_kept;
CREATE TRIGGER trigger_sample_kept BEFORE DELETE ON trigger_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- clock_model
DROP TRIGGER clock_model_enter;
CREATE TRIGGER clock_model_enter BEFORE INSERT ON clock_model
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id
    AND (derivation = NEW.derivation OR (segment = NEW.segment AND stream = NEW.stream)))
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER clock_model_derived;
CREATE TRIGGER clock_model_derived BEFORE UPDATE ON clock_model
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER clock_model_kept;
CREATE TRIGGER clock_model_kept BEFORE DELETE ON clock_model
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- quality
DROP TRIGGER quality_enter;
CREATE TRIGGER quality_enter BEFORE INSERT ON quality
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id
    AND (derivation = NEW.derivation OR (segment = NEW.segment AND stream = NEW.stream)))
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER quality_derived;
CREATE TRIGGER quality_derived BEFORE UPDATE ON quality
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER quality_kept;
CREATE TRIGGER quality_kept BEFORE DELETE ON quality
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- displayed
DROP TRIGGER displayed_enter;
CREATE TRIGGER displayed_enter BEFORE INSERT ON displayed
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER displayed_derived;
CREATE TRIGGER displayed_derived BEFORE UPDATE ON displayed
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER displayed_kept;
CREATE TRIGGER displayed_kept BEFORE DELETE ON displayed
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- gaze_target
DROP TRIGGER gaze_target_kept;
CREATE TRIGGER gaze_target_kept BEFORE DELETE ON gaze_target
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- decision
DROP TRIGGER decision_kept;
CREATE TRIGGER decision_kept BEFORE DELETE ON decision
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- calibration
DROP TRIGGER calibration_enter;
CREATE TRIGGER calibration_enter BEFORE INSERT ON calibration
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER calibration_derived;
CREATE TRIGGER calibration_derived BEFORE UPDATE ON calibration
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER calibration_kept;
CREATE TRIGGER calibration_kept BEFORE DELETE ON calibration
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- eye_event
DROP TRIGGER eye_event_enter;
CREATE TRIGGER eye_event_enter BEFORE INSERT ON eye_event
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER eye_event_derived;
CREATE TRIGGER eye_event_derived BEFORE UPDATE ON eye_event
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER eye_event_kept;
CREATE TRIGGER eye_event_kept BEFORE DELETE ON eye_event
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- eda_summary
DROP TRIGGER eda_summary_enter;
CREATE TRIGGER eda_summary_enter BEFORE INSERT ON eda_summary
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM reprocess WHERE session_id = NEW.session_id AND derivation = NEW.derivation)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER eda_summary_derived;
CREATE TRIGGER eda_summary_derived BEFORE UPDATE ON eda_summary
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
DROP TRIGGER eda_summary_kept;
CREATE TRIGGER eda_summary_kept BEFORE DELETE ON eda_summary
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
