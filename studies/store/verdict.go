package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"

	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// evidence is what the rules of a study are held against.
type evidence struct {
	reason string // why the session ended before its plan did; "" = it did not
	plan   study.Plan
	begun  map[int]bool // steps that began
	usable []Usable
	has    map[stream.Kind]bool    // devices that were recorded
	bounds map[stream.Kind]float64 // ms: the greatest of a kind
	// gaze is the error of the accepted calibration in degrees; nil = nothing was
	// calibrated. Measured is false where no error could be measured.
	gaze     *float64
	measured bool
}

// verdict holds the rules against the evidence. Each stimulus counts by one showing of it,
// as showings says; those that count by their repeat are named.
func (e *evidence) verdict(r study.Rules) verdict {
	var why []string
	showings, again := e.showings(r)
	if e.reason != "" {
		why = append(why, "it ended before its plan did: "+e.reason)
	}
	for _, need := range []struct {
		modality Modality
		needed   bool
		device   string
		was      string // measured
		time     string
	}{
		{Face, r.NeedsFace, "camera", "the face was seen", "the face"},
		{Gaze, r.NeedsGaze, "eye tracker", "the gaze was valid", "the gaze"},
		{EDA, r.NeedsEDA, "skin-conductance sensor", "the skin conductance was valid", "the skin conductance"},
	} {
		if !need.needed {
			continue
		}
		kind := need.modality.Kind()
		if !e.has[kind] {
			why = append(why, "no "+need.device+" was recorded")
			continue
		}
		if missed := e.missed(showings, need.modality, r.UsableShare); len(missed) > r.MaxUnusable {
			why = append(why, fmt.Sprintf("%s for less than %g %% of the time of %s%s",
				need.was, 100*r.UsableShare, strings.Join(missed, ", "), allowed(r.MaxUnusable)))
		}
		if b := e.bounds[kind]; r.MaxSyncMs > 0 && b > r.MaxSyncMs {
			why = append(why, fmt.Sprintf("the time of %s is known to %.1f ms only (%g ms are asked for)", need.time, b, r.MaxSyncMs))
		}
	}
	if r.NeedsGaze && r.MaxGazeErrDeg > 0 && e.gaze != nil {
		switch {
		case !e.measured:
			why = append(why, "the error of the gaze after its calibration could not be measured")
		case *e.gaze > r.MaxGazeErrDeg:
			why = append(why, fmt.Sprintf("the gaze was %.2f° off after its calibration (%g° are asked for)", *e.gaze, r.MaxGazeErrDeg))
		}
	}
	usable := len(why) == 0
	if len(again) > 0 {
		why = append(why, "shown again, and counted by that: "+strings.Join(again, ", "))
	}
	return verdict{usable: usable, why: strings.Join(why, "; ")}
}

// allowed says in how many clips it may be so, where it may at all.
func allowed(clips int) string {
	switch clips {
	case 0:
		return ""
	case 1:
		return " (the study allows that in one clip)"
	}
	return fmt.Sprintf(" (the study allows that in %d clips)", clips)
}

// showings are the steps that show the stimuli to be analysed, one for each first showing:
// that itself, or, where it was too little measured, the repeat that was enough measured,
// in everything that the study needs. What a person feels when they see something for the
// second time is something else; so a repeat never fills in what a first showing lacks, and
// stands for it only as a whole. again names those that do.
func (e *evidence) showings(r study.Rules) (steps []study.Step, again []string) {
	enough := func(step study.Step) bool {
		for _, need := range []struct {
			modality Modality
			needed   bool
		}{{Face, r.NeedsFace}, {Gaze, r.NeedsGaze}, {EDA, r.NeedsEDA}} {
			if u := e.of(step.Presentation, need.modality); need.needed && (u == nil || u.Share < r.UsableShare) {
				return false
			}
		}
		return true
	}
	for _, step := range e.plan.Steps {
		if step.Action != study.Play || step.Filler || step.Again {
			continue
		}
		if repeat, ok := e.plan.Shows(e.plan.Repeat(step.Presentation)); ok && e.begun[repeat.Index] && !enough(step) && enough(repeat) {
			step = repeat
			again = append(again, step.Stimulus)
		}
		steps = append(steps, step)
	}
	return steps, again
}

