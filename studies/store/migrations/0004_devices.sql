-- More devices: the photodiode and trigger codes, what more an amplifier and an
-- eye tracker say of a reading, and several devices of one kind.

-- The place of a stream in the lab's order. Streams of older sessions share place
-- 0 and are told apart by their ids, as they were then.
ALTER TABLE stream ADD COLUMN place INTEGER NOT NULL DEFAULT 0;

ALTER TABLE eda_sample ADD COLUMN eda_range INTEGER;
ALTER TABLE eda_sample ADD COLUMN eda_hold INTEGER;

ALTER TABLE gaze_sample ADD COLUMN raw_x REAL;
ALTER TABLE gaze_sample ADD COLUMN raw_y REAL;
ALTER TABLE gaze_sample ADD COLUMN pupil_left_raw REAL;
ALTER TABLE gaze_sample ADD COLUMN pupil_right_raw REAL;

CREATE TABLE light_sample (
  session_id   TEXT NOT NULL,
  stream       TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  seq          INTEGER NOT NULL,
  epoch        INTEGER NOT NULL,
  tick         INTEGER NOT NULL,
  arrival_ns   INTEGER NOT NULL,
  at_ns        INTEGER NOT NULL,
  err_ns       INTEGER NOT NULL,
  light_raw    REAL,
  PRIMARY KEY (session_id, stream, segment, seq)
) WITHOUT ROWID;

CREATE TABLE trigger_sample (
  session_id   TEXT NOT NULL,
  stream       TEXT NOT NULL,
  segment      INTEGER NOT NULL,
  seq          INTEGER NOT NULL,
  epoch        INTEGER NOT NULL,
  tick         INTEGER NOT NULL,
  arrival_ns   INTEGER NOT NULL,
  at_ns        INTEGER NOT NULL,
  err_ns       INTEGER NOT NULL,
  code         INTEGER,
  lag_ms       REAL,
  PRIMARY KEY (session_id, stream, segment, seq)
) WITHOUT ROWID;

-- Until now responses were found in one stream only, the first of its segment.
ALTER TABLE eda_response ADD COLUMN stream TEXT NOT NULL DEFAULT '';
DROP TRIGGER eda_response_derived;
UPDATE eda_response SET stream = coalesce((SELECT min(t.id) FROM stream t
  WHERE t.session_id = eda_response.session_id AND t.segment = eda_response.segment AND t.kind = 'eda'), '');
CREATE TRIGGER eda_response_derived BEFORE UPDATE ON eda_response
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- eda_sample
DROP TRIGGER eda_sample_observed;
CREATE TRIGGER eda_sample_observed BEFORE UPDATE OF session_id, stream, segment, seq, epoch, tick, arrival_ns,
    raw, eda_us, eda_range, eda_hold ON eda_sample
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;

-- gaze_sample
DROP TRIGGER gaze_sample_observed;
CREATE TRIGGER gaze_sample_observed BEFORE UPDATE OF session_id, stream, segment, seq, epoch, tick, arrival_ns,
    gaze_x, gaze_y, gaze_valid, pupil_left_mm, pupil_right_mm, raw_x, raw_y, pupil_left_raw, pupil_right_raw ON gaze_sample
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;

-- light_sample
CREATE TRIGGER light_sample_enter BEFORE INSERT ON light_sample
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'recording'
BEGIN SELECT RAISE(ABORT, 'samples enter only while their session records'); END;
CREATE TRIGGER light_sample_observed BEFORE UPDATE OF session_id, stream, segment, seq, epoch, tick, arrival_ns,
    light_raw ON light_sample
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER light_sample_derived BEFORE UPDATE OF at_ns, err_ns ON light_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER light_sample_kept BEFORE DELETE ON light_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- trigger_sample
CREATE TRIGGER trigger_sample_enter BEFORE INSERT ON trigger_sample
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'recording'
BEGIN SELECT RAISE(ABORT, 'samples enter only while their session records'); END;
CREATE TRIGGER trigger_sample_observed BEFORE UPDATE OF session_id, stream, segment, seq, epoch, tick, arrival_ns,
    code, lag_ms ON trigger_sample
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER trigger_sample_derived BEFORE UPDATE OF at_ns, err_ns ON trigger_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER trigger_sample_kept BEFORE DELETE ON trigger_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
