package store

import (
	"context"
	"math"
	"slices"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/eda"
	"emolab/fusion/facial"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
)

// aligned is one stream of a segment on the lab clock, with what can be told of
// it alone.
type aligned struct {
	info      stream.Info     // of a face stream only what the trace takes over
	samples   []stream.Sample // with final At and Err
	epochs    []int           // of the samples, until the clock is fitted
	moved     []finalTime     // of the samples whose At or Err differ from the file's
	apart     apart           // the same in numbers
	pieces    []align.Piece
	statement align.Statement
	usable    float64
	frames    []facial.Measured // of a face stream: one a sample
	skin      eda.Result        // of a skin conductance
	seen      seen              // of a gaze
}

// release lets go of what is large and only needed to join the trace.
func (a *aligned) release() {
	a.samples, a.frames, a.skin, a.seen.eyes = nil, nil, eda.Result{}, trace.Eyes{}
}

// observed reads one stream as the file has it.
func (s *Store) observed(ctx context.Context, id string, segment int, t Stream, _ []align.Ping) (aligned, error) {
	if t.Kind == stream.Face {
		return s.faces(ctx, id, segment, t)
	}
	return s.plain(ctx, id, segment, t, wanted(t.Info))
}

// wanted leaves of a stream's channels those that anything is derived from.
func wanted(info stream.Info) stream.Info {
	var names []string
	switch info.Kind {
	case stream.EDA:
		names = []string{"eda_us", "eda_hold"}
	case stream.Gaze:
		names = []string{"gaze_x", "gaze_y", "gaze_valid", "pupil_left_mm", "pupil_right_mm"}
	case stream.Light, stream.Trigger: // their clocks only
	default:
		return info
	}
	info.Channels = slices.DeleteFunc(slices.Clone(info.Channels), func(c stream.Channel) bool { return !slices.Contains(names, c.Name) })
	return info
}

// plain reads one stream, of its channels those in info.
func (s *Store) plain(ctx context.Context, id string, segment int, t Stream, info stream.Info) (aligned, error) {
	a := aligned{info: info, samples: make([]stream.Sample, 0, t.Rows), epochs: make([]int, 0, t.Rows)}
	for row, err := range s.rows(ctx, id, t.ID, segment, info) {
		if err != nil {
			return a, err
		}
		a.samples, a.epochs = append(a.samples, row.Sample), append(a.epochs, row.Epoch)
	}
	return a, nil
}

// apart is by how much newly fitted instants and bounds are other than the file's.
type apart struct {
	instants, bounds int64 // samples whose At, whose Err is another
	furthest         time.Duration
}

// align reads one stream and fits its clock anew.
func (s *Store) align(ctx context.Context, id string, segment int, t Stream, pings []align.Ping) (aligned, error) {
	a, err := s.observed(ctx, id, segment, t, nil)
	if err == nil {
		err = s.fit(ctx, id, segment, t, pings, &a)
	}
	return a, err
}

// fit fits the clock of a stream that was read, and puts its samples where it says. A
// stream that reads another's frames again has that one's clock.
func (s *Store) fit(ctx context.Context, id string, segment int, t Stream, pings []align.Ping, a *aligned) (err error) {
	stamps := make([]align.Stamp, len(a.samples))
	for i, s := range a.samples {
		stamps[i] = align.Stamp{Epoch: a.epochs[i], Seq: s.Seq, Tick: s.Tick, Arrival: s.Arrival}
	}
	all := stamps
	if t.FramesOf != "" {
		if all, err = s.stamps(ctx, id, t.clockOf(), segment, t.Kind); err != nil {
			return err
		}
	}
	timeline, err := align.Fit(t.Info, all, pings)
	if err != nil {
		return err
	}
	for i := range a.samples {
		s := &a.samples[i]
		at, bound := timeline.At(a.epochs[i], timeline.Tick(stamps[i]))
		if at != s.At || bound != s.Err {
			if a.moved == nil {
				a.moved = make([]finalTime, 0, len(a.samples)-i)
			}
			a.moved = append(a.moved, finalTime{s.Seq, at, bound})
		}
		if at != s.At {
			a.apart.instants++
			a.apart.furthest = max(a.apart.furthest, at.Sub(s.At).Abs())
		}
		if bound != s.Err {
			a.apart.bounds++
		}
		s.At, s.Err = at, bound
	}
	for i := range a.frames {
		a.frames[i].At = a.samples[i].At
	}
	a.pieces, a.statement = timeline.Pieces(), timeline.Statement()
	if t.FramesOf != "" {
		a.statement.Lost += int64(len(all) - len(stamps))
		a.statement.Samples = int64(len(stamps))
	}
	a.usable = usableShare(a.info, len(a.samples), func(i int) []float64 { return a.samples[i].Values }, a.statement.Lost)
	return nil
}

// stamps reads what alignment needs of a stream and nothing else.
func (s *Store) stamps(ctx context.Context, id, of string, segment int, kind stream.Kind) ([]align.Stamp, error) {
	var out []align.Stamp
	for row, err := range s.rows(ctx, id, of, segment, stream.Info{Kind: kind}) {
		if err != nil {
			return nil, err
		}
		out = append(out, align.Stamp{Epoch: row.Epoch, Seq: row.Seq, Tick: row.Tick, Arrival: row.Arrival})
	}
	return out, nil
}

// usableShare is the share of the samples that should be there which are there and
// say something: EDA with a value, gaze that is valid, frames with a face. Every
// displayed frame of a stimulus counts. Of readings that come in bursts, of trigger
// codes and of marks, nobody can say how many there should be: NaN. values are those of
// each of the n samples.
func usableShare(info stream.Info, n int, values func(i int) []float64, lost int64) float64 {
	if info.Kind == stream.Light || info.Kind == stream.Trigger || info.Kind == stream.Mark {
		return math.NaN()
	}
	if n == 0 {
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
	found := 0
	for i := range n {
		if good(values(i)) {
			found++
		}
	}
	return float64(found) / float64(int64(n)+lost)
}

// taken leaves of a face stream's channels those that the trace takes over as
// they are, and tells where they were.
func taken(info stream.Info) (stream.Info, []int) {
	row := trace.Info()
	var keep []int
	all := info.Channels
	info.Channels = nil
	for i, c := range all {
		if row.Index(c.Name) >= 0 {
			info.Channels, keep = append(info.Channels, c), append(keep, i)
		}
	}
	return info, keep
}
