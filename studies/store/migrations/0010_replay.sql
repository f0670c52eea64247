-- What is said of a session when it is over: annotations of its participant's data, and
-- areas of interest on its stimuli. Neither touches what was recorded, and neither is
-- ever changed: another row is added. Also: who had something done, and which showings
-- of a stimulus are repeats.

CREATE TABLE annotation (
  session_id   TEXT NOT NULL REFERENCES session(id),
  n            INTEGER NOT NULL CHECK (n > 0),
  segment      INTEGER NOT NULL,
  from_ns      INTEGER NOT NULL,
  until_ns     INTEGER CHECK (until_ns >= from_ns),
  label        TEXT NOT NULL CHECK (label <> '' OR text <> ''),
  text         TEXT NOT NULL,
  made_by      TEXT NOT NULL,
  made_utc     TEXT NOT NULL,
  removed_by   TEXT,
  removed_utc  TEXT,
  PRIMARY KEY (session_id, n),
  FOREIGN KEY (session_id, segment) REFERENCES segment(session_id, number),
  CHECK ((removed_by IS NULL) = (removed_utc IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER annotation_enter BEFORE INSERT ON annotation
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('prepared', 'declined')
BEGIN SELECT RAISE(ABORT, 'nothing of this session was recorded that could be annotated'); END;
CREATE TRIGGER annotation_said BEFORE UPDATE OF session_id, n, segment, from_ns, until_ns, label, text, made_by, made_utc ON annotation
BEGIN SELECT RAISE(ABORT, 'an annotation is never rewritten: remove it and make another'); END;
CREATE TRIGGER annotation_removed BEFORE UPDATE OF removed_by, removed_utc ON annotation
WHEN OLD.removed_utc IS NOT NULL OR NEW.removed_utc IS NULL
BEGIN SELECT RAISE(ABORT, 'an annotation is removed once, and stays removed'); END;
CREATE TRIGGER annotation_kept BEFORE DELETE ON annotation
WHEN NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'an annotation is deleted with its session only'); END;

-- Areas belong to a video's file, whoever has seen it, and stay when a participant goes.
CREATE TABLE aoi_set (
  sha256       TEXT NOT NULL,
  version      INTEGER NOT NULL CHECK (version > 0),
  areas        TEXT NOT NULL CHECK (json_valid(areas)),
  note         TEXT NOT NULL,
  made_by      TEXT NOT NULL,
  made_utc     TEXT NOT NULL,
  PRIMARY KEY (sha256, version)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER aoi_set_enter BEFORE INSERT ON aoi_set
WHEN NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM aoi_set WHERE sha256 = NEW.sha256)
BEGIN SELECT RAISE(ABORT, 'versions of areas follow each other without a gap'); END;
CREATE TRIGGER aoi_set_said BEFORE UPDATE ON aoi_set
BEGIN SELECT RAISE(ABORT, 'areas are never rewritten: a change is a new version'); END;
CREATE TRIGGER aoi_set_kept BEFORE DELETE ON aoi_set
BEGIN SELECT RAISE(ABORT, 'areas are never rewritten: a change is a new version'); END;

-- Who had it done, in which role, and what came of it. Empty: the program itself, or
-- rows of before.
ALTER TABLE audit ADD COLUMN who TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN role TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
DROP TRIGGER audit_observed;
CREATE TRIGGER audit_observed BEFORE UPDATE OF n, at_utc, session_id, action, participant, who, role, outcome ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is never rewritten'); END;

-- The presentation that is shown once more with this one; 0: a first showing.
ALTER TABLE presentation ADD COLUMN again INTEGER NOT NULL DEFAULT 0 CHECK (again >= 0);
