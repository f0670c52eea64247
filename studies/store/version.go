package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"emolab/studies/study"
)

// addStudy keeps the study file and its stimuli, once for each version of it, and
// refuses one whose primary indicators are not those that were locked.
func addStudy(ctx context.Context, tx *sql.Tx, st *study.Study, now time.Time) error {
	var other string
	err := tx.QueryRowContext(ctx, "SELECT id FROM study WHERE id <> ? LIMIT 1", st.ID).Scan(&other)
	if err == nil {
		return fmt.Errorf("the file keeps study %q, not %q; use one file for each study", other, st.ID)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := keepsLocked(ctx, tx, st); err != nil {
		return err
	}
	rules, err := json.Marshal(promised{st.Rules, retained(st.Retain)})
	if err != nil {
		return err
	}
	primary, err := json.Marshal(append([]string{}, st.Analysis.Primary...))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO study (hash, id, title, seed, canonical, first_utc, version, rules, primary_indicators)
		VALUES (?, ?, ?, ?, ?, ?, (`+nextVersion+`), ?, ?) ON CONFLICT DO NOTHING`,
		st.Hash, st.ID, st.Title, fmt.Sprint(st.Seed), string(st.Canonical), wall(now), string(rules), string(primary))
	if err != nil {
		return err
	}
	if err := keepSheets(ctx, tx, st); err != nil {
		return err
	}
	for _, m := range st.Stimuli {
		if err := addStimulus(ctx, tx, st.Hash, m); err != nil {
			return err
		}
	}
	return nil
}

// filler is the role of a stimulus that is shown to distract.
const filler = "filler"

// promised is what the column rules of a study holds.
type promised struct {
	study.Rules
	Retain retained `json:"retain"`
}

// retained is a study.Retain as it is written.
type retained struct {
	FaceVideo time.Duration `json:"face_video_ns"` // 0 = without a limit
	Traces    time.Duration `json:"traces_ns"`
	Identity  time.Duration `json:"identity_ns"`
}

// nextVersion is the number of a study file that has not been used: the latest, as long
// as no session of it has been sealed, and one more after that.
const nextVersion = `SELECT coalesce(max(version), 1) + EXISTS (SELECT 1 FROM session s JOIN study y ON y.hash = s.study_hash
	WHERE s.state = 'sealed' AND y.version = (SELECT max(version) FROM study)) FROM study`

func addStimulus(ctx context.Context, tx *sql.Tx, hash string, m study.Stimulus) error {
	tags, err := json.Marshal(append([]string{}, m.Tags...))
	if err != nil {
		return err
	}
	var role string
	if m.Filler {
		role = filler
	}
	var rate any // not known
	if m.Duration > 0 && len(m.FrameTimes) > 0 {
		rate = float64(len(m.FrameTimes)) / m.Duration.Seconds()
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO stimulus (study_hash, id, file, brand, tags, sha256, width_px, height_px, duration_ns, frames, role, fps_hz)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		hash, m.ID, m.File, m.Brand, string(tags), m.SHA256, m.Width, m.Height, int64(m.Duration), len(m.FrameTimes), role, rate)
	return err
}

// keepsLocked refuses a study whose primary indicators are others than those that were
// locked with the first sealed session.
func keepsLocked(ctx context.Context, tx *sql.Tx, st *study.Study) error {
	var kept, when string
	err := tx.QueryRowContext(ctx, "SELECT primary_indicators, locked_utc FROM study WHERE locked_utc IS NOT NULL ORDER BY locked_utc LIMIT 1").Scan(&kept, &when)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	var locked []string
	if err := json.Unmarshal([]byte(kept), &locked); err != nil {
		return fmt.Errorf("read the primary indicators: %w", err)
	}
	if slices.Equal(slices.Sorted(slices.Values(locked)), slices.Sorted(slices.Values(st.Analysis.Primary))) {
		return nil
	}
	return fmt.Errorf("the primary indicators were locked with the first sealed session, on %s, as %s; the study file now says %s. "+
		"Put back what was locked: an indicator that is chosen after the data are there proves nothing. A new question is a new study, with an id and a data folder of its own",
		day(when), listOf(locked), listOf(st.Analysis.Primary))
}

// lock locks the primary indicators of a session's study, once. What virtual devices
// tell says nothing about people, so that a rehearsal locks nothing.
func lock(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `UPDATE study SET locked_utc = `+utcNow+` WHERE hash = (SELECT study_hash FROM session WHERE id = ?1 AND simulated = 0)
		AND NOT EXISTS (SELECT 1 FROM study WHERE locked_utc IS NOT NULL)`, id)
	return err
}

// listOf names indicators.
func listOf(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// day is the date of a wall time of the file.
func day(at string) string {
	t, err := parseWall(at)
	if err != nil {
		return at
	}
	return t.Format(time.DateOnly)
}
