package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"emolab/fusion/eda"
	"emolab/fusion/instant"
	fig "emolab/studies/figure" // bench.go has a type figure
	"emolab/studies/table"
)

type edaCmd struct {
	Analyze edaAnalyzeCmd `cmd:"" help:"Analyse skin conductance of any laboratory's table: level, responses, artefacts, responses to events."`
}

// edaAnalyzeCmd reads files of skin conductance.
type edaAnalyzeCmd struct {
	Files []string `arg:"" name:"file" help:"Tables: CSV, TSV, semicolons with decimal commas, gzip; one recording a file." type:"existingfile"`

	Method    string    `help:"How level and fast part are told apart: cvx (convex optimisation), cda (continuous decomposition), highpass, median, or neurokit (highpass with NeuroKit2's relative rule for responses)." enum:"cvx,cda,highpass,median,neurokit" default:"cvx"`
	Responses string    `help:"Where responses are sought: signal (from trough to peak of what was measured) or phasic (the same in the fast part)." enum:"signal,phasic" default:"signal"`
	Threshold float64   `help:"Least amplitude of a response in microsiemens. Default: 0.05. Those above 0.01 are always told as well." default:"0.05" placeholder:"US"`
	SensorMax float64   `help:"Highest conductance that the sensor can tell, in microsiemens: values there are saturated." placeholder:"US"`
	Event     []float64 `help:"An event, in seconds on the file's own clock; where that begins later than the file is long (Unix time), seconds after its first sample do too. May be given several times." placeholder:"SECONDS" sep:"none"`
	Events    string    `help:"Table of events with a column onset (in seconds unless it is named onset_ms or so, counted as --event is), such as BIDS' events.tsv." type:"existingfile" placeholder:"FILE"`
	Window    string    `help:"When a response to an event may begin, in seconds after it. Default: 1-4." default:"1-4" placeholder:"FROM-TO"`

	Value       string `help:"Column of skin conductance, by name or number. Default: found by name." placeholder:"COLUMN" group:"How the file is read"`
	Unit        string `help:"Its unit: uS, nS, mS, S, ohm, kohm or Mohm. Default: by the name." placeholder:"UNIT" group:"How the file is read"`
	Temperature string `help:"Column of the skin's temperature in degrees Celsius, for the artefact rules." placeholder:"COLUMN" group:"How the file is read"`
	tableFlags

	Out     string `help:"Folder for everything: samples, responses and events as CSV, all as JSON, the picture, the methods paragraph; and eda.summary.csv with a line a file." type:"path" placeholder:"DIR"`
	CSV     string `help:"Write the samples with tonic, phasic and artefacts into this CSV file." name:"csv" type:"path" placeholder:"FILE"`
	Picture string `help:"Draw the recording into this .png or .svg file." type:"path" placeholder:"FILE"`
	JSON    bool   `help:"Print JSON instead of text." name:"json"`

	window eda.Window
}

// Help shows examples below the flags.
func (edaAnalyzeCmd) Help() string {
	return `Prints a summary, what was found out about the file, and a paragraph for the methods
section with every parameter. Files are written only where --out, --csv or --picture say.
Of several files those that cannot be read are told at the end; the others go on.

Times in all results are seconds on the file's own clock. Flags of samples and responses:
missing, out of range (0.05 to 60 µS), steep (beyond 10 µS/s), temperature, near (within 5 s
of these), flat (nothing moves), saturated, loss (a fall of more than a fifth within 1 s),
jump (a steep edge of an instant): these count in no measure. undecomposed: split by a
high-pass, because the piece is too short for the method; unsplit: not split at all;
bridged: samples are missing within a response; no onset: it began before the record.

Examples:
  emolab eda analyze P07.csv
  emolab eda analyze P07.csv --out results --from 20 --until 500
  emolab eda analyze data/*.tsv --out results --threshold 0.02
  emolab eda analyze P07.csv --events events.tsv --window 1-4 --picture P07.png
  emolab eda analyze shimmer.csv --value GSR --unit kohm --json`
}

// Rates in Hz that recordings of skin conductance have.
const edaMinHz, edaMaxHz = 1.5, 1500

