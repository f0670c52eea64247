package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"golang.org/x/sync/errgroup"

	"emolab/fusion/eyemovement"
	"emolab/fusion/eyemovement/agreement"
	"emolab/studies/table"
)

// labelled is a recording that people have labelled.
type labelled struct {
	file   string
	rec    *recordedGaze
	raters []string
	labels [][]eyemovement.Class // of each rater
	half   int
}

// gazeScore is how far algorithms agree with people.
type gazeScore struct {
	Version string            `json:"emolab"`
	Default string            `json:"default_algorithm"`
	Halves  []gazeHalf        `json:"halves"`
	Rows    []gazeScoreRow    `json:"scores"`
	Notes   []string          `json:"notes,omitempty"`
	Params  map[string]string `json:"parameters"`
	Written []string          `json:"written,omitempty"`
}

// gazeHalf is a part of the recordings, and what its fit was scored on.
type gazeHalf struct {
	Set    string   `json:"set"`
	Fitted []string `json:"fitted_on"`
	Scored []string `json:"scored_on"`
	// Seconds of gaze that were fitted to, counted once for each rater.
	Seconds float64 `json:"fitted_s"`

	model *eyemovement.Model
}

type gazeScoreRow struct {
	Stimulus   string         `json:"stimulus"`
	Who        string         `json:"who"`
	Against    string         `json:"against"`
	Recordings int            `json:"recordings"`
	Samples    int            `json:"samples"`
	Kappa      map[string]num `json:"kappa"`
	F1         map[string]num `json:"event_f1"`
}

// score compares with people's labels.
func (c *gazeAnalyzeCmd) score(a *app, files []string) error {
	all, skipped, err := c.readLabelled(a, files)
	if err != nil {
		return err
	}
	out := gazeScore{Version: version, Default: eyemovement.AdaptiveVersion, Params: scoreParameters()}
	if len(skipped) > 0 {
		out.Notes = append(out.Notes, "without labels, left out: "+strings.Join(skipped, ", "))
	}
	for _, set := range bySet(all) {
		if err := out.addSet(a, c, set); err != nil {
			return err
		}
	}
	out.addBaseline(files)
	if err := out.write(newOutputs(c.Out, "score")); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, out)
	}
	return out.print(a.out)
}

// scoreParameters are those of the algorithms that are compared.
func scoreParameters() map[string]string {
	o := eyemovement.Tobii2012()
	return map[string]string{
		"ivt":      fmt.Sprintf("%g deg/s over %d ms, gaps <= %d ms filled, merged <= %d ms and <= %g deg, >= %d ms", o.ThresholdDegS, o.Window.Milliseconds(), o.MaxGap.Milliseconds(), o.MergeGap.Milliseconds(), o.MergeDeg, o.MinFixation.Milliseconds()),
		"idt":      "1 deg, 100 ms",
		"ek":       "lambda 6, 6 ms",
		"adaptive": eyemovement.AdaptiveVersion + ", weights fitted on the other half by all its raters, all else as shipped; pursuit is told whatever the stimulus, unless the row says still",
	}
}

// readLabelled reads the files; skipped are those without labels.
func (c *gazeAnalyzeCmd) readLabelled(a *app, files []string) (all []labelled, skipped []string, err error) {
	progress := newFilesBar(a.err, len(files))
	defer progress.finish()
	for i, file := range files {
		if err := a.ctx.Err(); err != nil {
			return nil, nil, err
		}
		rec, err := c.read(file, func(done, total int64) { progress.set(i, done, total) })
		if err != nil {
			return nil, nil, err
		}
		l := labelled{file: filepath.Base(file), rec: rec}
		columns, err := rec.Labels(&rec.axis, c.Labels)
		if err != nil {
			return nil, nil, err
		}
		if len(columns) == 0 {
			skipped = append(skipped, l.file)
			continue
		}
		for _, column := range columns {
			classes, err := humanClasses(column)
			if err != nil {
				return nil, nil, fmt.Errorf("%s, column %s: %w", l.file, column.Column, err)
			}
			l.labels = append(l.labels, classes)
			l.raters = append(l.raters, raterName(column.Rater))
		}
		all = append(all, l)
	}
	if len(all) == 0 {
		return nil, nil, errors.New("no file has a column of labels: name them label or label_RATER, or give them with --labels")
	}
	return all, skipped, nil
}

