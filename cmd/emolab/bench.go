package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"emolab/capture/face"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/bundle"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// benchCmd measures this workstation.
type benchCmd struct {
	What     []string `arg:"" optional:"" help:"What to measure: face, sync, signals, record, console. Default: all." enum:"face,sync,signals,record,console"`
	Video    string   `help:"face: read this video instead of the drawn face." type:"existingfile" placeholder:"FILE"`
	Frames   int      `help:"face: how many frames to read at each size." default:"300"`
	Detector string   `help:"face: what searches the whole picture: tiny, or yunet where it is installed." enum:"tiny,yunet" default:"tiny"`
	Peer     string   `help:"face: race the npm package that is installed in this folder (capture/face/interop after npm ci), frame by frame." type:"existingdir" placeholder:"DIR"`
	Minutes  float64  `help:"sync: how long each simulated recording is; console: how long it is watched." default:"10"`
	Hold     bool     `help:"console: print its address, to open it in a browser meanwhile."`
	Scenario string   `help:"sync: only the scenarios whose names contain these words, such as 'box loaded'." placeholder:"WORDS"`
	Python   string   `help:"signals: race the Python programs that are installed in this folder (fusion/eda/interop after make interop-signals) and compare the results." type:"existingdir" placeholder:"DIR"`
	Pictures string   `help:"sync: write its two pictures (SVG) into this folder." placeholder:"DIR"`
	JSON     bool     `help:"Print JSON: one array, one object a line of the tables."`
}

// Help shows examples below the flags.
func (benchCmd) Help() string {
	return `Examples:
  emolab bench face record
  emolab bench face --video clip.mp4 --frames 1000
  emolab bench face --peer capture/face/interop --video clip.mp4
  emolab bench sync
  emolab bench sync --scenario 'box 2000 ppm 16 ms loaded' --json
  emolab bench sync --minutes 2 --scenario tracker --pictures .
  emolab bench signals
  emolab bench signals --python fusion/eda/interop --json
  emolab bench console --minutes 1

Measure on an idle machine: a busy one shows its own load, not Emolab's. So a
missed time does not fail; that of signals is marked as missed. What does not
depend on the machine does: it fails (exit code 1) when sync, whose recordings
are simulated, misses a budget, or when results differ from the Python programs'
by more than is allowed.`
}