// Run is the command.
func (c *edaAnalyzeCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Out != "" {
		if err := os.MkdirAll(c.Out, 0o755); err != nil {
			return err
		}
	}
	progress := newFilesBar(a.err, len(c.Files))
	var reports []edaReport
	failed := failures{of: len(c.Files)}
	for i, file := range c.Files {
		r, err := c.one(a.ctx, file, func(share float64) { progress.set(i, int64(share*1000), 1000) })
		if a.ctx.Err() != nil {
			progress.finish()
			return err
		}
		if err != nil {
			failed.add(file, err)
			continue
		}
		reports = append(reports, r)
	}
	progress.finish()
	if len(reports) == 0 {
		return failed.err()
	}
	return errors.Join(c.tell(a.out, reports), failed.err())
}

// tell writes the summaries and prints the reports.
func (c *edaAnalyzeCmd) tell(w io.Writer, reports []edaReport) error {
	summaries := filepath.Join(c.Out, "eda.summary.csv")
	if c.Out != "" {
		if err := writeSummaries(summaries, reports); err != nil {
			return err
		}
	}
	if c.JSON {
		if len(c.Files) == 1 {
			return printJSON(w, reports[0])
		}
		return printJSON(w, reports)
	}
	for i := range reports {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := reports[i].print(w); err != nil {
			return err
		}
	}
	if c.Out != "" {
		fmt.Fprintln(w, "wrote", summaries)
	}
	return nil
}

// check refuses what kong cannot.
func (c *edaAnalyzeCmd) check() error {
	if err := c.tableFlags.check(); err != nil {
		return err
	}
	if !(c.Threshold > 0) || math.IsInf(c.Threshold, 1) {
		return usagef("--threshold %g: must be above 0 microsiemens; 0.05 and 0.01 are usual", c.Threshold)
	}
	if len(c.Files) > 1 && (c.CSV != "" || c.Picture != "") {
		return usagef("--csv and --picture name one file, and %d are to be read: give a folder with --out", len(c.Files))
	}
	if c.Method == "neurokit" && c.Responses != "signal" {
		return usagef("--method neurokit brings its own rule for responses: leave out --responses")
	}
	if c.Picture != "" {
		if _, err := fig.FormatOf(c.Picture); err != nil {
			return usagef("--picture %v", err)
		}
	}
	if c.Out != "" {
		seen := map[string]string{}
		for _, f := range c.Files {
			base := newOutputs("", f).base
			if other, twice := seen[base]; twice {
				return usagef("%s and %s would write the same files: read them into two folders", other, f)
			}
			seen[base] = f
		}
	}
	from, until, ok := strings.Cut(c.Window, "-")
	f, errF := strconv.ParseFloat(from, 64)
	u, errU := strconv.ParseFloat(until, 64)
	const longest = 60 // s: no response to an event begins later
	if !ok || errF != nil || errU != nil || f < 0 || !(u > f) || u > longest {
		return usagef("--window %s: give it in seconds after the event, as 1-4", c.Window)
	}
	c.window = eda.Window{From: time.Duration(f * 1e9), Until: time.Duration(u * 1e9)}
	return nil
}

// options of the analysis.
func (c *edaAnalyzeCmd) options(rate float64) eda.Options {
	o := eda.Options{Rate: rate, ThresholdUS: c.Threshold, SensorMaxUS: c.SensorMax}
	switch c.Method {
	case "neurokit":
		o.Method, o.Scoring = eda.HighPass, eda.Relative
	case "highpass":
		o.Method = eda.HighPass
	case "median":
		o.Method = eda.Median
	case "cda":
		o.Method = eda.CDA
	default:
		o.Method = eda.CVX
	}
	if c.Responses == "phasic" {
		o.Scoring = eda.OnPhasic
	}
	return o
}

// Shares of the progress of one file.
const (
	readShare     = 0.3
	analysedShare = 0.8
)

