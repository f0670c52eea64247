package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"emolab/capture/face"
	"emolab/capture/record"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/store"
)

// sessionReprocessCmd derives a sealed session again.
type sessionReprocessCmd struct {
	Session string `arg:"" help:"The session's id, or \"last\"."`
	storeFlags
	Align   bool   `help:"Fit the clocks anew from the stored ticks, arrivals and pings, instead of deriving from the stored instants. Says what differs."`
	Video   bool   `help:"Read the kept video of the face again with the present nets, instead of deriving from the stored landmarks."`
	Neutral string `help:"The stretch with the face at rest, in seconds of the segment, as 2-6. Default: the calmest one is looked for." placeholder:"FROM-TO"`
	Segment int    `help:"The segment that --neutral counts in." default:"0" placeholder:"N"`
	Name    string `help:"Name of the new derivation. Default: the next of final-2, final-3 ..." placeholder:"NAME"`
	Current bool   `help:"Let the view trace, and exports, show the new derivation."`
	Show    string `help:"Derive nothing: only let the view trace, and exports, show this derivation, which is there." placeholder:"NAME"`
	Mirror  bool   `help:"With --video: average each face's expression with that of its mirror image." default:"true" negatable:""`
	detectorFlags
	JSON bool `help:"Print JSON."`
}

// Help shows examples below the flags.
func (sessionReprocessCmd) Help() string {
	return `The rows that are there stay as they are; the new ones stand beside them, under a
name of their own. Video is there only where the participant has allowed it.

The calibration of the gaze is fitted again too, from the targets that were shown and
the gaze meanwhile; what was accepted during the session is what gaze is corrected by.

With --align the clocks are fitted anew from what was observed. The program that
sealed the session comes to the same instants, to the nanosecond; a newer one may
not, and then the new derivation has the new ones: its clocks, its statements, what
was on the screen when, and the trace. It goes together with --video and --neutral.

Examples:
  emolab session reprocess last --align                is it the same again?
  emolab session reprocess last --neutral 2-6          another face at rest
  emolab session reprocess last --video                the present nets
  emolab session reprocess last --video --detector yunet --current
  emolab session reprocess last --show final           back to the first`
}

// Run is the command.
func (c *sessionReprocessCmd) Run(a *app) error {
	o := store.RederiveOptions{Name: c.Name, Align: c.Align, Current: c.Current, NeutralSegment: c.Segment, Software: "emolab " + version}
	if !c.Video && (c.Detector != face.DetectorTiny || c.DetectorSize != 0 || !c.Mirror) {
		return usagef("--detector, --detector-size and --no-mirror are for reading the video again: add --video")
	}
	if c.Show != "" && (c.Align || c.Video || c.Neutral != "" || c.Name != "") {
		return usagef("--show only changes what is shown: derive first, with --current, or leave the other flags out")
	}
	if c.Neutral != "" {
		from, until, err := parseStretch(c.Neutral)
		if err != nil {
			return err
		}
		o.NeutralFrom, o.NeutralUntil = from, until
	}
	s, id, err := c.open(a, c.Session, "")
	if err != nil {
		return err
	}
	defer s.Close()
	if c.Show != "" {
		if err := s.Show(a.ctx, id, c.Show); err != nil {
			return err
		}
		return c.print(a, s, id, store.Rederived{Name: c.Show})
	}
	if c.Video {
		if o.FaceStream, err = c.readVideo(a, s, id, filepath.Dir(s.Path())); err != nil {
			return err
		}
	}
	progress := newBar(a.err, 1, "deriving again")
	made, err := s.Rederive(a.ctx, id, o, progress.set)
	progress.finish()
	if err != nil {
		return err
	}
	return c.print(a, s, id, made)
}