func raterName(r string) string {
	if r == "" {
		return "label"
	}
	return r
}

// humanClasses reads codes (1 fixation, 2 saccade, 3 PSO, 4 pursuit, 5 blink, 6
// and 0 undefined) or words.
func humanClasses(l table.Labels) ([]eyemovement.Class, error) {
	out := make([]eyemovement.Class, len(l.Codes))
	for i, code := range l.Codes {
		if l.Words != nil {
			class, err := classOfWord(l.Words[i])
			if err != nil {
				return nil, err
			}
			out[i] = class
			continue
		}
		if code != code { // empty
			continue
		}
		class, err := agreement.Human(int(code))
		if err != nil || code != float64(int(code)) {
			return nil, fmt.Errorf("label %g: labels are 0 to 6 (1 fixation, 2 saccade, 3 PSO, 4 pursuit, 5 blink, 0 and 6 undefined) or their names", code)
		}
		out[i] = class
	}
	return out, nil
}

func classOfWord(w string) (eyemovement.Class, error) {
	switch strings.ToLower(w) {
	case "", "undefined", "unknown", "other", "none":
		return eyemovement.Undefined, nil
	case "fixation", "fix":
		return eyemovement.Fixation, nil
	case "saccade", "sac", "sacc":
		return eyemovement.Saccade, nil
	case "pso", "glissade":
		return eyemovement.PSO, nil
	case "pursuit", "sp", "smooth pursuit":
		return eyemovement.Pursuit, nil
	case "blink":
		return eyemovement.Blink, nil
	}
	return 0, fmt.Errorf("label %q: labels are fixation, saccade, pso, pursuit, blink, undefined, or the numbers 0 to 6", w)
}

// bySet parts recordings by who labelled them: those that the same people did
// are one set, which is halved by itself.
func bySet(all []labelled) [][]labelled {
	var keys []string
	sets := map[string][]labelled{}
	for _, l := range all {
		key := strings.Join(l.raters, ", ")
		if sets[key] == nil {
			keys = append(keys, key)
		}
		sets[key] = append(sets[key], l)
	}
	var out [][]labelled
	for _, k := range keys {
		out = append(out, sets[k])
	}
	return out
}

// addSet fits and scores one set of recordings, both ways round.
func (s *gazeScore) addSet(a *app, c *gazeAnalyzeCmd, set []labelled) error {
	slices.SortFunc(set, func(x, y labelled) int { return strings.Compare(x.file, y.file) })
	for i := range set {
		set[i].half = i % 2 // every other one in the order of names: every kind of stimulus falls into both
	}
	name := strings.Join(set[0].raters, ", ")
	var models [2]*eyemovement.Model // fitted on half 0 and on half 1
	if len(set) > 1 {
		halves, err := fitHalves(a, name, set)
		if err != nil {
			return err
		}
		models[0], models[1] = halves[0].model, halves[1].model
		s.Halves = append(s.Halves, halves...)
	} else {
		s.Notes = append(s.Notes, fmt.Sprintf("%s: one recording cannot be halved: scored with the weights that come with the program", set[0].file))
	}
	ivt := *c
	ivt.Method, ivt.Velocity, ivt.MinFixation = "ivt", 0, 0
	idt, ek := ivt, ivt
	idt.Method, ek.Method, idt.Dispersion, ek.Lambda = "idt", "ek", 0, 0
	classify := func(l *labelled, still bool) []eyemovement.Event {
		return eyemovement.Classify(l.rec.gaze, l.rec.geometry.screen, eyemovement.Options{Rate: l.rec.axis.Rate, Still: still, Model: models[1-l.half]})
	}
	methods := []scoredMethod{
		{"adaptive", func(l *labelled) []eyemovement.Event { return classify(l, false) }},
		{"ivt", func(l *labelled) []eyemovement.Event { return ivt.find(l.rec) }},
		{"idt", func(l *labelled) []eyemovement.Event { return idt.find(l.rec) }},
		{"ek", func(l *labelled) []eyemovement.Event { return ek.find(l.rec) }},
	}
	still := scoredMethod{adaptiveStill, func(l *labelled) []eyemovement.Event { return classify(l, true) }}
	for _, some := range byStimulus(set) {
		of := methods
		if c.Still || some[0].rec.geometry.still {
			of = slices.Insert(slices.Clone(methods), 1, still)
		}
		if err := s.addStimulus(a, some, of); err != nil {
			return err
		}
	}
	return nil
}