// figure is one measured number beside its budget.
type figure struct {
	What   string  `json:"what"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Budget string  `json:"budget,omitempty"`
}

// benches are the measurements by name, in the order of the tables.
func (c *benchCmd) benches(r *benchReport) []struct {
	name string
	run  func(context.Context, *bar) error
} {
	figures := func(measure func(context.Context, *bar) ([]figure, error)) func(context.Context, *bar) error {
		return func(ctx context.Context, progress *bar) error {
			found, err := measure(ctx, progress)
			r.figures = append(r.figures, found...)
			return err
		}
	}
	return []struct {
		name string
		run  func(context.Context, *bar) error
	}{
		{"face", figures(c.face)},
		{"sync", func(ctx context.Context, progress *bar) (err error) {
			r.sync, err = c.clocks(ctx, progress)
			return err
		}},
		{"signals", func(ctx context.Context, progress *bar) error {
			found, err := c.signals(ctx, progress)
			r.figures = append(r.figures, found.figures...)
			r.apart = append(r.apart, found.apart...)
			return err
		}},
		{"record", figures(benchRecord)},
		{"console", figures(c.consoleUnderLoad)},
	}
}

// Run is the command.
func (c *benchCmd) Run(a *app) error {
	var r benchReport
	for _, b := range c.benches(&r) {
		if len(c.What) > 0 && !slices.Contains(c.What, b.name) {
			continue
		}
		progress := newBar(a.err, 1, b.name)
		err := b.run(a.ctx, progress)
		progress.finish()
		if err != nil {
			return fmt.Errorf("bench %s: %w", b.name, err)
		}
	}
	if err := r.print(a.out, c.JSON); err != nil {
		return err
	}
	return errors.Join(r.sync.missed(), differing(r.apart))
}

// differing is the error of results that are not the other programs'.
func differing(what []string) error {
	if len(what) == 0 {
		return nil
	}
	return errors.New("bench: results differ by more than is allowed: " + strings.Join(what, "; "))
}

// benchReport is what was measured.
type benchReport struct {
	figures []figure
	sync    syncReport
	apart   []string // which results differ from another program's
}

// print writes tables, or all of their lines as one flat array.
func (r benchReport) print(out io.Writer, asJSON bool) error {
	if asJSON {
		lines := []any{}
		for _, row := range r.sync {
			lines = append(lines, row)
		}
		for _, f := range r.figures {
			lines = append(lines, f)
		}
		return printJSON(out, lines)
	}
	if err := r.sync.print(out); err != nil || len(r.figures) == 0 {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WHAT\tMEASURED\tBUDGET")
	for _, f := range r.figures {
		fmt.Fprintf(w, "%s\t%.4g %s\t%s\n", f.What, f.Value, f.Unit, f.Budget)
	}
	return w.Flush()
}

// benchID is the id of the session that benchRecord writes.
const benchID = "bench"

// benchRecord measures how fast samples become durable, and how much disk an
// hour of a typical lab takes.
func benchRecord(ctx context.Context, progress *bar) ([]figure, error) {
	dir, err := os.MkdirTemp("", "emolab-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	progress.set(0, 2, "record: samples into SQLite")
	rate, err := benchRate(ctx, filepath.Join(dir, "rate.db"))
	if err != nil {
		return nil, err
	}
	progress.set(1, 2, "record: a minute of a whole lab")
	hour, err := benchHour(ctx, filepath.Join(dir, "hour.db"))
	if err != nil {
		return nil, err
	}
	return []figure{
		{"EDA samples into SQLite, durable, 512 a transaction", rate, "samples/s", ">= 100,000"},
		{"size of an hour of a whole lab, sealed", hour.database / (1 << 20), "MB/h", ""},
		{"size of its bundle", hour.bundle / (1 << 20), "MB/h", ""},
	}, nil
}

// hourly are bytes an hour.
type hourly struct{ database, bundle float64 }

// benchRate appends EDA samples in full transactions for some seconds.
func benchRate(ctx context.Context, path string) (float64, error) {
	const batch, batches = 512, 1000
	s, rec, err := benchSession(ctx, path)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	begin := time.Now()
	for n := range int64(batches) {
		chunk := benchChunk("eda", n*batch, batch, 2)
		if err := rec.Append(ctx, []stream.Chunk{chunk}); err != nil {
			return 0, err
		}
	}
	return batch * batches / time.Since(begin).Seconds(), nil
}

// benchHour records a minute of a whole lab, seals and exports it, and scales
// the sizes.
func benchHour(ctx context.Context, path string) (hourly, error) {
	s, rec, err := benchSession(ctx, path)
	if err != nil {
		return hourly{}, err
	}
	defer s.Close()
	const seconds = 60
	for n := range int64(seconds) {
		var second []stream.Chunk
		for _, info := range benchStreams() {
			rate := int64(info.Rate)
			second = append(second, benchChunk(info.ID, n*rate, rate, len(info.Channels)))
		}
		if err := rec.Append(ctx, second); err != nil {
			return hourly{}, err
		}
	}
	if err := rec.Seal(ctx, nil); err != nil {
		return hourly{}, err
	}
	exported, err := bundle.NewExporter(s, filepath.Dir(path)).Export(ctx, benchID, nil)
	if err != nil {
		return hourly{}, err
	}
	var size [2]float64
	for i, file := range []string{path, exported} {
		info, err := os.Stat(file)
		if err != nil {
			return hourly{}, err
		}
		size[i] = float64(info.Size()) * 3600 / seconds
	}
	return hourly{size[0], size[1]}, nil
}

func benchSession(ctx context.Context, path string) (*store.Store, session.Recorder, error) {
	s, err := store.Open(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	st := &study.Study{ID: "bench", Hash: "bench", Canonical: []byte("{}")}
	rec, err := s.Begin(ctx, session.Header{
		ID: benchID, Study: st, Participant: "BENCH", Streams: benchStreams(), Software: "emolab " + version,
		Segment: session.Segment{Boot: "bench", Wall: time.Now()},
	})
	if err != nil {
		s.Close()
		return nil, nil, err
	}
	return s, rec, nil
}

// benchStreams are those of a typical lab.
func benchStreams() []stream.Info {
	host := func(id string, kind stream.Kind, rate float64, channels ...string) stream.Info {
		info := stream.Info{ID: id, Kind: kind, Device: "bench", Clock: stream.HostClock, TickHz: 1e9, Rate: rate, Simulated: true}
		for _, name := range channels {
			info.Channels = append(info.Channels, stream.Channel{Name: name})
		}
		return info
	}
	faces := host("face", stream.Face, 30)
	faces.Channels = face.Channels()
	rows := trace.Info()
	rows.Rate = 30
	return []stream.Info{
		host("eda", stream.EDA, 100, "raw", "eda_us"),
		host("gaze", stream.Gaze, 60, "gaze_x", "gaze_y", "gaze_valid", "pupil_left_mm", "pupil_right_mm"),
		faces,
		host("stimulus", stream.Stimulus, 30, "presentation", "frame", "media_ns", "presented_frames", "rect_x", "rect_y", "rect_w", "rect_h"),
		rows,
	}
}

// benchChunk is a run of n samples with values that do not compress by being round.
func benchChunk(id string, seq, n int64, channels int) stream.Chunk {
	c := stream.Chunk{Stream: id}
	for k := range n {
		at := int64(1e12) + (seq+k)*1e7
		s := stream.Sample{Seq: seq + k, Tick: at, Arrival: instant.Instant(at), At: instant.Instant(at), Err: 1e5}
		for v := range channels {
			s.Values = append(s.Values, float64((seq+k)*7919%10007)/(997+float64(v)))
		}
		c.Samples = append(c.Samples, s)
	}
	return c
}
