package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"emolab/studies/session"
	"emolab/studies/study"
	"emolab/studies/study/order"
)

// leftWord begins the reason of a session that its participant stopped.
const leftWord = "left"

// standing is a session as it counts.
type standing struct {
	session.Standing
	participant string
	current     bool // of the latest version of the study
	dropped     bool // stopped by the participant
}

// open tells whether the session may still become usable.
func (v *standing) open() bool {
	switch v.State {
	case session.Prepared, session.Recording, session.Recovered:
		return !v.dropped
	case session.Sealed:
		return v.Usable == nil && !v.dropped // sealed before there were rules, or without any
	}
	return false
}

// usable tells whether it counts.
func (v *standing) usable() bool { return v.State == session.Sealed && v.Usable != nil && *v.Usable }

// standingsQuery leaves out films that were read in: they have the row -1. Who stops is
// led to a sheet of the plan's tail, which is the last step that began.
const standingsQuery = `SELECT s.id, s.participant, s.state, s.plan_row, s.run, s.started_utc, s.usable, s.usable_why, s.reason,
	y.version = (SELECT max(version) FROM study),
	coalesce(json_extract(s.plan, '$.steps[' || max(s.reached_step, 0) || '].sheet') IN ('leave', 'left'), 0)
	FROM session s JOIN study y ON y.hash = s.study_hash WHERE s.plan_row >= 0 ORDER BY s.participant, s.run, s.id`

// standings lists the sessions of the study, participant by participant.
func (s *Store) standings(ctx context.Context) ([]standing, error) {
	var out []standing
	err := s.each(ctx, standingsQuery, nil, func(row scanner) error {
		var v standing
		var started, reason string
		var usable sql.NullBool
		if err := row.Scan(&v.Session, &v.participant, &v.State, &v.Row, &v.Run, &started, &usable, &v.Why, &reason, &v.current, &v.dropped); err != nil {
			return err
		}
		v.dropped = v.dropped || strings.HasPrefix(reason, leftWord)
		if usable.Valid {
			v.Usable = &usable.Bool
		}
		if v.Why == "" && v.State != session.Sealed {
			v.Why = reason
		}
		var err error
		v.Started, err = parseWall(started)
		out = append(out, v)
		return err
	})
	return out, err
}

// NextRow returns the plan's row for the next participant. With rows above 0 it is the
// one among them with the fewest sessions of the latest version of the study that are
// usable or may become so, and of equals the one with the fewest in all versions; else
// the one after the highest that the study has had.
func (s *Store) NextRow(ctx context.Context, rows int) (int, error) {
	all, err := s.standings(ctx)
	if err != nil {
		return 0, fmt.Errorf("store: count sessions: %w", explain(err))
	}
	next := 0
	counts := make([]int, max(rows, 0))
	latest := len(all) + 1 // one session of the latest version outweighs all of the others
	for _, v := range all {
		next = max(next, v.Row+1)
		if v.Row < rows && (v.usable() || v.open()) {
			counts[v.Row]++
			if v.current {
				counts[v.Row] += latest
			}
		}
	}
	if rows > 0 {
		return order.LeastFilled(counts), nil
	}
	return next, nil
}

// Cohort tells how far the study has come. Rows are those of the latest version of the
// study, all else is of all versions.
func (s *Store) Cohort(ctx context.Context, quota study.Quota) (session.Cohort, error) {
	c := session.Cohort{Rows: []session.RowCount{}, Cells: []session.CellNow{}, People: []session.Person{}, Wanted: quota.Total}
	for _, cell := range quota.Cells {
		c.Cells = append(c.Cells, session.CellNow{Cell: cell})
	}
	all, err := s.standings(ctx)
	if err == nil {
		c.People, err = s.people(ctx)
	}
	if err == nil {
		c.Videos, c.Brands, err = s.tally(ctx)
	}
	if err == nil {
		err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM tombstone WHERE class = ?", WholeParticipant).Scan(&c.Withdrawn)
	}
	if err != nil {
		return session.Cohort{}, fmt.Errorf("store: count the cohort: %w", explain(err))
	}
	at := make(map[string]int, len(c.People))
	for i, p := range c.People {
		at[p.Code] = i
	}
	fills := make([]fill, len(c.People))
	for _, v := range all {
		i, known := at[v.participant]
		if !known {
			continue // erased, or begun, between the two readings
		}
		p := &c.People[i]
		p.Sessions = append(p.Sessions, v.Standing)
		count(&c, &v)
		if f := &fills[i]; v.usable() {
			f.usable = true
		} else if v.open() {
			f.open = true
		}
	}
	for i, p := range c.People {
		fills[i].count(&c, p.Bands)
	}
	slices.SortFunc(c.Rows, func(a, b session.RowCount) int { return a.Row - b.Row })
	return c, nil
}

// fill is what one participant's sessions are for the quota, however many there are: a
// repeat, or a visit after one that was cut off, takes no second place.
type fill struct{ usable, open bool }

// count adds one participant to the numbers of a cohort.
func (f fill) count(c *session.Cohort, bands study.Answers) {
	if f.usable {
		c.Usable++
	}
	if !f.usable && !f.open {
		return
	}
	for i := range c.Cells {
		if cell := &c.Cells[i]; bands[cell.Question] == cell.Band {
			cell.Have++
			if !f.usable {
				cell.Open++
			}
		}
	}
}

