package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"emolab/fusion/stream"
	"emolab/studies/session"
)

// RederiveOptions say how a sealed session is derived again. The zero value
// derives it as sealing does today, under the next free name.
type RederiveOptions struct {
	// Name is that of the new derivation; "" is the first that is free of
	// final-2, final-3 and so on.
	Name string
	// FaceStream is the id of the face stream to derive from; "" is the one that
	// was recorded. A segment without a stream of that id has no rows.
	FaceStream string
	// NeutralFrom and NeutralUntil give the stretch in which the participant's
	// face is at rest, from the start of segment NeutralSegment. All 0: it is
	// looked for.
	NeutralSegment            int
	NeutralFrom, NeutralUntil time.Duration
	// Align fits the clocks anew, from the ticks, arrivals and probes in the file. The
	// instants in the tables of samples stay: the new ones are those of the trace and of
	// what was displayed. Otherwise it is derived from the stored instants, those of
	// sealing.
	Align bool
	// Current makes it the derivation that the view trace shows.
	Current bool
	// Software is the version of this program.
	Software string
}

// ErrNotSealed says that a session is not sealed, so that nothing can stand
// beside its rows yet.
var ErrNotSealed = errors.New("only a sealed session is derived again; finish or seal it in the console first")

// names is what new derivations and streams may be called: they stand in plain
// SQL and in names of files.
var names = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Rederived is a derivation that was added to a sealed session.
type Rederived struct {
	Name string
	// Streams say what became of the clocks, segment by segment; nil unless they were
	// fitted anew.
	Streams []Realigned
}

// Rederive derives a sealed session again from its stored samples, beside the
// derivations that are there. Nothing that was there is changed, but for which
// derivation is shown when o.Current is set.
func (s *Store) Rederive(ctx context.Context, id string, o RederiveOptions, progress session.Progress) (Rederived, error) {
	r, err := s.rederive(ctx, id, o, progress)
	if err != nil {
		return Rederived{}, fmt.Errorf("store: derive session %s again: %w", id, explain(err))
	}
	return r, nil
}

func (s *Store) rederive(ctx context.Context, id string, o RederiveOptions, progress session.Progress) (Rederived, error) {
	if _, err := s.writer(); err != nil {
		return Rederived{}, err
	}
	if progress == nil {
		progress = func(int, int, string) {}
	}
	d, err := s.sealed(ctx, id)
	if err != nil {
		return Rederived{}, err
	}
	at := stretch{o.NeutralSegment, o.NeutralFrom, o.NeutralUntil}
	if err := at.check(d); err != nil {
		return Rederived{}, err
	}
	if o.Name == "" {
		o.Name = d.freeName()
	}
	if !names.MatchString(o.Name) {
		return Rederived{}, fmt.Errorf("%q cannot name a derivation: use lower-case letters, digits, - and _", o.Name)
	}
	if slices.ContainsFunc(d.Derivations, func(v Derivation) bool { return v.Name == o.Name }) {
		return Rederived{}, fmt.Errorf("it has a derivation %s already, which stays as it is; give another name", o.Name)
	}
	left, err := d.keepFaces(o.FaceStream)
	if err != nil {
		return Rederived{}, err
	}
	steps := counter{total: d.stages(), tell: progress}
	read, clocks := s.observed, storedClocks
	if o.Align {
		read, clocks = s.align, fittedClocks
	}
	out, err := s.derive(ctx, d, read, at, &steps)
	if err == nil && o.Align {
		err = s.alignOthers(ctx, id, left, &out)
	}
	if err != nil {
		return Rederived{}, err
	}
	out.clocks = clocks
	steps.next("writing")
	err = s.change(ctx, func(tx *sql.Tx) error {
		if err := reopen(ctx, tx, id, opening{derivation: o.Name}); err != nil {
			return err
		}
		if err := addDerivation(ctx, tx, id, o.Software, out.derivation(o.Name)); err != nil {
			return err
		}
		write := keepClocks
		if o.Align {
			write = out.writeClocks
		}
		if err := write(ctx, tx, id, o.Name); err != nil {
			return err
		}
		if err := writeDerived(ctx, tx, id, o.Name, o.Software, &out); err != nil {
			return err
		}
		if o.Current {
			if err := show(ctx, tx, &d, o.Name); err != nil {
				return err
			}
		}
		if err := note(ctx, tx, id, "derive", o.Name); err != nil {
			return err
		}
		return reclose(ctx, tx, id)
	})
	if err != nil {
		return Rederived{}, err
	}
	steps.next("done")
	r := Rederived{Name: o.Name}
	if o.Align {
		r.Streams = out.realigned()
	}
	return r, s.checkpoint(ctx)
}

