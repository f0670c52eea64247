package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/fusion/align/aligntest"
)

// shortestSync is the shortest recording on which all that a scenario tells
// happens.
const shortestSync = time.Minute

// syncRow is how one scenario came out, in ms.
type syncRow struct {
	Scenario string `json:"scenario"`
	// LiveP95 and the errors after it are without the constant that no method can
	// see, and without the samples that are flagged after a reset.
	LiveP95     float64 `json:"live_p95_ms"`
	FinalMedian float64 `json:"final_median_ms"`
	FinalP95    float64 `json:"final_p95_ms"`
	FinalMax    float64 `json:"final_max_ms"`
	LiveMedian  float64 `json:"live_median_ms"`
	LiveMax     float64 `json:"live_max_ms"`
	Constant    float64 `json:"constant_ms"`
	// InsideBound is the share of samples, 0..1, whose whole error is inside the
	// stated bound: the lesser of live and final, all samples counted.
	InsideBound      float64 `json:"inside_bound"`
	LiveInsideBound  float64 `json:"live_inside_bound"`
	FinalInsideBound float64 `json:"final_inside_bound"`
	BoundMedian      float64 `json:"bound_median_ms"` // sealed
	BoundP95         float64 `json:"bound_p95_ms"`
	LiveBoundMedian  float64 `json:"live_bound_median_ms"`
	LiveBoundP95     float64 `json:"live_bound_p95_ms"`
	SmallestRTT      float64 `json:"smallest_rtt_ms"` // 0 = no pings
	FlaggedSeconds   float64 `json:"flagged_s"`       // after a reset, in the worst case
	// What others would give, p95; absent where the method needs pings.
	ArrivalP95       *float64 `json:"arrival_p95_ms,omitempty"`
	LineOverIndexP95 *float64 `json:"line_over_index_p95_ms,omitempty"`
	OneOffsetP95     *float64 `json:"one_offset_p95_ms,omitempty"`
	ProbesAndLineP95 *float64 `json:"probes_and_line_p95_ms,omitempty"`
	// Missed are the budgets that do not hold, in words.
	Missed []string `json:"missed,omitempty"`

	kind string
}

func newSyncRow(r aligntest.Result) syncRow {
	row := syncRow{
		Scenario: r.Scenario.Name, kind: r.Scenario.Kind,
		LiveP95: milliseconds(r.Live.P95), LiveMedian: milliseconds(r.Live.Median), LiveMax: milliseconds(r.Live.Max),
		FinalP95: milliseconds(r.Final.P95), FinalMedian: milliseconds(r.Final.Median), FinalMax: milliseconds(r.Final.Max),
		Constant:        milliseconds(r.Final.Constant),
		LiveInsideBound: r.LiveCovered, FinalInsideBound: r.FinalCovered, InsideBound: min(r.LiveCovered, r.FinalCovered),
		BoundMedian: milliseconds(r.Final.BoundMedian), BoundP95: milliseconds(r.Final.Bound),
		LiveBoundMedian: milliseconds(r.Live.BoundMedian), LiveBoundP95: milliseconds(r.Live.Bound),
		SmallestRTT: milliseconds(r.RoundTrip), FlaggedSeconds: r.Flagged.Seconds(),
		Missed: r.Failures(),
	}
	for _, p := range r.Peers {
		p95 := milliseconds(p.P95)
		switch p.Name {
		case aligntest.Arrival:
			row.ArrivalP95 = &p95
		case aligntest.LineOverIndex:
			row.LineOverIndexP95 = &p95
		case aligntest.OneOffset:
			row.OneOffsetP95 = &p95
		case aligntest.ProbesAndLine:
			row.ProbesAndLineP95 = &p95
		}
	}
	return row
}

// syncReport is one row a scenario.
type syncReport []syncRow

// clocks aligns simulated recordings whose truth is known. The result does not
// depend on which is done first.
func (c *benchCmd) clocks(ctx context.Context, progress *bar) (syncReport, error) {
	length := time.Duration(c.Minutes * float64(time.Minute))
	if length < shortestSync || length > 24*time.Hour {
		return nil, usagef("--minutes %g: want at least %g, and at most a day", c.Minutes, shortestSync.Minutes())
	}
	scenarios := aligntest.Matching(c.Scenario)
	if len(scenarios) == 0 {
		return nil, usagef("--scenario %q: no scenario's name contains these words; their names are like %q", c.Scenario, aligntest.Scenarios()[0].Name)
	}
	if err := c.syncPictures(length); err != nil {
		return nil, err
	}
	report := make(syncReport, len(scenarios))
	var counting sync.Mutex
	done := 0
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range scenarios {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r, err := s.Run(length)
			if err != nil {
				return err
			}
			report[i] = newSyncRow(r)
			counting.Lock()
			defer counting.Unlock()
			done++
			progress.set(done, len(scenarios), "sync: "+s.Kind)
			return nil
		})
	}
	return report, g.Wait()
}

