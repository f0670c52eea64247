package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"emolab/calibration/latency"
	"emolab/fusion/stream"
	"emolab/studies/bundle"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

type sessionCmd struct {
	List   sessionListCmd   `cmd:"" help:"List the sessions of a study."`
	Show   sessionShowCmd   `cmd:"" help:"Show one session: its streams, their errors, its gaps, its calibrations."`
	Export sessionExportCmd `cmd:"" help:"Export a sealed session again, as a bundle."`

	Reprocess sessionReprocessCmd `cmd:"" help:"Derive a sealed session again, beside what is there: its clocks, another face at rest, newer nets."`
	Move      sessionMoveCmd      `cmd:"" help:"Give a session to another participant, when it was begun under the wrong code."`
	Judge     sessionJudgeCmd     `cmd:"" help:"Say whether a session counts, whatever the rules of its study say."`
	Receipt   sessionReceiptCmd   `cmd:"" help:"Give a participant another withdrawal code: one who was cut off before they had it, or has lost it."`
	Withdraw  sessionWithdrawCmd  `cmd:"" help:"Take back what a participant gave: everything, or the video of the face."`
}

// storeFlags name the file of a study.
type storeFlags struct {
	Data string `help:"The data folder. Default: emolab-data here." default:"emolab-data" type:"path" placeholder:"DIR"`
	DB   string `help:"The study's file. Default: the only .db file in the data folder." type:"path" placeholder:"FILE"`
}

// path finds the study's file.
func (f storeFlags) path() (string, error) {
	if f.DB != "" {
		return f.DB, nil
	}
	var found []string
	for _, name := range study.FilesOf(f.Data) {
		if filepath.Ext(name) == ".db" {
			found = append(found, filepath.Join(f.Data, name))
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", usagef("%s holds no study (*.db): name its folder with --data, or the file with --db", f.Data)
	}
	return "", usagef("%s holds several studies: name one with --db: %v", f.Data, found)
}

// view opens the study's file for reading, also while `emolab serve` runs.
func (f storeFlags) view(a *app) (*store.Store, error) {
	path, err := f.path()
	if err != nil {
		return nil, err
	}
	return store.View(a.ctx, path)
}

// open opens the study's file for writing and finds the session. instead says
// what can be done while an emolab records into it; it may be empty.
func (f storeFlags) open(a *app, session, instead string) (s *store.Store, id string, err error) {
	path, err := f.path()
	if err != nil {
		return nil, "", err
	}
	if s, err = store.Open(a.ctx, path); err != nil {
		if errors.Is(err, store.ErrInUse) && instead != "" {
			err = fmt.Errorf("%w, or %s", err, instead)
		}
		return nil, "", err
	}
	if id, err = resolve(a, s, session); err != nil {
		return nil, "", errors.Join(err, s.Close())
	}
	return s, id, nil
}

type sessionListCmd struct {
	storeFlags
	JSON bool `help:"Print JSON."`
}

// Help shows an example below the flags.
func (sessionListCmd) Help() string { return "Example:\n  emolab session list --data emolab-demo" }

// Run is the command.
func (c *sessionListCmd) Run(a *app) error {
	s, err := c.view(a)
	if err != nil {
		return err
	}
	defer s.Close()
	all, err := s.Sessions(a.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, all)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SESSION\tPARTICIPANT\tSTATE\tUSABLE\tSTARTED\tLENGTH\tFRAMES\tNOTE")
	for _, v := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", v.ID, v.Participant, v.Standing(), counts(v.Usable),
			v.Started.Local().Format("2006-01-02 15:04"), v.Duration.Round(time.Second), v.Frames, aside(v))
	}
	return w.Flush()
}

// aside says in words what is special about a session.
func aside(v session.Summary) string {
	var notes []string
	if v.Simulated {
		notes = append(notes, "simulated")
	}
	if v.Run > 1 && v.State != session.Declined {
		notes = append(notes, fmt.Sprintf("run %d", v.Run))
	}
	notes = append(notes, erasedNotes(v)...)
	for _, why := range []string{v.Reason, v.UsableWhy} {
		if why != "" && !slices.Contains(notes, why) {
			notes = append(notes, why)
		}
	}
	return strings.Join(notes, "; ")
}

// erasedNotes says what of a session was erased because its date was past.
func erasedNotes(v session.Summary) []string {
	var notes []string
	if !v.TracesErased.IsZero() {
		notes = append(notes, "recordings and answers erased on "+day(v.TracesErased)+" (retention)")
	}
	if !v.VideoErased.IsZero() {
		notes = append(notes, "video of the face erased on "+day(v.VideoErased)+" (retention)")
	}
	return notes
}

// counts says whether a session does.
func counts(usable *bool) string {
	switch {
	case usable == nil:
		return "-"
	case *usable:
		return "yes"
	}
	return "no"
}

type sessionShowCmd struct {
	Session string `arg:"" help:"The session's id, or \"last\"."`
	storeFlags
	JSON bool `help:"Print JSON."`
}

// Help shows an example below the flags.
func (sessionShowCmd) Help() string { return "Example:\n  emolab session show last --data emolab-demo" }