// one reads, analyses and writes one file.
func (c *edaAnalyzeCmd) one(ctx context.Context, file string, progress func(share float64)) (edaReport, error) {
	rec, err := c.open(file, edaMinHz, edaMaxHz, func(done, total int64) {
		progress(readShare * float64(done) / float64(max(total, 1)))
	})
	if err != nil {
		return edaReport{}, err
	}
	skin, err := rec.Conductance(&rec.axis, c.Value, c.Unit)
	if err != nil {
		return edaReport{}, err
	}
	rec.notes = append(rec.notes, skin.Notes...)
	o := c.options(rec.axis.Rate)
	if c.Temperature != "" {
		column, err := rec.Find(c.Temperature)
		if err != nil {
			return edaReport{}, err
		}
		o.TemperatureC = rec.axis.Pick(column.Values)
		rec.notes = append(rec.notes, fmt.Sprintf("skin temperature: %s in °C, as given", column.Label()))
	}
	events, err := c.events(rec)
	if err != nil {
		return edaReport{}, err
	}
	progress(readShare)
	result, err := eda.AnalyzeContext(ctx, rec.at, skin.US, o)
	if err != nil {
		return edaReport{}, err
	}
	progress(analysedShare)
	r := newEDAReport(c, file, rec, skin, events, result)
	if err := r.write(c, newOutputs(c.Out, file)); err != nil {
		return edaReport{}, err
	}
	progress(1)
	return r, nil
}

// event is what the participant was to respond to.
type event struct {
	at   instant.Instant
	name string
}

// events gathers those of the flags and of the table, in order of time.
func (c *edaAnalyzeCmd) events(rec *recordingFile) ([]event, error) {
	all := rec.onClock("--event", c.Event)
	names := make([]string, len(c.Event))
	if c.Events != "" {
		t, err := table.Open(c.Events, table.Options{})
		if err != nil {
			return nil, err
		}
		listed, err := t.Times("", "")
		if err != nil {
			return nil, err
		}
		rec.notes = append(rec.notes, listed.Notes...)
		all, names = append(all, rec.onClock("--events", listed.Seconds)...), append(names, listed.Names...)
	}
	var out []event
	first, last := rec.axis.Seconds(0), rec.axis.Seconds(len(rec.at)-1)
	outside := 0
	for i, s := range all {
		if !(s >= first && s <= last) {
			outside++
			continue
		}
		out = append(out, event{rec.instant(s), names[i]})
	}
	if outside > 0 && len(out) == 0 {
		hint := ""
		if c.Events != "" && slices.ContainsFunc(all, func(s float64) bool { return s/1000 >= first && s/1000 <= last }) {
			hint = "; if the table's times are milliseconds, name its column onset_ms"
		}
		return nil, fmt.Errorf("%s: none of the %d events lies in the recording, which goes from %s s to %s s on its own clock; the first event is at %s s%s",
			rec.File, outside, table.Clock(first), table.Clock(last), table.Clock(slices.Min(all)), hint)
	}
	if outside > 0 {
		rec.notes = append(rec.notes, fmt.Sprintf("events: %d of %d %s outside of the recording and %s left out",
			outside, len(all), oneOrMany(outside, "lies", "lie"), oneOrMany(outside, "was", "were")))
	}
	sortEvents(out)
	return out, nil
}

// onClock brings times that were given in a flag to the file's own clock.
func (r *recordingFile) onClock(flag string, times []float64) []float64 {
	times = slices.Clone(times)
	if !r.axis.SinceFirst(r.length, times...) {
		return times
	}
	for i := range times {
		times[i] += r.axis.Start
	}
	r.notes = append(r.notes, fmt.Sprintf("events: those of %s are counted from the first sample, because the file's clock begins at %s s", flag, table.Clock(r.axis.Start)))
	return times
}

// oneOrMany chooses the word for one or for many.
func oneOrMany(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// lineWriter writes a CSV: a header, then lines.
func lineWriter(w io.Writer, header string, n int, line func(c *cells, i int)) error {
	b := bufio.NewWriterSize(w, 1<<16)
	if _, err := b.WriteString(header + "\n"); err != nil {
		return err
	}
	var c cells
	for i := range n {
		line(&c, i)
		if err := c.end(b); err != nil {
			return err
		}
	}
	return b.Flush()
}
