package store

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"emolab/fusion/facial"
	"emolab/fusion/stream"
)

// partFrames is how many frames are measured in one go, eleven minutes at 30 a
// second. Parts are measured beside each other: an hour takes 4 s of one core,
// because the pose of every head is solved for. Each begins without knowing the
// pose before, as after a gap. The number is fixed, so that the same recording is
// measured alike on every machine.
const partFrames = 20_000

// sparse is how many numbers may go by for each frame that is there. A stream
// with larger holes is measured in one go, lest the parts be mostly empty.
const sparse = 4

// part is a run of a face stream.
type part struct {
	samples []stream.Sample // with what the trace takes over
	epochs  []int
	frames  []facial.Measured
}

// faces reads a face stream. Every frame is measured as it comes and its
// landmarks are let go, which are nine tenths of an hour of them.
func (s *Store) faces(ctx context.Context, id string, segment int, t Stream) (aligned, error) {
	var a aligned
	var keep []int
	a.info, keep = taken(t.Info)
	var first, last int64
	if err := s.read.QueryRowContext(ctx, `SELECT coalesce(min(seq), 0), coalesce(max(seq), -1) FROM face_frame
		WHERE session_id = ? AND stream = ? AND segment = ?`, id, t.ID, segment).Scan(&first, &last); err != nil {
		return a, err
	}
	width := int64(partFrames)
	if last-first >= sparse*t.Rows {
		width = last - first + 1
	}
	parts := make([]part, (last-first)/width+1)
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i := range parts {
		from := first + int64(i)*width
		work.Go(func() (err error) {
			parts[i], err = s.measured(ctx, id, segment, t.Info, keep, from, min(from+width-1, last))
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return a, err
	}
	a.samples, a.epochs, a.frames = make([]stream.Sample, 0, t.Rows), make([]int, 0, t.Rows), make([]facial.Measured, 0, t.Rows)
	for i := range parts {
		p := &parts[i]
		a.samples, a.epochs, a.frames = append(a.samples, p.samples...), append(a.epochs, p.epochs...), append(a.frames, p.frames...)
		*p = part{}
	}
	return a, nil
}

// measured reads the frames from first to last. Of their values it keeps those
// at the places in keep.
func (s *Store) measured(ctx context.Context, id string, segment int, info stream.Info, keep []int, first, last int64) (part, error) {
	room := min(last-first+1, partFrames)
	p := part{samples: make([]stream.Sample, 0, room), epochs: make([]int, 0, room), frames: make([]facial.Measured, 0, room)}
	meter := facial.NewMeter(info)
	for row, err := range s.span(ctx, id, info.ID, segment, info, first, last) {
		if err != nil {
			return p, err
		}
		p.frames = append(p.frames, meter.Measure(row.Sample))
		narrow := make([]float64, len(keep))
		for i, at := range keep {
			narrow[i] = row.Values[at]
		}
		row.Values = narrow
		p.samples, p.epochs = append(p.samples, row.Sample), append(p.epochs, row.Epoch)
	}
	return p, nil
}
