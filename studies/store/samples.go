package store

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Row is one sample with its place in the session. In rows of the trace Epoch,
// Tick and Arrival are 0.
type Row struct {
	Segment, Epoch int
	stream.Sample
}

// Samples returns the samples of one stream of a session, segment by segment in
// the order of their numbers, with values in the order of the stream's channels
// in that segment (Detail). The first error ends the sequence.
func (s *Store) Samples(ctx context.Context, id, streamID string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		d, err := s.Session(ctx, id)
		if err != nil {
			yield(Row{}, err)
			return
		}
		found := false
		for _, g := range d.Segments {
			for _, t := range g.Streams {
				if t.ID != streamID {
					continue
				}
				found = true
				of := streamID
				if t.Kind == stream.Trace {
					of = Live
				}
				for row, err := range s.rows(ctx, id, of, g.Number, t.Info) {
					if !yield(row, err) || err != nil {
						return
					}
				}
			}
		}
		if !found {
			yield(Row{}, fmt.Errorf("store: session %s has no stream %q", id, streamID))
		}
	}
}

// Trace returns the rows of the session's current derivation, one a camera
// frame, with values in the order of info's channels.
func (s *Store) Trace(ctx context.Context, id string, info stream.Info) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		d, err := s.Session(ctx, id)
		if err != nil {
			yield(Row{}, err)
			return
		}
		for _, v := range d.Derivations {
			if !v.Current {
				continue
			}
			for _, g := range d.Segments {
				for row, err := range s.rows(ctx, id, v.Name, g.Number, info) {
					if !yield(row, err) || err != nil {
						return
					}
				}
			}
		}
	}
}

// rows reads the rows of one stream, or of one derivation of the trace, in one
// segment. Channels that info leaves out are not read.
func (s *Store) rows(ctx context.Context, id, of string, segment int, info stream.Info) iter.Seq2[Row, error] {
	return s.span(ctx, id, of, segment, info, math.MinInt64, math.MaxInt64)
}

// span reads those of rows that are numbered from first to last.
func (s *Store) span(ctx context.Context, id, of string, segment int, info stream.Info, first, last int64) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		fail := func(err error) {
			yield(Row{}, fmt.Errorf("store: session %s: read %s: %w", id, of, explain(err)))
		}
		p, err := projectionOf(info)
		if err != nil {
			fail(err)
			return
		}
		rows, err := s.read.QueryContext(ctx, p.query(), id, of, segment, first, last)
		if err != nil {
			fail(err)
			return
		}
		defer rows.Close()
		cells := make([]any, len(p.lead)+len(p.columns))
		dest := make([]any, len(cells))
		for i := range cells {
			dest[i] = &cells[i]
		}
		for rows.Next() {
			if err := rows.Scan(dest...); err != nil {
				fail(err)
				return
			}
			row, err := p.row(segment, cells)
			if err != nil {
				fail(err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			fail(err)
		}
	}
}

// projection is what of a table is read, and where it goes.
type projection struct {
	layout
	lead    []string // columns of the sample itself
	columns []string // columns of channels, in the order of values
}

// projectionOf makes the projection for a stream's channels, which may be fewer
// than the table has.
func projectionOf(info stream.Info) (projection, error) {
	t, err := tableOf(info.Kind)
	if err != nil {
		return projection{}, err
	}
	p := projection{layout: layout{table: t, width: len(info.Channels)}, lead: t.lead()[shared:]}
	for _, name := range t.channels {
		if i := info.Index(name); i >= 0 {
			p.columns, p.values = append(p.columns, name), append(p.values, i)
		}
	}
	if t.landmarks {
		for _, name := range landmarkNames() {
			if i := info.Index(name); i >= 0 {
				p.marks = append(p.marks, i)
			}
		}
	}
	if n := len(p.values) + len(p.marks); n != p.width || (len(p.marks) != 0 && len(p.marks) != 2*landmarks) {
		return projection{}, fmt.Errorf("table %s has %d of the %d channels asked for (landmarks come all or none)", t.name, n, p.width)
	}
	if len(p.marks) > 0 {
		p.columns = append(p.columns, "landmarks")
	}
	return p, nil
}

func (p *projection) query() string {
	columns := append(append([]string{}, p.lead...), p.columns...)
	key := p.table.lead()
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s = ? AND %s = ? AND %s = ? AND seq BETWEEN ? AND ? ORDER BY seq",
		strings.Join(columns, ", "), p.name, key[0], key[1], key[2])
}

// row makes a sample of one row's cells.
func (p *projection) row(segment int, cells []any) (Row, error) {
	var room [6]int64 // seq, epoch, tick, arrival, at, err
	head := room[:len(p.lead)]
	for i := range head {
		n, ok := cells[i].(int64)
		if !ok {
			return Row{}, fmt.Errorf("column %s holds %v, not a whole number", p.lead[i], cells[i])
		}
		head[i] = n
	}
	r := Row{Segment: segment}
	r.Seq = head[0]
	if !p.trace {
		r.Epoch, r.Tick, r.Arrival = int(head[1]), head[2], instant.Instant(head[3])
	}
	r.At, r.Err = instant.Instant(head[len(head)-2]), time.Duration(head[len(head)-1])
	r.Values = make([]float64, p.width)
	cells = cells[len(p.lead):]
	for i, at := range p.values {
		switch v := cells[i].(type) {
		case nil:
			r.Values[at] = math.NaN()
		case float64:
			r.Values[at] = v
		case int64:
			r.Values[at] = float64(v)
		default:
			return Row{}, fmt.Errorf("column %s of sample %d holds %v, not a number", p.columns[i], r.Seq, v)
		}
	}
	if len(p.marks) == 0 {
		return r, nil
	}
	blob, ok := cells[len(p.values)].([]byte)
	if !ok && cells[len(p.values)] != nil {
		return Row{}, fmt.Errorf("column landmarks of sample %d is not a BLOB", r.Seq)
	}
	return r, p.unpack(blob, r.Values)
}