// of is what is usable of a presentation; nil = nothing is known of it.
func (e *evidence) of(presentation int, m Modality) *Usable {
	k := slices.IndexFunc(e.usable, func(u Usable) bool { return u.Presentation == presentation && u.Modality == m })
	if k < 0 {
		return nil
	}
	return &e.usable[k]
}

// missed names those of the stimuli for too little of whose time a modality was
// measured. One whose step never began, because the plan passed it over, is none of them.
func (e *evidence) missed(showings []study.Step, m Modality, share float64) []string {
	var out []string
	for _, step := range showings {
		switch u := e.of(step.Presentation, m); {
		case u != nil && u.Share < share:
			out = append(out, fmt.Sprintf("%s (%.0f %%)", step.Stimulus, math.Floor(100*u.Share)))
		case u == nil && e.begun[step.Index]:
			out = append(out, step.Stimulus+" (never seen on the screen)")
		}
	}
	return out
}

// gather reads the evidence of a derivation. reason is why the session ended before its
// plan did.
func gather(ctx context.Context, tx *sql.Tx, d *Detail, derivation, reason string) (evidence, error) {
	e := evidence{reason: reason, plan: d.Plan, begun: map[int]bool{}, has: map[stream.Kind]bool{}, bounds: map[stream.Kind]float64{}}
	for _, read := range []struct {
		query string
		args  []any
		scan  func(row scanner) error
	}{
		{"SELECT DISTINCT step FROM step WHERE session_id = ?", []any{d.ID}, func(row scanner) error {
			var step int
			err := row.Scan(&step)
			e.begun[step] = true
			return err
		}},
		{usableQuery, []any{d.ID, derivation}, func(row scanner) error {
			var u Usable
			err := scanUsable(row, &u)
			e.usable = append(e.usable, u)
			return err
		}},
		{`SELECT t.kind, coalesce(max(q.bound_ms), 0) FROM stream t LEFT JOIN quality q
			ON q.session_id = t.session_id AND q.derivation = ?2 AND q.segment = t.segment AND q.stream = t.id
			WHERE t.session_id = ?1 AND t.frames_of = '' GROUP BY t.kind`, []any{d.ID, derivation}, func(row scanner) error {
			var kind stream.Kind
			var bound float64
			err := row.Scan(&kind, &bound)
			e.has[kind], e.bounds[kind] = true, bound
			return err
		}},
		{"SELECT segment, step, round, residual FROM calibration WHERE session_id = ? AND derivation = ? AND kind = '" + kindValidation + "' ORDER BY n",
			[]any{d.ID, derivation}, e.calibrated(d)},
	} {
		if err := scanAll(ctx, tx, read.query, read.args, read.scan); err != nil {
			return e, err
		}
	}
	return e, nil
}

// calibrated takes in validations in their order, of which the last of an accepted
// calibration counts.
func (e *evidence) calibrated(d *Detail) func(row scanner) error {
	return func(row scanner) error {
		var segment, step, round int
		var residual sql.NullFloat64
		if err := row.Scan(&segment, &step, &round, &residual); err != nil {
			return err
		}
		v := d.decided(segment, step, round)
		if v == nil || v.Choice != session.Accept || step >= len(d.Plan.Steps) || d.Plan.Steps[step].Action != study.Calibrate {
			return nil
		}
		e.gaze, e.measured = &residual.Float64, residual.Valid
		return nil
	}
}

// scanAll runs a query in a transaction and hands every row to f.
func scanAll(ctx context.Context, q querier, query string, args []any, f func(row scanner) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// judgeByRules judges a session by the rules of its study, as one derivation tells.
// A person's word stands, and so does nothing where there were no rules.
func judgeByRules(ctx context.Context, tx *sql.Tx, d *Detail, derivation, reason string) error {
	if d.Study.Rules == nil || d.JudgedBy == byPerson {
		return nil
	}
	e, err := gather(ctx, tx, d, derivation, reason)
	if err != nil {
		return err
	}
	return judge(ctx, tx, d.ID, e.verdict(*d.Study.Rules), byRules)
}
