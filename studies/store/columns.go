package store

import (
	"context"
	"fmt"
	"math"
	"strings"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
)

// Columns are some columns of a stream's rows of one segment, in the order of their
// numbers, to be drawn: single precision is finer than any screen.
type Columns struct {
	At     []instant.Instant
	Values [][]float32 // column after column, each as long as At; NaN = not measured
}

// Columns reads columns of a stream of that kind. Of the trace, of is the derivation.
func (s *Store) Columns(ctx context.Context, id, of string, kind stream.Kind, segment int, names []string) (Columns, error) {
	fail := func(err error) (Columns, error) {
		return Columns{}, fmt.Errorf("store: session %s: read columns of %s: %w", id, of, explain(err))
	}
	info := stream.Info{Kind: kind}
	for _, n := range names {
		info.Channels = append(info.Channels, stream.Channel{Name: n})
	}
	p, err := projectionOf(info)
	if err != nil {
		return fail(err)
	}
	key := p.table.lead()
	rows, err := s.read.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s = ? AND %s = ? AND %s = ? ORDER BY seq",
		strings.Join(append([]string{"at_ns"}, names...), ", "), p.name, key[0], key[1], key[2]), id, of, segment)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	out := Columns{Values: make([][]float32, len(names))}
	cells := make([]any, 1+len(names)) // taken over as they come: there are millions of them in an hour
	dest := make([]any, len(cells))
	for i := range cells {
		dest[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return fail(err)
		}
		at, ok := cells[0].(int64)
		if !ok {
			return fail(fmt.Errorf("at_ns holds %v, not a whole number", cells[0]))
		}
		out.At = append(out.At, instant.Instant(at))
		for i, c := range cells[1:] {
			var v float32
			switch c := c.(type) {
			case nil:
				v = float32(math.NaN())
			case float64:
				v = float32(c)
			case int64:
				v = float32(c)
			default:
				return fail(fmt.Errorf("column %s holds %v, not a number", names[i], c))
			}
			out.Values[i] = append(out.Values[i], v)
		}
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return out, nil
}

// Current says of which derivation a session's results are. Derived is false when there
// is none any more, because what was recorded has been erased.
type Current struct {
	State       session.State
	Participant string
	Derivation  string
	Derived     bool
}

// Current tells what is to be seen of a session, without reading it.
func (s *Store) Current(ctx context.Context, id string) (Current, error) {
	var v Current
	err := s.read.QueryRowContext(ctx, `SELECT s.state, s.participant, s.trace_derivation, d.name IS NOT NULL
		FROM session s LEFT JOIN derivation d ON d.session_id = s.id AND d.name = s.trace_derivation WHERE s.id = ?`, id).
		Scan(&v.State, &v.Participant, &v.Derivation, &v.Derived)
	if err != nil {
		return v, fmt.Errorf("store: session %s: %w", id, missing(explain(err)))
	}
	return v, nil
}

// Fault is a row of a stream that is not usable.
type Fault struct {
	Segment int
	Seq     int64
	At      instant.Instant
	Why     string
}

// Faults returns the rows of a modality that are not usable, with the reason of each, in
// their order: no face, or one below the confidence that the study asks for; gaze that the
// tracker calls invalid; skin conductance without a value. Of several devices of a kind
// those of the first count, which the trace is made of.
func (s *Store) Faults(ctx context.Context, d Detail, m Modality) ([]Fault, error) {
	var query string
	var confidence float64
	switch m {
	case Face:
		if d.Study.Rules != nil {
			confidence = d.Study.Rules.FaceConf
		}
		query = `SELECT seq, at_ns, CASE WHEN face_found IS NOT 1 THEN 'no face' ELSE 'the face is not certain' END
			FROM face_frame WHERE session_id = ?1 AND stream = ?2 AND segment = ?3 AND (face_found IS NOT 1 OR face_confidence < ?4) ORDER BY seq`
	case Gaze:
		query = `SELECT seq, at_ns, 'no gaze: blink, or eyes away'
			FROM gaze_sample WHERE session_id = ?1 AND stream = ?2 AND segment = ?3 AND ?4 = ?4 AND gaze_valid IS NOT 1 ORDER BY seq`
	default:
		query = `SELECT seq, at_ns, CASE WHEN eda_hold = 1 THEN 'the sensor repeats itself' ELSE 'no contact, or beyond the range of the sensor' END
			FROM eda_sample WHERE session_id = ?1 AND stream = ?2 AND segment = ?3 AND ?4 = ?4 AND eda_us IS NULL ORDER BY seq`
	}
	var out []Fault
	for _, g := range d.Segments {
		for _, t := range g.Streams {
			if t.Kind != stream.Kind(m) || m == Face && !d.faceShown(t) {
				continue
			}
			err := s.each(ctx, query, []any{d.ID, t.ID, g.Number, confidence}, func(row scanner) error {
				v := Fault{Segment: g.Number}
				err := row.Scan(&v.Seq, &v.At, &v.Why)
				out = append(out, v)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("store: session %s: read what of %s is not usable: %w", d.ID, t.ID, explain(err))
			}
			break // the first of the segment
		}
	}
	return out, nil
}

// faceShown tells whether the derivation that is shown is made from that stream of faces.
func (d Detail) faceShown(t Stream) bool {
	for _, v := range d.Derivations {
		if v.Current && v.FaceStream != "" {
			return v.FaceStream == t.ID
		}
	}
	return true
}