// syncPictures writes the pictures, if they are asked for.
func (c *benchCmd) syncPictures(length time.Duration) error {
	if c.Pictures == "" {
		return nil
	}
	if err := os.MkdirAll(c.Pictures, 0o755); err != nil {
		return err
	}
	pictures, err := aligntest.Pictures(length)
	if err != nil {
		return err
	}
	for name, svg := range pictures {
		if err := os.WriteFile(filepath.Join(c.Pictures, name), svg, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// print writes a line a scenario, and the worst of each kind below.
func (r syncReport) print(out io.Writer) error {
	if len(r) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	const head = "LIVE\tFINAL\t\t\tINSIDE\tBOUND\tARRIVAL\tLINE OVER\tONE\tPROBES,\t\n" +
		"p95\tmedian\tp95\tmax\tBOUND\tmedian\tSTAMPS\tINDEX\tOFFSET\tLINE\t"
	lines := strings.Split(head, "\n")
	fmt.Fprintf(w, "%s\tSCENARIO (errors in ms; the last four: p95)\n%s\t\n", lines[0], lines[1])
	for _, row := range r {
		row.print(w, row.Scenario)
	}
	if kinds := r.worst(); len(kinds) < len(r) {
		fmt.Fprintf(w, "%s\tTHE WORST OF EACH KIND\n", strings.Repeat("\t", 10))
		for _, row := range kinds {
			row.print(w, row.Scenario)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	missed := 0
	for _, row := range r {
		if len(row.Missed) > 0 {
			missed++
		}
	}
	_, err := fmt.Fprintf(out, "%d of %d scenarios hold their budgets.\n", len(r)-missed, len(r))
	return err
}

func (row syncRow) print(w io.Writer, name string) {
	peer := func(p *float64) string {
		if p == nil {
			return "-"
		}
		return fmt.Sprintf("%.1f", *p)
	}
	fmt.Fprintf(w, "%.2f\t%.2f\t%.2f\t%.1f\t%.2f %%\t%.2f\t%s\t%s\t%s\t%s\t\t%s", row.LiveP95, row.FinalMedian, row.FinalP95, row.FinalMax,
		100*row.InsideBound, row.BoundMedian, peer(row.ArrivalP95), peer(row.LineOverIndexP95), peer(row.OneOffsetP95), peer(row.ProbesAndLineP95), name)
	if len(row.Missed) > 0 {
		fmt.Fprintf(w, " MISSED: %s", strings.Join(row.Missed, "; "))
	}
	fmt.Fprintln(w)
}

// worst is a row a kind of device, of the worst figures of its scenarios.
func (r syncReport) worst() []syncRow {
	var kinds []syncRow
	at := map[string]int{}
	for _, row := range r {
		i, known := at[row.kind]
		if !known {
			at[row.kind] = len(kinds)
			row.Scenario, row.Missed = row.kind, nil
			kinds = append(kinds, row)
			continue
		}
		k := &kinds[i]
		k.LiveP95, k.FinalMedian = max(k.LiveP95, row.LiveP95), max(k.FinalMedian, row.FinalMedian)
		k.FinalP95, k.FinalMax = max(k.FinalP95, row.FinalP95), max(k.FinalMax, row.FinalMax)
		k.InsideBound, k.BoundMedian = min(k.InsideBound, row.InsideBound), max(k.BoundMedian, row.BoundMedian)
		for _, p := range []struct{ worst, here **float64 }{
			{&k.ArrivalP95, &row.ArrivalP95}, {&k.LineOverIndexP95, &row.LineOverIndexP95},
			{&k.OneOffsetP95, &row.OneOffsetP95}, {&k.ProbesAndLineP95, &row.ProbesAndLineP95},
		} {
			if *p.worst != nil && *p.here != nil {
				v := max(**p.worst, **p.here)
				*p.worst = &v
			}
		}
	}
	return kinds
}

// missed is the error of a report in which a budget does not hold.
func (r syncReport) missed() error {
	var names []string
	for _, row := range r {
		if len(row.Missed) > 0 {
			names = append(names, row.Scenario)
		}
	}
	if len(names) == 0 {
		return nil
	}
	const named = 3
	more := ""
	if len(names) > named {
		more = fmt.Sprintf(" and %d more", len(names)-named)
		names = names[:named]
	}
	return errors.New("bench sync: budgets are missed in " + strings.Join(names, "; ") + more)
}