// adaptiveStill is the row of the adaptive algorithm that is told that nothing
// moves, as analyze without --score tells it of a picture.
const adaptiveStill = "adaptive, still"

// scoredMethod is a way to find events, under the name of its row.
type scoredMethod struct {
	who  string
	find func(l *labelled) []eyemovement.Event
}

// byStimulus parts recordings by what was looked at, in the order of the first of
// each.
func byStimulus(all []labelled) [][]labelled {
	var stimuli []string
	of := map[string][]labelled{}
	for _, l := range all {
		what := l.rec.geometry.what
		if of[what] == nil {
			stimuli = append(stimuli, what)
		}
		of[what] = append(of[what], l)
	}
	var out [][]labelled
	for _, what := range stimuli {
		out = append(out, of[what])
	}
	return out
}

// addStimulus scores the methods, and the raters among themselves, on recordings
// of one stimulus.
func (s *gazeScore) addStimulus(a *app, all []labelled, methods []scoredMethod) error {
	what, raters := all[0].rec.geometry.what, all[0].raters
	found := make([][][]eyemovement.Class, len(methods)) // by method and recording
	for m, method := range methods {
		for i := range all {
			if err := a.ctx.Err(); err != nil {
				return err
			}
			found[m] = append(found[m], eyemovement.Labels(method.find(&all[i]), all[i].rec.gaze.Len()))
		}
	}
	for k, rater := range raters {
		add := func(who string, labels func(i int) []eyemovement.Class) error {
			score := agreement.NewScore(what, who, rater)
			for i := range all {
				if err := score.Add(labels(i), all[i].labels[k]); err != nil {
					return fmt.Errorf("%s: %w", all[i].file, err)
				}
			}
			s.Rows = append(s.Rows, scoreRow(score))
			return nil
		}
		for m, method := range methods {
			if err := add(method.who, func(i int) []eyemovement.Class { return found[m][i] }); err != nil {
				return err
			}
		}
		for other := k + 1; other < len(raters); other++ {
			if err := add(raters[other], func(i int) []eyemovement.Class { return all[i].labels[other] }); err != nil {
				return err
			}
		}
	}
	return nil
}

func scoreRow(s *agreement.Score) gazeScoreRow {
	row := gazeScoreRow{Stimulus: s.Stimulus, Who: s.Ours, Against: s.Theirs, Recordings: s.Recordings, Samples: s.Samples, Kappa: map[string]num{}, F1: map[string]num{}}
	for _, g := range agreement.Groups() {
		row.Kappa[g.Name] = num(s.Kappa(g.Classes...))
		row.F1[g.Name] = num(s.Events(g.Name).F1())
	}
	return row
}

