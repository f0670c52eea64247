package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"emolab/studies/session"
)

// Consent keeps one answer of the participant.
func (r *recorder) Consent(ctx context.Context, c session.Consent) error {
	at, when := int64(0), any(nil) // before the recording there is no clock, and it is now
	if r.recording() {
		at, when = int64(c.At), wall(r.wall.Add(c.At.Sub(r.start)))
	}
	err := r.store.change(ctx, func(tx *sql.Tx) error {
		if err := addText(ctx, tx, c.TextSHA256, c.Language, c.Text); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO consent (session_id, n, segment, scope, granted, text_sha256, language, at_ns, at_utc, how)
			VALUES (?1, (SELECT count(*) FROM consent WHERE session_id = ?1), ?, ?, ?, ?, ?, ?, coalesce(?, `+utcNow+`), ?)`,
			r.id, r.in(), c.Scope, c.Granted, c.TextSHA256, c.Language, at, when, c.How)
		if err != nil {
			return err
		}
		answer := "refused"
		if c.Granted {
			answer = "granted"
		}
		return note(ctx, tx, r.id, "consent", c.Scope+" "+answer)
	})
	if err != nil {
		return fmt.Errorf("store: session %s: keep the answer about %s: %w", r.id, c.Scope, err)
	}
	return nil
}

// Video names one finished file of kept video.
func (r *recorder) Video(ctx context.Context, v session.Video) error {
	err := r.store.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO video (session_id, segment, n, file, from_ns, until_ns, frames, bytes, sha256)
			VALUES (?1, ?2, (SELECT count(*) FROM video WHERE session_id = ?1 AND segment = ?2), ?, ?, ?, ?, ?, ?)`,
			r.id, r.segment, v.File, int64(v.From), int64(v.Until), v.Frames, v.Bytes, v.SHA256)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: session %s: note the video %s: %w", r.id, v.File, err)
	}
	return nil
}

// ErrNotGranted says that there is no yes to take back.
var ErrNotGranted = errors.New("there is no yes to take back: the participant was not asked, said no, or has taken it back already")

// Withdraw notes that the participant has taken back a yes, at any time after the
// session. Whoever deletes what the yes allowed does so after this.
func (s *Store) Withdraw(ctx context.Context, id, scope, how string) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		var granted bool
		err := tx.QueryRowContext(ctx, "SELECT granted FROM consent WHERE session_id = ? AND scope = ? ORDER BY n DESC LIMIT 1", id, scope).Scan(&granted)
		if errors.Is(err, sql.ErrNoRows) || err == nil && !granted {
			return ErrNotGranted
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO consent (session_id, n, segment, scope, granted, text_sha256, language, at_ns, at_utc, how)
			SELECT session_id, (SELECT max(n) + 1 FROM consent WHERE session_id = ?1), max(segment), scope, 0, '', '', 0, `+utcNow+`, ?3
			FROM consent WHERE session_id = ?1 AND scope = ?2 GROUP BY session_id, scope`, id, scope, how)
		if err != nil {
			return err
		}
		return note(ctx, tx, id, "withdraw", scope)
	})
	if err != nil {
		return fmt.Errorf("store: session %s: withdraw %s: %w", id, scope, explain(err))
	}
	return nil
}

// Consent is one answer of a participant.
type Consent struct {
	Segment int `json:"segment"` // that it was given in, and At is on its clock; -1 before the recording
	session.Consent
	Wall time.Time `json:"wall"` // wall time of the answer
}

// Consents returns the participant's answers in the order in which they were given.
func (s *Store) Consents(ctx context.Context, id string) ([]Consent, error) {
	return list(ctx, s, id, consentQuery, scanConsent)
}

const consentQuery = `SELECT coalesce(segment, -1), scope, granted, text_sha256, language, at_ns, at_utc, how
	FROM consent WHERE session_id = ? ORDER BY n`

func scanConsent(row scanner, v *Consent) error {
	var at string
	if err := row.Scan(&v.Segment, &v.Scope, &v.Granted, &v.TextSHA256, &v.Language, &v.At, &at, &v.How); err != nil {
		return err
	}
	var err error
	v.Wall, err = parseWall(at)
	return err
}

// Consented tells whether the participant's latest answer about scope was yes.
// Who was not asked has not agreed.
func (s *Store) Consented(ctx context.Context, id, scope string) (bool, error) {
	var granted bool
	err := s.read.QueryRowContext(ctx, "SELECT granted FROM consent WHERE session_id = ? AND scope = ? ORDER BY n DESC LIMIT 1", id, scope).Scan(&granted)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store: session %s: consent to %s: %w", id, scope, explain(err))
	}
	return granted, nil
}

// consentsSoFar reads the consents given so far, for a session that is continued.
func consentsSoFar(ctx context.Context, tx *sql.Tx, id string) ([]session.Consent, error) {
	rows, err := tx.QueryContext(ctx, consentQuery, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []session.Consent
	for rows.Next() {
		var c Consent
		if err := scanConsent(rows, &c); err != nil {
			return nil, err
		}
		out = append(out, c.Consent)
	}
	return out, rows.Err()
}

// Video is one finished file of kept face video.
type Video struct {
	Segment int `json:"segment"`
	session.Video
}

// Videos returns the kept files of face video in their order.
func (s *Store) Videos(ctx context.Context, id string) ([]Video, error) {
	return list(ctx, s, id, `SELECT segment, file, from_ns, until_ns, frames, bytes, sha256
		FROM video WHERE session_id = ? ORDER BY segment, n`,
		func(row scanner, v *Video) error {
			return row.Scan(&v.Segment, &v.File, &v.From, &v.Until, &v.Frames, &v.Bytes, &v.SHA256)
		})
}

func (s *Store) loadConsents(ctx context.Context, d *Detail) (err error) {
	if d.Consents, err = s.Consents(ctx, d.ID); err != nil {
		return err
	}
	d.Videos, err = s.Videos(ctx, d.ID)
	return err
}