// print lists the session's derivations, the new one among them, and what became of
// the clocks.
func (c *sessionReprocessCmd) print(a *app, s *store.Store, id string, made store.Rederived) error {
	d, err := s.Session(a.ctx, id)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, struct {
			Session     string             `json:"session"`
			Name        string             `json:"name"`
			Streams     []store.Realigned  `json:"streams,omitempty"`
			Derivations []store.Derivation `json:"derivations"`
		}{id, made.Name, made.Streams, d.Derivations})
	}
	if c.Show != "" {
		fmt.Fprintf(a.out, "%s shows the derivation %s\n", id, made.Name)
	} else {
		fmt.Fprintf(a.out, "%s has the new derivation %s\n", id, made.Name)
	}
	if made.Streams != nil {
		if err := printRealigned(a.out, made, len(d.Segments) > 1); err != nil {
			return err
		}
		fmt.Fprintln(a.out)
	}
	return printDerivations(a, &d)
}

// printRealigned says of each stream how its new instants compare with the stored ones.
func printRealigned(out io.Writer, made store.Rederived, segments bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nSTREAM\tSAMPLES\tINSTANTS\tBOUNDS\tDRIFT ppm\tERROR ±ms")
	same := true
	for _, r := range made.Streams {
		same = same && r.Same()
		name := r.Stream
		if segments {
			name = fmt.Sprintf("%s, segment %d", r.Stream, r.Segment+1)
		}
		instants, bounds := "the same to the nanosecond", "the same"
		if r.Moved > 0 {
			instants = fmt.Sprintf("%d differ, by %v at most", r.Moved, r.Furthest)
		}
		if r.Rebound > 0 {
			bounds = fmt.Sprintf("%d differ", r.Rebound)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%.1f\t%.2f\n", name, r.Samples, instants, bounds, r.Statement.DriftPPM, r.Statement.BoundMs)
	}
	if !same {
		fmt.Fprintf(w, "\nThe samples in the file keep their instants and bounds; the trace, what was on the\nscreen and the clocks of %s have the new ones.\n", made.Name)
	}
	return w.Flush()
}

// printDerivations lists how a session's trace was made, each time.
func printDerivations(a *app, d *store.Detail) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DERIVATION\tVERSION\tSHOWN\tFACE AT REST\tFROM\tGAZE\tNETS")
	for _, v := range d.Derivations {
		shown, rest := "", "-"
		if v.Current {
			shown = "yes"
		}
		if n, ok, err := d.Neutral(v.Name); err != nil {
			return err
		} else if ok {
			rest = fmt.Sprintf("%d frames in %.1f s", n.Frames, n.Until.Sub(n.From).Seconds())
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Name, v.Version, shown, rest, v.FaceStream, correctedBy(d, v.Name), v.Model)
	}
	return w.Flush()
}

// readVideo reads the kept video with the nets of the command line and adds what
// they see as a new face stream, whose id it returns.
func (c *sessionReprocessCmd) readVideo(a *app, s *store.Store, id, dir string) (string, error) {
	allowed, err := s.Consented(a.ctx, id, session.FaceVideo)
	if err != nil {
		return "", err
	}
	if !allowed {
		return "", fmt.Errorf("session %s: the participant has not allowed the video of the face to be kept: without --video it is derived again from the stored landmarks", id)
	}
	d, err := s.Session(a.ctx, id)
	if err != nil {
		return "", err
	}
	an, err := c.analyzer(c.Mirror)
	if err != nil {
		return "", err
	}
	defer an.Close()

	info := stream.Info{
		ID: freeStream(&d), Kind: stream.Face, Device: "kept video", Port: "video/" + id, Model: an.Models(),
		Clock: stream.HostClock, TickHz: 1e9, Channels: face.Channels(),
	}
	videos, err := s.Videos(a.ctx, id)
	if err != nil {
		return "", err
	}
	r := reading{an: an, progress: newBar(a.err, 1, "reading the video")}
	for _, v := range videos {
		r.total += int(v.Frames)
		if err := checkVideo(dir, v); err != nil {
			return "", err
		}
	}
	defer r.progress.finish()
	next, stop := iter.Pull2(record.Read(videoDir(dir, id)))
	defer stop()
	r.next = next
	if err := r.advance(); err != nil {
		return "", err
	}
	if !r.more {
		return "", fmt.Errorf("session %s: no video is kept in %s: was it moved or withdrawn?", id, videoDir(dir, id))
	}
	for r.more {
		segment := r.kept.Segment
		recorded, err := recordedFrames(a.ctx, s, id, segment)
		if err != nil {
			return "", err
		}
		if _, err := s.AddStream(a.ctx, id, segment, info, r.samples(a.ctx, segment, recorded)); err != nil {
			return "", err
		}
	}
	return info.ID, nil
}