// Show makes a derivation the one that the view trace shows.
func (s *Store) Show(ctx context.Context, id, derivation string) error {
	err := s.show(ctx, id, derivation)
	if err != nil {
		return fmt.Errorf("store: session %s: show derivation %s: %w", id, derivation, explain(err))
	}
	return nil
}

func (s *Store) show(ctx context.Context, id, derivation string) error {
	d, err := s.sealed(ctx, id)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(d.Derivations, func(v Derivation) bool { return v.Name == derivation }) {
		return errors.New("there is none of that name")
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := reopen(ctx, tx, id, opening{}); err != nil {
			return err
		}
		if err := show(ctx, tx, &d, derivation); err != nil {
			return err
		}
		return reclose(ctx, tx, id)
	})
}

// show shows a derivation, and judges the session by it.
func show(ctx context.Context, tx *sql.Tx, d *Detail, derivation string) error {
	if _, err := tx.ExecContext(ctx, "UPDATE session SET trace_derivation = ? WHERE id = ?", derivation, d.ID); err != nil {
		return err
	}
	if err := note(ctx, tx, d.ID, "show", derivation); err != nil {
		return err
	}
	return judgeByRules(ctx, tx, d, derivation, d.Reason)
}

// sealed returns a session that is sealed.
func (s *Store) sealed(ctx context.Context, id string) (Detail, error) {
	d, err := s.detail(ctx, id)
	if err == nil && d.State != session.Sealed {
		err = fmt.Errorf("it is %s: %w", d.State, ErrNotSealed)
	}
	return d, err
}

// check refuses a stretch that does not lie in the session.
func (s stretch) check(d Detail) error {
	if !s.given() {
		return nil
	}
	if s.from < 0 || s.until <= s.from {
		return fmt.Errorf("the neutral face lasts from %v until %v: give a stretch that ends after it begins", s.from, s.until)
	}
	if !slices.ContainsFunc(d.Segments, func(g Segment) bool { return g.Number == s.segment }) {
		return fmt.Errorf("there is no segment %d", s.segment)
	}
	return nil
}

// freeName returns the first free name for another final derivation.
func (d *Detail) freeName() string {
	for n := 2; ; n++ {
		name := fmt.Sprintf("%s-%d", Final, n)
		if !slices.ContainsFunc(d.Derivations, func(v Derivation) bool { return v.Name == name }) {
			return name
		}
	}
}

// keepFaces leaves out the face streams but the one asked for, or those that were
// recorded. It returns what it left out: the segments with nothing but that.
func (d *Detail) keepFaces(id string) ([]Segment, error) {
	wanted := func(t Stream) bool { return t.Kind == stream.Face && t.ID == id }
	if id == "" {
		wanted = recordedFace
	}
	found := id == ""
	left := slices.Clone(d.Segments)
	for i := range d.Segments {
		g := &d.Segments[i]
		all := g.Streams
		g.Streams, left[i].Streams = nil, nil
		for _, t := range all {
			if t.Kind == stream.Face && !wanted(t) {
				left[i].Streams = append(left[i].Streams, t)
				continue
			}
			g.Streams = append(g.Streams, t)
			found = found || wanted(t)
		}
	}
	if !found {
		return nil, fmt.Errorf("it has no face stream %q", id)
	}
	return left, nil
}

func recordedFace(t Stream) bool { return t.Kind == stream.Face && t.FramesOf == "" }

// opening is what of a sealed session is opened for new rows.
type opening struct {
	derivation string
	segment    int
	stream     string
}

// reopen opens a new derivation or stream of a sealed session until reclose. It
// fails where that is there already. The transaction cannot be committed before
// reclose.
func reopen(ctx context.Context, tx *sql.Tx, id string, o opening) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO reprocess (session_id, derivation, segment, stream) VALUES (?, ?, ?, ?)", id, o.derivation, o.segment, o.stream)
	return err
}

func reclose(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM reprocess WHERE session_id = ?", id)
	return err
}
