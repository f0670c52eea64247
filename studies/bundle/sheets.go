package bundle

import (
	"context"
	"slices"
	"strings"

	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/store"
)

// Columns that several tables share.
func timeColumns(of string) []column {
	return []column{
		{"t_s", "s", "Seconds from the start of the segment to " + of + "."},
		{"at_ns", "ns", "The same on the lab clock (CLOCK_MONOTONIC of the recording machine)."},
	}
}

func segmentColumn() column {
	return column{"segment", "1", "Uninterrupted run of the session, from 0. Lab-clock times of two segments are not comparable."}
}

func streamColumn() column { return column{"stream", "", "Stream that the row is about."} }

func epochColumn() column {
	return column{"epoch", "1", "Run of the device's clock; grows at each reconnection or reset."}
}

// wordsAbout describes what was said of a stream.
const wordsAbout = "In words. Paths and network addresses of the recording machine are taken out: [path], [address]."

func (s *source) stimuli() sheet {
	return sheet{"stimuli.csv", "The study's videos.", []column{
		{"stimulus", "", "Id of the video in the study."},
		{"file", "", "File, relative to the study's folder."},
		{"brand", "", "Brand that the video shows."},
		{"tags", "", "Tags of the study file, parted by semicolons."},
		roleColumn(),
		{"sha256", "", "SHA-256 of the file, hex."},
		{"width_px", "px", "Width as displayed."},
		{"height_px", "px", "Height as displayed."},
		{"duration_ns", "ns", "Duration."},
		{"frames", "1", "Number of frames."},
	}, func(_ context.Context, t *table) error {
		for _, m := range s.detail.Study.Stimuli {
			t.text(m.ID)
			t.text(m.File)
			t.text(m.Brand)
			t.text(strings.Join(m.Tags, ";"))
			t.text(roleOf(m))
			t.text(m.SHA256)
			t.int(int64(m.Width))
			t.int(int64(m.Height))
			t.int(m.Duration.Nanoseconds())
			t.int(int64(m.Frames))
			t.end()
		}
		return nil
	}}
}

func (s *source) presentations() sheet {
	return sheet{"presentations.csv", "Which stimulus each presentation of the plan shows, and from when to when.", []column{
		{"t_s", "s", "Seconds from the start of the segment to its first frame on the screen; empty where none is known to have been."},
		{"at_ns", "ns", "The same on the lab clock (CLOCK_MONOTONIC of the recording machine)."},
		{"end_s", "s", "Seconds from the start of the segment to the end of its last frame; empty as well where the recording ended before."},
		{"segment", "1", "Segment that it was shown in, from 0; of one that began anew after a pause or an interruption, the last."},
		{"presentation", "1", "Number of the presentation in the session, from 1."},
		{"step", "1", "Step of the plan, from 0."},
		{"stimulus", "", "Id of the video."},
		roleColumn(),
		againColumn(),
		{"begun", "1", "1 where the step began on the screen, 0 where the session ended before."},
	}, func(_ context.Context, t *table) error {
		for _, p := range s.detail.Presentations {
			begun := int64(0)
			if p.Step <= s.detail.Reached {
				begun = 1
			}
			on := s.onScreen(p.Number)
			s.when(t, on.segment, on.from)
			if on.until == stimulus.Open || on.segment < 0 {
				t.empty()
			} else {
				t.seconds(s.start(on.segment), on.until)
			}
			t.segment(on.segment)
			t.int(int64(p.Number))
			t.int(int64(p.Step))
			t.text(p.Stimulus)
			t.text(s.roleOf(p))
			t.int(int64(p.Again))
			t.int(begun)
			t.end()
		}
		return nil
	}}
}

// stay is from when to when a video was on the screen; segment -1 = never, as far as is
// known.
type stay struct {
	segment     int
	from, until instant.Instant
}

// onScreen is the last stay of a presentation, which is the whole one where it began anew.
func (s *source) onScreen(presentation int) stay {
	last := stay{segment: -1}
	for _, g := range s.detail.Segments {
		cutOff := false // the showing before was of a stay that was cut off
		for _, v := range s.courses[g.Number] {
			if v.Presentation != presentation {
				continue
			}
			if last.segment != g.Number || cutOff && !v.CutOff {
				last = stay{g.Number, v.From, v.Until}
			}
			last.until, cutOff = v.Until, v.CutOff
		}
	}
	return last
}