// checkVideo compares a kept file with what was noted of it when it was closed.
func checkVideo(dir string, v store.Video) error {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(v.File)))
	if err != nil {
		return fmt.Errorf("a file of the kept video is missing: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != v.SHA256 {
		return fmt.Errorf("%s has changed since it was recorded: its SHA-256 is %s, not %s; nothing was derived from it", f.Name(), got, v.SHA256)
	}
	return nil
}

// freeStream returns the first free id for another face stream.
func freeStream(d *store.Detail) string {
	taken := func(id string) bool {
		return slices.ContainsFunc(d.Segments, func(g store.Segment) bool {
			return slices.ContainsFunc(g.Streams, func(t store.Stream) bool { return t.ID == id })
		})
	}
	for n := 2; ; n++ {
		if id := fmt.Sprintf("%s-%d", stream.Face, n); !taken(id) {
			return id
		}
	}
}

// recordedFrames are the numbers of the camera frames that a segment has rows
// of. The video may hold more: those that the analysis was too slow for.
func recordedFrames(ctx context.Context, s *store.Store, id string, segment int) (map[int64]bool, error) {
	seqs := map[int64]bool{}
	for row, err := range s.Samples(ctx, id, string(stream.Face)) {
		if err != nil {
			return nil, err
		}
		if row.Segment == segment {
			seqs[row.Seq] = true
		}
	}
	return seqs, nil
}

// reading goes through the kept frames once, segment by segment.
type reading struct {
	an          *face.Analyzer
	progress    *bar
	done, total int
	next        func() (record.Kept, error, bool)
	kept        record.Kept // the frame that comes next
	more        bool        // whether there is one
}

// advance takes the next frame from the video.
func (r *reading) advance() (err error) {
	r.kept, err, r.more = r.next()
	return err
}

// samples are what the nets see in a segment's frames, of those frames that were
// recorded.
func (r *reading) samples(ctx context.Context, segment int, recorded map[int64]bool) iter.Seq2[stream.Sample, error] {
	return func(yield func(stream.Sample, error) bool) {
		r.an.Reset()
		for ; r.more && r.kept.Segment == segment; r.done++ {
			r.progress.set(r.done, max(r.total, r.done), "reading the video")
			f := r.kept.Frame
			found, err := r.an.Analyze(f)
			if err := errors.Join(ctx.Err(), err, r.advance()); err != nil {
				yield(stream.Sample{}, err)
				return
			}
			if recorded[f.Seq] && !yield(stream.Sample{Seq: f.Seq, Values: found.Values()}, nil) {
				return
			}
		}
	}
}

// parseStretch reads "2-6" or "2.5s-6s": two times in seconds.
func parseStretch(text string) (from, until time.Duration, err error) {
	first, second, _ := strings.Cut(text, "-")
	a, err1 := strconv.ParseFloat(strings.TrimSuffix(first, "s"), 64)
	b, err2 := strconv.ParseFloat(strings.TrimSuffix(second, "s"), 64)
	if err1 != nil || err2 != nil {
		return 0, 0, usagef("--neutral %s: give two times in seconds, as 2-6", text)
	}
	if !(a >= 0 && b > a) {
		return 0, 0, usagef("--neutral %s: the second time must come after the first", text)
	}
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	return seconds(a), seconds(b), nil
}
