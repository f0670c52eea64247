-- With the traces of a session goes what was said because of them: why it is usable or
-- not, why it ended, and the words of the audit about both.

DROP TRIGGER session_derived;
CREATE TRIGGER session_derived BEFORE UPDATE OF id, study_hash, plan_row, plan, reached_step, state,
    simulated, software, started_utc, ended_utc ON session
WHEN OLD.state IN ('sealed', 'failed', 'declined')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER session_ended BEFORE UPDATE OF reason ON session
WHEN OLD.state IN ('sealed', 'failed', 'declined')
  AND NOT EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

DROP TRIGGER session_judged;
CREATE TRIGGER session_judged BEFORE UPDATE OF usable, judged_by ON session
WHEN OLD.state IN ('sealed', 'failed', 'declined') AND NOT EXISTS (
  SELECT 1 FROM audit WHERE n = (SELECT max(n) FROM audit) AND session_id = OLD.id AND action = 'judge')
BEGIN SELECT RAISE(ABORT, 'a closed session is judged after a row of the audit that says so'); END;
CREATE TRIGGER session_judged_why BEFORE UPDATE OF usable_why ON session
WHEN OLD.state IN ('sealed', 'failed', 'declined')
  AND NOT (NEW.usable_why = '' AND EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.id))
  AND NOT EXISTS (SELECT 1 FROM audit WHERE n = (SELECT max(n) FROM audit) AND session_id = OLD.id AND action = 'judge')
BEGIN SELECT RAISE(ABORT, 'a closed session is judged after a row of the audit that says so'); END;

DROP TRIGGER audit_observed;
CREATE TRIGGER audit_observed BEFORE UPDATE OF n, at_utc, session_id, action, participant ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is never rewritten'); END;
CREATE TRIGGER audit_said BEFORE UPDATE OF detail ON audit
WHEN NOT (NEW.detail = '' AND EXISTS (SELECT 1 FROM erasing WHERE session_id = OLD.session_id))
BEGIN SELECT RAISE(ABORT, 'the audit is never rewritten'); END;