// trace is the final trace: the table to begin with.
func (s *source) trace() sheet {
	info := trace.Info()
	columns := slices.Concat(timeColumns("the camera frame"), []column{
		{"err_ns", "ns", "Bound on the error of the row's time: by so much may a value belong to another instant."},
		segmentColumn(),
		{"seq", "1", "Number of the camera frame."},
		{"stimulus", "", "Id of the video on the screen; empty when there was none."},
	}, channelColumns(info))
	at := info.Index("presentation")
	return sheet{"trace.csv", "One row per camera frame, all streams joined.", columns, func(ctx context.Context, t *table) error {
		for row, err := range s.store.Trace(ctx, s.detail.ID, info) {
			if err != nil {
				return err
			}
			t.seconds(s.start(row.Segment), row.At)
			t.int(int64(row.At))
			t.int(int64(row.Err))
			t.int(int64(row.Segment))
			t.int(row.Seq)
			t.text(s.shown[int(row.Values[at])]) // NaN, unknown, is no presentation
			for _, v := range row.Values {
				t.float(v)
			}
			t.end()
		}
		return nil
	}}
}

// samples is one stream as it was observed, on the lab clock, beside what was on the
// screen at the instant of each sample. It has the channels
// that the stream has, and no column for those that its device never had. A segment
// that names its channels in another order is put in the order of the first; what
// only a later one has comes last.
func (s *source) samples(first store.Stream) sheet {
	info := first.Info
	info.Channels = slices.Clone(info.Channels)
	for _, g := range s.detail.Segments {
		for _, t := range g.Streams {
			for _, c := range t.Channels {
				if t.ID == info.ID && info.Index(c.Name) < 0 {
					info.Channels = append(info.Channels, c)
				}
			}
		}
	}
	columns := slices.Concat(timeColumns("when the sample was taken"), []column{
		{"err_ns", "ns", "Bound on the error of t_s and at_ns."},
		{"arrival_ns", "ns", "When the sample reached the recording machine, on the lab clock."},
		segmentColumn(), epochColumn(),
		{"seq", "1", "Number of the sample; lost samples are counted too."},
		{"tick", "1", "The device's own stamp."},
	})
	beside := info.Kind != stream.Stimulus // which tells of the screen itself
	if beside {
		columns = append(columns, besideColumns()...)
	}
	columns = append(columns, channelColumns(info)...)
	order := map[int][]int{} // of each segment: where the channels are; -1: it has not got them
	for _, g := range s.detail.Segments {
		for _, t := range g.Streams {
			if t.ID != info.ID {
				continue
			}
			for _, c := range info.Channels {
				order[g.Number] = append(order[g.Number], t.Index(c.Name))
			}
		}
	}
	kept32 := make([]bool, len(info.Channels))
	for i, c := range info.Channels {
		kept32[i] = info.Kind == stream.Face && strings.HasPrefix(c.Name, "lm")
	}
	about := "Stream " + info.ID + " of " + info.Device + " as observed."
	if first.FramesOf != "" {
		about = "Stream " + info.ID + ": the kept video of " + first.FramesOf + ", read again by " + info.Model + "."
	}
	if info.Simulated {
		about += " SIMULATED."
	}
	return sheet{"streams/" + info.ID + ".csv", about, columns, func(ctx context.Context, t *table) error {
		screen, segment := stimulus.NewCursor(nil), -1
		for row, err := range s.store.Samples(ctx, s.detail.ID, info.ID) {
			if err != nil {
				return err
			}
			if row.Segment != segment {
				segment = row.Segment
				screen = stimulus.NewCursor(s.courses[segment])
			}
			t.seconds(s.start(row.Segment), row.At)
			t.int(int64(row.At))
			t.int(int64(row.Err))
			t.int(int64(row.Arrival))
			t.int(int64(row.Segment))
			t.int(int64(row.Epoch))
			t.int(row.Seq)
			t.int(row.Tick)
			if beside {
				v, told := screen.At(row.At)
				t.beside(v, told, s.shown)
			}
			for i, at := range order[row.Segment] {
				switch {
				case at < 0:
					t.empty()
				case kept32[i]:
					t.float32(row.Values[at])
				default:
					t.float(row.Values[at])
				}
			}
			t.end()
		}
		return nil
	}}
}

func channelColumns(info stream.Info) []column {
	out := make([]column, len(info.Channels))
	for i, c := range info.Channels {
		out[i] = column{c.Name, c.Unit, c.Note}
	}
	return out
}

