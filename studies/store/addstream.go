package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"emolab/fusion/stream"
)

// AddStream adds a face stream that a newer model has made of kept video to one
// segment of a sealed session, and returns how many samples were kept. Nothing
// that was there is changed: info.ID must be new in the segment ("face-2"). To
// derive the trace from it, see Rederive.
//
// A sample is of the camera frame with the same Seq in the face stream that was
// recorded: epoch, tick, arrival, instant and bound are taken from there, as are
// the clock, the rates, the measured latency and whether the camera is simulated. Samples may be
// missing; one of a frame that was not recorded is an error.
//
// The samples are gathered before the writer is taken, so that a session can
// record meanwhile: 1.4 KB each, 150 MB an hour at 30 frames a second.
func (s *Store) AddStream(ctx context.Context, id string, segment int, info stream.Info, samples iter.Seq2[stream.Sample, error]) (int64, error) {
	n, err := s.addStream(ctx, id, segment, info, samples)
	if err != nil {
		return 0, fmt.Errorf("store: session %s: add stream %q to segment %d: %w", id, info.ID, segment, explain(err))
	}
	return n, nil
}

func (s *Store) addStream(ctx context.Context, id string, segment int, info stream.Info, samples iter.Seq2[stream.Sample, error]) (int64, error) {
	if _, err := s.writer(); err != nil {
		return 0, err
	}
	if !names.MatchString(info.ID) {
		return 0, errors.New("use lower-case letters, digits, - and _ for its id")
	}
	if info.Kind != stream.Face {
		return 0, fmt.Errorf("it is of kind %q: only faces are read again from kept video", info.Kind)
	}
	l, err := layoutOf(info)
	if err != nil {
		return 0, err
	}
	d, err := s.sealed(ctx, id)
	if err != nil {
		return 0, err
	}
	original, err := d.camera(segment, info.ID)
	if err != nil {
		return 0, err
	}
	info.Clock, info.TickHz, info.Rate, info.Simulated, info.Shift = original.Clock, original.TickHz, original.Rate, original.Simulated, original.Shift

	frames := map[int64]Row{}
	for row, err := range s.rows(ctx, id, original.ID, segment, stream.Info{Kind: stream.Face}) {
		if err != nil {
			return 0, err
		}
		frames[row.Seq] = row
	}
	rows, err := matched(frames, samples, l.width)
	if err != nil {
		return 0, err
	}
	lost := int64(len(frames)-len(rows)) + original.Statement.Lost
	share := usableShare(info, len(rows), func(i int) []float64 { return rows[i].Values }, lost)

	err = s.change(ctx, func(tx *sql.Tx) error {
		if err := reopen(ctx, tx, id, opening{segment: segment, stream: info.ID}); err != nil {
			return err
		}
		if err := addStreamRow(ctx, tx, id, segment, d.places(segment), info, original.ID); err != nil {
			return err
		}
		if err := writeSamples(ctx, tx, id, segment, info.ID, l, rows); err != nil {
			return err
		}
		if err := addClock(ctx, tx, id, segment, original.ID, info.ID, int64(len(rows)), lost, share); err != nil {
			return err
		}
		if err := note(ctx, tx, id, "add", fmt.Sprintf("stream %s to segment %d: %d frames read by %s", info.ID, segment, len(rows), info.Model)); err != nil {
			return err
		}
		return reclose(ctx, tx, id)
	})
	if err != nil {
		return 0, err
	}
	return int64(len(rows)), s.checkpoint(ctx)
}

// camera returns the face stream that was recorded in a segment, to which a
// stream called id is to be added.
func (d *Detail) camera(segment int, id string) (Stream, error) {
	for _, g := range d.Segments {
		if g.Number != segment {
			continue
		}
		if slices.ContainsFunc(g.Streams, func(t Stream) bool { return t.ID == id }) {
			return Stream{}, errors.New("there is a stream of that id already, which stays as it is; give another id")
		}
		if k := slices.IndexFunc(g.Streams, recordedFace); k >= 0 {
			return g.Streams[k], nil
		}
		return Stream{}, errors.New("no face was recorded in it")
	}
	return Stream{}, errors.New("there is no such segment")
}

// places is how many streams a segment has.
func (d *Detail) places(segment int) int {
	for _, g := range d.Segments {
		if g.Number == segment {
			return len(g.Streams)
		}
	}
	return 0
}

// matched puts samples at the place of the frames with their numbers.
func matched(frames map[int64]Row, samples iter.Seq2[stream.Sample, error], width int) ([]Row, error) {
	var rows []Row
	seen := make(map[int64]bool, len(frames))
	for sample, err := range samples {
		if err != nil {
			return nil, err
		}
		row, ok := frames[sample.Seq]
		switch {
		case !ok:
			return nil, fmt.Errorf("sample %d is of a frame that was not recorded", sample.Seq)
		case seen[sample.Seq]:
			return nil, fmt.Errorf("sample %d comes twice", sample.Seq)
		case len(sample.Values) != width:
			return nil, fmt.Errorf("sample %d has %d values for %d channels", sample.Seq, len(sample.Values), width)
		}
		seen[sample.Seq] = true
		row.Values = sample.Values
		rows = append(rows, row)
	}
	return rows, nil
}

// writeSamples writes rows of one stream.
func writeSamples(ctx context.Context, tx *sql.Tx, id string, segment int, of string, l layout, rows []Row) error {
	return inRuns(ctx, tx, l.insert, rows, func(args []any, rows []Row) []any {
		args = append(args, id, of, segment)
		for _, row := range rows {
			args = l.bind(args, row.Epoch, row.Sample)
		}
		return args
	})
}

// addStreamRow writes what a stream of a segment is. place is its position in the
// lab's order, framesOf the stream whose frames it reads again, "" for one that is
// recorded.
func addStreamRow(ctx context.Context, tx *sql.Tx, id string, segment, place int, info stream.Info, framesOf string) error {
	channels, err := json.Marshal(info.Channels)
	if err != nil {
		return err
	}
	var by, within any // not measured
	calibration := ""
	if v := info.Shift; v != nil {
		by, within, calibration = int64(v.By), int64(v.Within), string(v.Calibration)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO stream (session_id, segment, id, kind, device, serial, port, clock, tick_hz, rate_hz, channels, simulated, model, frames_of, place, shift_ns, shift_err_ns, calibration)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, segment, info.ID, info.Kind, info.Device, info.Serial, info.Port, info.Clock, info.TickHz, info.Rate,
		string(channels), info.Simulated, info.Model, framesOf, place, by, within, calibration)
	return err
}
