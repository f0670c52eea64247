package bundle

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
	"emolab/studies/store"
)

// readCourses reads what was on the screen when.
func (s *source) readCourses(ctx context.Context) error {
	s.courses = map[int][]stimulus.Showing{}
	for v, err := range s.store.Displayed(ctx, s.detail.ID) {
		if err != nil {
			return err
		}
		s.courses[v.Segment] = append(s.courses[v.Segment], v.Showing)
	}
	s.shown = map[int]string{}
	for _, p := range s.detail.Presentations {
		s.shown[p.Number] = p.Stimulus
	}
	return nil
}

// screenColumns are what was on the screen, in the order in which screen writes them.
func screenColumns() []column {
	return []column{
		{"presentation", "1", "Number of the presentation on the screen, from 1; 0 while there was none; empty where that is not known."},
		{"stimulus", "", "Id of the video on the screen; empty when there was none or it is not known."},
		{"frame", "1", "Number of the displayed frame within the video file, from 0; empty where there was none or it is not known."},
		{"media_s", "s", "Time of that frame within the video file."},
	}
}

// besideColumns are what was on the screen at the instant of a sample.
func besideColumns() []column {
	columns := screenColumns()
	columns[0].about = "Number of the presentation on the screen at that instant, from 1; 0 while there was none; empty where that is not known, and where one was cut off that began anew later, so that no second of it counts twice (displayed.csv has both)."
	return columns
}

// beside writes what was on the screen at the instant of a sample.
func (t *table) beside(v stimulus.Showing, told bool, names map[int]string) {
	if !told || v.CutOff {
		v = stimulus.Showing{}
	}
	t.screen(v, names)
}

// screen writes what was on the screen.
func (t *table) screen(v stimulus.Showing, names map[int]string) {
	if !v.Known && v.Presentation == 0 {
		t.empty()
	} else {
		t.int(int64(v.Presentation))
	}
	t.text(names[v.Presentation]) // there is no presentation 0
	if !v.Known || v.Presentation == 0 {
		t.empty()
		t.empty()
		return
	}
	t.int(v.Frame)
	t.seconds(0, instant.Instant(v.Media))
}

// displayed is the table of showings.
func (s *source) displayed() sheet {
	columns := []column{
		{"t_s", "s", "Seconds from the start of the segment to when this came on the screen."},
		{"from_ns", "ns", "The same on the lab clock."},
		{"until_ns", "ns", "When it left the screen; empty when it stayed to the end of the segment."},
		{"err_ns", "ns", "Bound on the error of t_s and from_ns."},
		segmentColumn(),
		{"known", "1", "1 where the frame, or that there was none, is known; 0 while nobody can know: the page was away, or a frame was displayed that the browser did not report."},
	}
	columns = append(columns, screenColumns()...)
	columns = append(columns,
		column{"skipped", "1", "Frames of the video before this one that were never displayed."},
		column{"unreported", "1", "Frames before this one that were displayed and not reported."},
		column{"cut_off", "1", "1 where the presentation began anew later (the page was reloaded, the session was continued): trace.csv and the samples leave this one out."})
	about := "What was on the screen when, one row a displayed frame or pause."
	return sheet{"displayed.csv", about, columns, func(_ context.Context, t *table) error {
		for _, g := range s.detail.Segments {
			for _, v := range s.courses[g.Number] {
				t.seconds(g.Start, v.From)
				t.int(int64(v.From))
				if v.Until == stimulus.Open {
					t.empty()
				} else {
					t.int(int64(v.Until))
				}
				t.int(int64(v.Err))
				t.int(int64(g.Number))
				t.bool(v.Known)
				t.screen(v, s.shown)
				t.int(v.Skipped)
				t.int(v.Unreported)
				t.bool(v.CutOff)
				t.end()
			}
		}
		return nil
	}}
}

// summary counts what became of the frames of a segment; nil where that was not
// derived.
func (s *source) summary(g store.Segment) *stimulus.Summary {
	course := s.courses[g.Number]
	if len(course) == 0 {
		return nil
	}
	sum := stimulus.Sum(course, max(g.Until, course[0].From))
	return &sum
}

// shift is a stream's measured latency without what it tells of the machine: where
// the device that saw the light was found.
func (s *source) shift(info stream.Info) *stream.Shift {
	if info.Shift == nil {
		return nil
	}
	out := *info.Shift
	if out.Calibration != nil {
		out.Calibration = json.RawMessage(s.store.JSONWithoutPlaces(string(out.Calibration)))
	}
	return &out
}

// realigned says that the tables of samples stand on other clocks than the rest, where
// they do. It ends with a line end.
func (s *source) realigned() string {
	for _, d := range s.detail.Derivations {
		if d.Current && d.Realigned {
			return fmt.Sprintf("The clocks were fitted once more for the derivation %s: trace.csv, displayed.csv,\nalignment.json and clock/models.csv have its times. at_ns and t_s of the samples\n(streams/) stay those of sealing; from tick, clock/models.csv gives the new ones.\n", d.Name)
		}
	}
	return ""
}

// latencies says of what is shown and of what a camera takes whether its latency was
// measured, and what follows. Each line ends with a line end.
func (s *source) latencies() string {
	var lines []string
	for _, g := range s.detail.Segments {
		for _, t := range g.Streams {
			if line := latencyOf(t.Info); !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return strings.Join(lines, "")
}

func latencyOf(info stream.Info) string {
	is := "light on the screen"
	switch info.Kind {
	case stream.Stimulus:
	case stream.Face:
		is = "the middle of the exposure"
	default:
		return "" // nothing that light could measure
	}
	switch v := info.Shift; {
	case v != nil:
		return fmt.Sprintf("Latency of %s: measured%s. Times are those of %s,\nmoved by %+.1f ms and true to %.1f ms beyond the clocks' own bounds.\n",
			info.ID, measuredOn(v.Calibration), is, milliseconds(v.By), milliseconds(v.Within))
	case info.Simulated:
		return "" // neither glass nor lens
	}
	return fmt.Sprintf("Latency of %s: NOT measured. What it may be is within the bounds.\n", info.ID)
}

// measuredOn is the day of a calibration, as far as it says.
func measuredOn(calibration json.RawMessage) string {
	var v struct {
		At time.Time `json:"measured_at"`
	}
	if err := json.Unmarshal(calibration, &v); err != nil || v.At.IsZero() {
		return ""
	}
	return " on " + v.At.UTC().Format(time.DateOnly)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