func (s *source) events() sheet {
	columns := append(timeColumns("when the event was seen"), segmentColumn(), streamColumn(), epochColumn(),
		column{"kind", "", "connected, disconnected, lost, fault or marker."},
		column{"count", "1", "How many, where the event counts something."},
		column{"detail", "", wordsAbout})
	return sheet{"events.csv", "What happened to the streams.", columns, func(ctx context.Context, t *table) error {
		all, err := s.store.Events(ctx, s.detail.ID)
		for _, e := range all {
			t.seconds(s.start(e.Segment), e.At)
			t.int(int64(e.At))
			t.int(int64(e.Segment))
			t.text(e.Stream)
			t.int(int64(e.Epoch))
			t.text(string(e.Kind))
			t.int(e.Count)
			t.text(s.store.WithoutPlaces(e.Detail))
			t.end()
		}
		return err
	}}
}

func (s *source) gaps() sheet {
	columns := []column{
		{"t_s", "s", "Seconds from the start of the segment to the beginning of the gap."},
		{"from_ns", "ns", "Beginning of the gap: latest arrival before it, the end of the gap before, or the start of the segment; for streams without a rate when the device was seen to be gone."},
		{"until_ns", "ns", "End of the gap; empty when the device did not come back in that segment."},
		segmentColumn(), streamColumn(),
		{"lost", "1", "Samples missing by their sequence numbers."},
		{"reason", "", "lost or disconnected."},
		{"detail", "", wordsAbout},
	}
	return sheet{"gaps.csv", "Holes in the streams.", columns, func(_ context.Context, t *table) error {
		for _, g := range s.detail.Gaps {
			t.seconds(s.start(g.Segment), g.From)
			t.int(int64(g.From))
			if g.Closed {
				t.int(int64(g.Until))
			} else {
				t.empty()
			}
			t.int(int64(g.Segment))
			t.text(g.Stream)
			t.int(g.Lost)
			t.text(g.Reason)
			t.text(s.store.WithoutPlaces(g.Detail))
			t.end()
		}
		return nil
	}}
}

func (s *source) probes() sheet {
	columns := []column{
		{"t_s", "s", "Seconds from the start of the segment to the question."},
		{"t0_ns", "ns", "When the question was sent, lab clock."},
		{"t3_ns", "ns", "When the answer was read, lab clock."},
		segmentColumn(), streamColumn(), epochColumn(),
		{"rx_tick", "1", "The device's clock when the question reached it."},
		{"tx_tick", "1", "The device's clock when it answered."},
	}
	return sheet{"clock/probes.csv", "Clock pings: what the alignment rests on.", columns, func(ctx context.Context, t *table) error {
		all, err := s.store.Probes(ctx, s.detail.ID)
		for _, p := range all {
			t.seconds(s.start(p.Segment), p.T0)
			t.int(int64(p.T0))
			t.int(int64(p.T3))
			t.int(int64(p.Segment))
			t.text(p.Stream)
			t.int(int64(p.Epoch))
			t.int(p.Rx)
			t.int(p.Tx)
			t.end()
		}
		return err
	}}
}

func (s *source) models() sheet {
	columns := []column{
		{"t_s", "s", "Seconds from the start of the segment to at0_ns."},
		{"at0_ns", "ns", "Lab clock at tick0. For a tick of the piece, at = at0_ns + ns_per_tick * (tick - tick0)."},
		{"err_ns", "ns", "Bound on the error of the piece."},
		segmentColumn(), streamColumn(), epochColumn(),
		{"tick0", "1", "First tick of the piece (sequence number, for a device without a clock)."},
		{"until_tick", "1", "Last tick of the piece."},
		{"ns_per_tick", "ns", "Length of a tick."},
	}
	return sheet{"clock/models.csv", "How ticks were mapped to the lab clock, piece by piece.", columns, func(ctx context.Context, t *table) error {
		all, err := s.store.Models(ctx, s.detail.ID)
		for _, m := range all {
			t.seconds(s.start(m.Segment), m.At0)
			t.int(int64(m.At0))
			t.int(int64(m.Err))
			t.int(int64(m.Segment))
			t.text(m.Stream)
			t.int(int64(m.Epoch))
			t.int(m.Tick0)
			t.int(m.Until)
			t.float(m.NsPerTick)
			t.end()
		}
		return err
	}}
}
