-- Another withdrawal code may be given out for a session that is over: to whoever was cut
-- off before they had one, or has lost the slip. A row of the audit says so before.

DROP TRIGGER withdrawable_enter;
CREATE TRIGGER withdrawable_enter BEFORE INSERT ON withdrawable
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed', 'declined') AND NOT EXISTS (
  SELECT 1 FROM audit WHERE n = (SELECT max(n) FROM audit) AND session_id = NEW.session_id AND action = 'receipt')
BEGIN SELECT RAISE(ABORT, 'a closed session gets another code after a row of the audit that says so'); END;
