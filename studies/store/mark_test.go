package store

import (
	"math"
	"slices"
	"testing"

	"emolab/fusion/stream"
	"emolab/studies/session"
)

// Marks are a stream without samples: it is kept, sealed and listed like any other, has no
// gap, and its words go with the traces.
func TestMarks(t *testing.T) {
	s := open(t)
	h := header(t, "20261123-101500-MARK")
	marks := stream.Info{ID: session.MarksID, Kind: stream.Mark, Device: "people", Clock: stream.HostClock, TickHz: 1e9, Channels: []stream.Channel{}}
	h.Streams = append(slices.Clone(h.Streams), marks)
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	eda := h.Streams[slices.IndexFunc(h.Streams, func(i stream.Info) bool { return i.Kind == stream.EDA })]
	note := session.Mark{Kind: session.NoteMark, Source: "console", Text: "laughs at the dog"}
	at := h.Segment.Start.Add(1e9)
	appendAll(t, r, run(eda, 0, 300), stream.Chunk{Stream: session.MarksID, Events: []stream.Event{{Kind: stream.Marker, At: at, Detail: note.Label()}}})
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, h.ID)
	k := slices.IndexFunc(d.Segments[0].Streams, func(v Stream) bool { return v.ID == session.MarksID })
	if k < 0 {
		t.Fatal("the marks are not listed")
	}
	if v := d.Segments[0].Streams[k]; v.Rows != 0 || v.Kind != stream.Mark || !math.IsNaN(float64(v.Usable)) {
		t.Errorf("listed as %+v", v)
	}
	for _, g := range d.Gaps {
		if g.Stream == session.MarksID {
			t.Errorf("marks have a gap: %+v", g)
		}
	}
	var label string
	var ns int64
	if err := s.read.QueryRowContext(t.Context(), "SELECT label, at_ns FROM marker WHERE stream = 'marks'").Scan(&label, &ns); err != nil {
		t.Fatal(err)
	}
	if got, ok := session.ReadMark(label); !ok || got != note || ns != int64(at) {
		t.Errorf("kept as %q at %d", label, ns)
	}
	if _, err := s.ErasePart(t.Context(), h.ID, Traces); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := s.read.QueryRowContext(t.Context(), "SELECT count(*) FROM event").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d events are left when the traces are erased (%v)", left, err)
	}
}