// count adds one session to the numbers of a cohort.
func count(c *session.Cohort, v *standing) {
	usable, open := v.usable(), v.open()
	switch {
	case usable, open: // counted by people
	case v.dropped:
		c.Dropped++
	case v.State == session.Declined:
		c.Declined++
	default:
		c.Unusable++
	}
	if !v.current {
		return
	}
	i := slices.IndexFunc(c.Rows, func(r session.RowCount) bool { return r.Row == v.Row })
	if i < 0 {
		i = len(c.Rows)
		c.Rows = append(c.Rows, session.RowCount{Row: v.Row})
	}
	switch r := &c.Rows[i]; {
	case usable:
		r.Usable++
	case open:
		r.Open++
	default:
		r.Other++
	}
}

// people are the participants in the registry, without their sessions.
func (s *Store) people(ctx context.Context) ([]session.Person, error) {
	out := []session.Person{}
	err := s.each(ctx, "SELECT code, bands FROM participant ORDER BY code", nil, func(row scanner) error {
		p := session.Person{Sessions: []session.Standing{}}
		var bands string
		if err := row.Scan(&p.Code, &bands); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(bands), &p.Bands); err != nil {
			return fmt.Errorf("read the bands of participant %s: %w", p.Code, err)
		}
		out = append(out, p)
		return nil
	})
	return out, err
}

// movedSince is what a bundle that was made before is called.
const movedSince = "the session was moved to another participant after this was made"

// Move gives a session that is over to another participant, for that reason. The
// registry follows: a code that nobody has any more leaves it. Bundles that were made
// before are marked as stale.
func (s *Store) Move(ctx context.Context, id, participant, reason string) error {
	err := session.CheckParticipant(participant)
	if err == nil && strings.TrimSpace(reason) == "" {
		err = errors.New("say why: the reason is kept in the audit")
	}
	if err == nil {
		err = s.change(ctx, func(tx *sql.Tx) error { return move(ctx, tx, id, participant, reason) })
	}
	if err != nil {
		return fmt.Errorf("store: move session %s to %s: %w", id, participant, err)
	}
	return nil
}

func move(ctx context.Context, tx *sql.Tx, id, participant, reason string) error {
	var before, started string
	var state session.State
	if err := tx.QueryRowContext(ctx, "SELECT participant, state, started_utc FROM session WHERE id = ?", id).Scan(&before, &state, &started); err != nil {
		return missing(err)
	}
	switch {
	case state == session.Prepared || state == session.Recording:
		return fmt.Errorf("it is %s: end it first", state)
	case before == participant:
		return errors.New("it is that participant's already")
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO participant (code, first_utc) VALUES (?, ?) ON CONFLICT DO NOTHING", participant, started); err != nil {
		return err
	}
	// Codes have a column of their own, so that they are found when somebody withdraws.
	for _, v := range []struct{ action, code string }{{"move-from", before}, {"move", participant}} {
		if _, err := tx.ExecContext(ctx, "INSERT INTO audit (at_utc, session_id, action, detail, participant) VALUES ("+utcNow+", ?, ?, ?, ?)",
			id, v.action, reason, v.code); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE session SET run = "+nextRun+", participant = ?3 WHERE id = ?1", id, nil, participant); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE export SET stale = ? WHERE session_id = ?", movedSince, id); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM participant WHERE code = ?1 AND NOT EXISTS (SELECT 1 FROM session WHERE participant = ?1)", before); err != nil {
		return err
	}
	return errors.Join(writeBands(ctx, tx, before), writeBands(ctx, tx, participant))
}

// Judge says by a person's word whether a sealed session is usable, for that reason.
// What is derived of it later does not change that.
func (s *Store) Judge(ctx context.Context, id string, usable bool, reason string) error {
	err := error(nil)
	if strings.TrimSpace(reason) == "" {
		err = errors.New("say why: the reason is kept with the session")
	}
	if err == nil {
		err = s.change(ctx, func(tx *sql.Tx) error {
			var state session.State
			if err := tx.QueryRowContext(ctx, "SELECT state FROM session WHERE id = ?", id).Scan(&state); err != nil {
				return missing(err)
			}
			if state != session.Sealed {
				return fmt.Errorf("it is %s: only a sealed session is judged", state)
			}
			return judge(ctx, tx, id, verdict{usable: usable, why: reason}, byPerson)
		})
	}
	if err != nil {
		return fmt.Errorf("store: judge session %s: %w", id, err)
	}
	return nil
}

// Who has judged a session.
const (
	byRules  = "rules"
	byPerson = "person"
)

// verdict is what a session is found to be worth.
type verdict struct {
	usable bool
	why    string // it is not usable, or, of a person's word, why it is
}

// word says it in one.
func (v verdict) word() string {
	if v.usable {
		return "usable"
	}
	return "not usable"
}

// judge writes a verdict, after a row of the audit that says so.
func judge(ctx context.Context, tx *sql.Tx, id string, v verdict, by string) error {
	said := v.word() + ", by " + by
	if v.why != "" {
		said += ": " + v.why
	}
	if err := note(ctx, tx, id, "judge", said); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE session SET usable = ?, usable_why = ?, judged_by = ? WHERE id = ?", v.usable, v.why, by, id)
	return err
}