// fitHalves fits the default algorithm to each half.
func fitHalves(a *app, set string, all []labelled) ([]gazeHalf, error) {
	const usual = 300       // iterations that a fit takes, near enough for a bar
	if !isTerminal(a.err) { // which shows a bar
		fmt.Fprintf(a.err, "fitting two models to the labels of %s in %d recordings: this can take a minute\n", set, len(all))
	}
	shown := newBar(a.err, 2*usual, "fitting two models")
	defer shown.finish()
	var mu sync.Mutex
	var done [2]int
	progress := func(half, iteration int) {
		mu.Lock()
		defer mu.Unlock()
		done[half] = min(iteration, usual)
		shown.set(done[0]+done[1], 2*usual, "fitting two models")
	}
	halves := []gazeHalf{{Set: set}, {Set: set}}
	group, ctx := errgroup.WithContext(a.ctx)
	for h := range halves {
		var marked []eyemovement.Marked
		for _, l := range all {
			if l.half != h {
				halves[h].Scored = append(halves[h].Scored, l.file)
				continue
			}
			halves[h].Fitted = append(halves[h].Fitted, l.file)
			for _, labels := range l.labels {
				marked = append(marked, eyemovement.Marked{Gaze: l.rec.gaze, Screen: l.rec.geometry.screen, Labels: labels})
				halves[h].Seconds += l.rec.axis.Duration()
			}
		}
		group.Go(func() error {
			model, err := eyemovement.FitModel(ctx, marked, eyemovement.FitOptions{
				Progress: func(i int) { progress(h, i) },
			})
			halves[h].model = model
			return err
		})
	}
	return halves, group.Wait()
}

// write writes the scores and the models where a folder was named.
func (s *gazeScore) write(o outputs) error {
	if o.dir == "" {
		return nil
	}
	for i, h := range s.Halves {
		name := filepath.Join(o.dir, fmt.Sprintf("score.model-%d.json", i+1))
		if err := writeFile(name, func(w io.Writer) error { return printJSON(w, h.model) }); err != nil {
			return err
		}
		s.Written = append(s.Written, name)
	}
	name := filepath.Join(o.dir, "score.json")
	s.Written = append(s.Written, name)
	return writeFile(name, func(w io.Writer) error { return printJSON(w, s) })
}

// print writes the scores for people.
func (s *gazeScore) print(w io.Writer) error {
	var lines bytes.Buffer
	t := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', 0)
	head := []string{"STIMULUS", "AGAINST", "WHO", "FILES", "SAMPLES"}
	for _, g := range agreement.Groups() {
		head = append(head, "κ "+g.Name)
	}
	fmt.Fprintln(t, strings.Join(append(head, "F1 fixation", "F1 saccade"), "\t"))
	before := ""
	for _, r := range s.Rows {
		if group := r.Stimulus + r.Against; group != before && before != "" {
			fmt.Fprintln(t, strings.Repeat("\t", len(head)+1))
		}
		before = r.Stimulus + r.Against
		row := []string{r.Stimulus, r.Against, r.Who, fmt.Sprint(r.Recordings), fmt.Sprint(r.Samples)}
		for _, g := range agreement.Groups() {
			row = append(row, show(float64(r.Kappa[g.Name]), "%.3f"))
		}
		for _, name := range []string{"fixation", "saccade"} {
			v, ok := r.F1[name]
			if !ok {
				row = append(row, "-")
				continue
			}
			row = append(row, show(float64(v), "%.3f"))
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(lines.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
	fmt.Fprintln(w, "\nκ: Cohen's kappa of the samples, the class against the rest, recordings pooled. F1: of events that overlap.")
	for _, name := range []string{"adaptive", "ivt", "idt", "ek"} {
		paragraph(w, "", fmt.Sprintf("%s: %s", name, s.Params[name]))
	}
	for _, h := range s.Halves {
		paragraph(w, "", fmt.Sprintf("fitted on %d recording(s) (labels of %s, %.0f s): %s", len(h.Fitted), h.Set, h.Seconds, strings.Join(h.Fitted, ", ")))
		paragraph(w, "  ", "and scored on "+strings.Join(h.Scored, ", "))
	}
	for _, n := range s.Notes {
		paragraph(w, "", n)
	}
	for _, name := range s.Written {
		fmt.Fprintln(w, "wrote", name)
	}
	return nil
}