// Run is the command.
func (c *sessionShowCmd) Run(a *app) error {
	s, err := c.view(a)
	if err != nil {
		return err
	}
	defer s.Close()
	id, err := resolve(a, s, c.Session)
	if err != nil {
		return err
	}
	d, err := s.Session(a.ctx, id)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, d)
	}
	order := fmt.Sprintf("order %d", d.Row)
	if d.Row == importRow {
		order = "a film that was read in"
	}
	fmt.Fprintf(a.out, "%s  %s  participant %s, %s\n", d.ID, d.Standing(), d.Participant, order)
	fmt.Fprintf(a.out, "study %s, version %d (%s)  %s\n", d.Study.ID, d.Study.Version, d.Study.Hash[:min(12, len(d.Study.Hash))], d.Software)
	fmt.Fprintf(a.out, "started %s, %s, %d trace rows\n", d.Started.Local().Format(time.RFC1123), d.Duration.Round(time.Second), d.Frames)
	if d.Reason != "" {
		fmt.Fprintf(a.out, "note: %s\n", d.Reason)
	}
	if d.Bundle != "" {
		fmt.Fprintf(a.out, "bundle %s\n", d.Bundle)
	}
	for _, note := range erasedNotes(d.Summary) {
		fmt.Fprintln(a.out, note)
	}
	printConsents(a.out, &d)
	if err := printAnswers(a, s, &d); err != nil {
		return err
	}
	for _, g := range d.Segments {
		if len(d.Segments) > 1 {
			fmt.Fprintf(a.out, "\nsegment %d of %d, from step %d of the plan", g.Number+1, len(d.Segments), g.First+1)
		}
		if err := printStreams(a.out, g.Streams); err != nil {
			return err
		}
		printLatencies(a.out, g.Streams)
	}
	switch d.State {
	case session.Prepared:
		fmt.Fprintln(a.out, "Nothing is recorded yet: the participant reads and answers.")
	case session.Declined:
		fmt.Fprintln(a.out, "Nothing was recorded.")
	case session.Recording, session.Recovered, session.Failed:
		fmt.Fprintln(a.out, "Not sealed: errors are stated when it is.")
	}
	if err := printGaps(a, d.Gaps); err != nil {
		return err
	}
	if err := printGaze(a.out, &d); err != nil {
		return err
	}
	if len(d.Derivations) < 3 { // live and final: every sealed session has them
		return nil
	}
	fmt.Fprintln(a.out)
	return printDerivations(a, &d)
}

// printConsents says what the participant answered, and what video is kept.
func printConsents(out io.Writer, d *store.Detail) {
	for _, c := range d.Consents {
		answer := "no"
		if c.Granted {
			answer = "yes"
		}
		fmt.Fprintf(out, "%s: %s, %s, %s\n", c.Scope, answer, c.Wall.Local().Format("2006-01-02 15:04:05"), c.How)
	}
	kept := false // by the latest answer
	for _, c := range d.Consents {
		if c.Scope == session.FaceVideo {
			kept = c.Granted
		}
	}
	if len(d.Videos) == 0 || !kept {
		return
	}
	var frames, bytes int64
	for _, v := range d.Videos {
		frames, bytes = frames+v.Frames, bytes+v.Bytes
	}
	fmt.Fprintf(out, "face video kept: %d files, %d frames, %.1f MB\n", len(d.Videos), frames, float64(bytes)/(1<<20))
}

// printAnswers says how much the participant answered, and what the session counts for.
func printAnswers(a *app, s *store.Store, d *store.Detail) error {
	answers, err := s.Answers(a.ctx, d.ID)
	if err != nil {
		return err
	}
	values, pages := 0, 0
	for _, v := range answers {
		values += len(v.Values)
		pages++
	}
	if pages > 0 {
		fmt.Fprintf(a.out, "answers: %d on %d pages\n", values, pages)
	}
	switch {
	case d.Usable == nil:
	case d.UsableWhy == "":
		fmt.Fprintf(a.out, "usable: %s\n", counts(d.Usable))
	default:
		fmt.Fprintf(a.out, "usable: %s (%s)\n", counts(d.Usable), d.UsableWhy)
	}
	return nil
}

// printStreams prints a line for each stream, with the statement of its error
// where there is one yet.
func printStreams(out io.Writer, streams []store.Stream) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nSTREAM\tDEVICE\tSAMPLES\tLOST\tUSABLE\tDRIFT ppm\tJITTER ms\tERROR ±ms")
	for _, t := range streams {
		if t.Kind == stream.Trace {
			continue // derived from the others
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t", t.ID, label(t), t.Rows)
		if s := t.Statement; s.Method == "" {
			fmt.Fprintln(w, "-\t-\t-\t-\t-")
		} else {
			usable := "-" // nobody can expect a number of light readings or triggers
			if share := float64(t.Usable); !math.IsNaN(share) {
				usable = fmt.Sprintf("%.1f%%", 100*share)
			}
			fmt.Fprintf(w, "%d\t%s\t%.1f\t%.2f\t%.2f\n", s.Lost, usable, s.DriftPPM, s.JitterMs, s.BoundMs)
		}
	}
	return w.Flush()
}

