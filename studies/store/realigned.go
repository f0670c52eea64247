package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/stream"
)

// Realigned says what fitting the clock of one stream of a segment anew has given,
// beside the instants in the file, which stay as they are.
type Realigned struct {
	Segment int    `json:"segment"`
	Stream  string `json:"stream"`
	Samples int64  `json:"samples"`
	// Moved counts the samples whose instant is another, and Furthest is by how much
	// at most. Rebound counts those whose bound is another.
	Moved    int64         `json:"moved"`
	Furthest time.Duration `json:"furthest_ns"`
	Rebound  int64         `json:"rebound"`
	// Statement is the new one.
	Statement align.Statement `json:"statement"`
}

// Same tells whether every instant and bound is what it was, to the nanosecond.
func (r Realigned) Same() bool { return r.Moved == 0 && r.Rebound == 0 }

// realigned says what became of the streams of a derivation.
func (d *derived) realigned() []Realigned {
	var out []Realigned
	for _, f := range d.segments {
		for _, a := range f.clocked() {
			out = append(out, Realigned{
				Segment: f.segment, Stream: a.info.ID, Samples: a.statement.Samples,
				Moved: a.apart.instants, Furthest: a.apart.furthest, Rebound: a.apart.bounds,
				Statement: a.statement,
			})
		}
	}
	return out
}

// alignOthers fits the clocks of the streams that a derivation leaves out, so that it
// has one for every stream. left are the segments with those streams, in the order of
// out's.
func (s *Store) alignOthers(ctx context.Context, id string, left []Segment, out *derived) error {
	probes, err := s.Probes(ctx, id)
	if err != nil {
		return err
	}
	for i, g := range left {
		for _, t := range g.Streams {
			info := t.Info
			info.Channels = slices.DeleteFunc(slices.Clone(info.Channels), func(c stream.Channel) bool { return c.Name != "face_found" })
			a, err := s.plain(ctx, id, g.Number, t, info)
			if err == nil {
				err = s.fit(ctx, id, g.Number, t, pingsOf(probes, g.Number, t.clockOf()), &a)
			}
			if err != nil {
				return fmt.Errorf("segment %d, stream %s: %w", g.Number, t.ID, err)
			}
			a.release()
			out.segments[i].others = append(out.segments[i].others, a)
		}
	}
	return nil
}

// clockOf is the id of the stream whose clock a stream has.
func (t Stream) clockOf() string {
	if t.FramesOf != "" {
		return t.FramesOf
	}
	return t.ID
}

// writeClocks writes the newly fitted clocks as those of a derivation.
func (d *derived) writeClocks(ctx context.Context, tx *sql.Tx, id, name string) error {
	for _, f := range d.segments {
		for _, a := range f.clocked() {
			if err := writeClock(ctx, tx, id, name, f.segment, a); err != nil {
				return err
			}
		}
	}
	return nil
}
