package store

import (
	"context"
	"math"
	"slices"

	"emolab/fusion/align"
	"emolab/fusion/eda"
	"emolab/fusion/facial"
	"emolab/fusion/stream"
)

// aligned is one stream of a segment on the lab clock, with what can be told of
// it alone.
type aligned struct {
	info      stream.Info // without landmarks
	rows      []Row       // with final At and Err
	moved     []int       // rows whose At or Err differ from the file's
	pieces    []align.Piece
	statement align.Statement
	usable    float64
	frames    []facial.Measured // of a face stream: one a row
	skin      eda.Result        // of a skin conductance
}

// observed reads one stream as the file has it.
func (s *Store) observed(ctx context.Context, id string, segment int, t Stream, _ []align.Ping) (aligned, error) {
	if t.Kind == stream.Face {
		return s.faces(ctx, id, segment, t)
	}
	a := aligned{info: t.Info, rows: make([]Row, 0, t.Rows)}
	for row, err := range s.rows(ctx, id, t.ID, segment, t.Info) {
		if err != nil {
			return a, err
		}
		a.rows = append(a.rows, row)
	}
	return a, nil
}

// align reads one stream and fits its clock anew.
func (s *Store) align(ctx context.Context, id string, segment int, t Stream, pings []align.Ping) (aligned, error) {
	a, err := s.observed(ctx, id, segment, t, nil)
	if err != nil {
		return a, err
	}
	stamps := make([]align.Stamp, len(a.rows))
	for i, row := range a.rows {
		stamps[i] = align.Stamp{Epoch: row.Epoch, Seq: row.Seq, Tick: row.Tick, Arrival: row.Arrival}
	}
	timeline, err := align.Fit(t.Info, stamps, pings)
	if err != nil {
		return a, err
	}
	for i := range a.rows {
		r := &a.rows[i]
		at, bound := timeline.At(r.Epoch, timeline.Tick(stamps[i]))
		if at != r.At || bound != r.Err {
			a.moved = append(a.moved, i)
		}
		r.At, r.Err = at, bound
	}
	for i := range a.frames {
		a.frames[i].At = a.rows[i].At
	}
	a.pieces, a.statement = timeline.Pieces(), timeline.Statement()
	a.usable = usable(a.info, a.rows, a.statement.Lost)
	return a, nil
}

// usable is the share of the samples that should be there which are there and
// say something: EDA with a value, gaze that is valid, frames with a face. Every
// displayed frame of a stimulus counts.
func usable(info stream.Info, rows []Row, lost int64) float64 {
	if len(rows) == 0 {
		return 0
	}
	good := func([]float64) bool { return true }
	switch info.Kind {
	case stream.EDA:
		i := info.Index("eda_us")
		good = func(v []float64) bool { return !math.IsNaN(v[i]) }
	case stream.Gaze:
		i := info.Index("gaze_valid")
		good = func(v []float64) bool { return v[i] == 1 }
	case stream.Face:
		i := info.Index("face_found")
		good = func(v []float64) bool { return v[i] == 1 }
	}
	n := 0
	for _, r := range rows {
		if good(r.Values) {
			n++
		}
	}
	return float64(n) / float64(int64(len(rows))+lost)
}

// withoutLandmarks leaves out the landmarks' channels of a face stream and tells
// where the others were.
func withoutLandmarks(info stream.Info) (stream.Info, []int) {
	marks := landmarkNames()
	var keep []int
	all := info.Channels
	info.Channels = nil
	for i, c := range all {
		if !slices.Contains(marks, c.Name) {
			info.Channels, keep = append(info.Channels, c), append(keep, i)
		}
	}
	return info, keep
}