// printLatencies says of each stream what was measured of its latency. A screen and a
// camera have one in any case: where it was not measured, the bounds hold what it may
// be.
func printLatencies(out io.Writer, streams []store.Stream) {
	for _, t := range streams {
		command, has := map[stream.Kind]string{stream.Stimulus: "display", stream.Face: "camera"}[t.Kind]
		switch {
		case t.Shift != nil:
			fmt.Fprintf(out, "%s: corrected by %+.2f ms, which varies by ±%.2f ms%s\n", t.ID,
				milliseconds(t.Shift.By), milliseconds(t.Shift.Within), provenance(t.Shift.Calibration))
		case has && !t.Simulated && t.FramesOf == "":
			fmt.Fprintf(out, "%s: latency not measured, the error holds what it may be (emolab calibrate %s)\n", t.ID, command)
		}
	}
}

// provenance says where a measured latency comes from, as far as its calibration does.
func provenance(calibration json.RawMessage) string {
	var m struct {
		latency.Measured
		Of string `json:"of"` // of a delay that a device has by design: what it is
	}
	if err := json.Unmarshal(calibration, &m); err != nil {
		return ""
	}
	switch {
	case m.Of != "":
		return " (" + m.Of + ")"
	case m.MeasuredAt.IsZero():
		return ""
	}
	return fmt.Sprintf(" (measured %s with %d flashes, SD %.1f ms)", m.MeasuredAt.Local().Format("2006-01-02 15:04"), m.Matched, m.SDMs)
}

// printGaps lists the times that a device was away one by one, and sums up the
// samples that were lost on the way, for those can be hundreds.
func printGaps(a *app, gaps []store.Gap) error {
	type losses struct {
		places, samples int64
		longest         time.Duration
	}
	lost := map[string]losses{}
	for _, g := range gaps {
		if g.Reason == "lost" {
			l := lost[g.Stream]
			lost[g.Stream] = losses{l.places + 1, l.samples + g.Lost, max(l.longest, g.Until.Sub(g.From))}
			continue
		}
		length := "until the end"
		if g.Closed {
			length = "for " + g.Until.Sub(g.From).Round(time.Millisecond).String()
		}
		fmt.Fprintf(a.out, "%s was away %s: %s\n", g.Stream, length, g.Detail)
	}
	for _, id := range slices.Sorted(maps.Keys(lost)) {
		l := lost[id]
		fmt.Fprintf(a.out, "%s lost %d samples in %d places, the longest %v\n", id, l.samples, l.places, l.longest.Round(time.Millisecond))
	}
	return nil
}

// label names a stream's device, and says when it is not a real one.
func label(t store.Stream) string {
	if t.Simulated {
		return t.Device + " (simulated)"
	}
	return t.Device
}

// resolve turns "last" into the id of the latest session. Whoever gives a participant's
// code is told which sessions that has.
func resolve(a *app, s *store.Store, id string) (string, error) {
	all, err := s.Sessions(a.ctx)
	if err != nil {
		return "", err
	}
	if id == "last" {
		if len(all) == 0 {
			return "", fmt.Errorf("%s holds no session yet", s.Path())
		}
		return all[len(all)-1].ID, nil
	}
	var theirs []string
	for _, v := range all {
		switch id {
		case v.ID:
			return id, nil
		case v.Participant:
			theirs = append(theirs, fmt.Sprintf("\n  %s  (%s, %s)", v.ID, v.Started.Local().Format("2006-01-02 15:04"), v.Standing()))
		}
	}
	if theirs != nil {
		return "", usagef("%s is a participant, and a session is wanted: name one of theirs:%s", id, strings.Join(theirs, ""))
	}
	return id, nil // whoever asks for it says that there is none, or that it was withdrawn
}

type sessionExportCmd struct {
	Session string `arg:"" help:"The session's id, or \"last\"."`
	storeFlags
	Out string `help:"Folder to write the bundle into. Default: bundles/ in the data folder." type:"path" placeholder:"DIR"`
	To  string `help:"Who is going to be given it: kept, so that they can be told when the participant withdraws." placeholder:"NAME <MAIL>"`
}

// Help shows an example below the flags.
func (sessionExportCmd) Help() string {
	return `Examples:
  emolab session export last --data emolab-demo
  emolab session export last --out /media/usb --to "Ann Author <ann@lab.example>"`
}

// Run is the command.
func (c *sessionExportCmd) Run(a *app) error {
	// Export is noted in the file, so that it is known where data went.
	s, id, err := c.open(a, c.Session, "download the bundle in its console")
	if err != nil {
		return err
	}
	defer s.Close()
	if c.Out == "" {
		c.Out = bundleDir(filepath.Dir(s.Path()))
	}
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return err
	}
	progress := newBar(a.err, 1, "exporting")
	written, err := bundle.NewExporter(s, c.Out).ExportTo(a.ctx, id, strings.TrimSpace(c.To), progress.set)
	progress.finish()
	if err != nil {
		return err
	}
	fmt.Fprintln(a.out, written)
	return nil
}
