package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// rehearsed is what came of a rehearsal.
type rehearsed struct {
	People   []visit            `json:"people"`
	Rows     []session.RowCount `json:"rows"` // how often each order was used, where they are to be filled evenly
	Cells    []session.CellNow  `json:"cells"`
	Findings []oddity           `json:"findings"`
	Sessions []distance         `json:"sessions"` // scored against the truth: those that went to the end
}

// oddity is something that was missing or odd.
type oddity struct {
	Wrong bool   `json:"wrong"` // it is not as it should be; else it is only worth knowing
	Text  string `json:"text"`
}

// cutShort is what came of a rehearsal that broke off: of who was there before, and nothing
// about the study, which not everybody has seen.
func cutShort(visits []visit) rehearsed {
	return rehearsed{
		People: visits, Rows: []session.RowCount{}, Cells: []session.CellNow{}, Sessions: []distance{},
		Findings: []oddity{{true, fmt.Sprintf("The rehearsal broke off when %s been there. Nothing is said of the study as a whole.", haveBeen(len(visits)))}},
	}
}

func haveBeen(people int) string {
	if people == 1 {
		return "one person had"
	}
	return fmt.Sprintf("%d people had", people)
}

// evenness is by how many usable sessions two orders may differ: they are filled in
// turn.
const evenness = 1

// outcome gathers what came of it.
func (r *rehearsal) outcome(ctx context.Context, visits []visit) (rehearsed, error) {
	cohort, err := r.running.manager.Cohort(ctx)
	if err != nil {
		return rehearsed{}, err
	}
	out := rehearsed{People: visits, Rows: []session.RowCount{}, Cells: cohort.Cells, Findings: []oddity{}}
	if len(visits) == 1 {
		return out, nil // of one person nothing can be said about the study
	}
	wrong := func(format string, args ...any) {
		out.Findings = append(out.Findings, oddity{true, fmt.Sprintf(format, args...)})
	}
	odd := func(format string, args ...any) {
		out.Findings = append(out.Findings, oddity{false, fmt.Sprintf(format, args...)})
	}
	for _, v := range visits {
		for _, text := range v.Wrong {
			wrong("%s: %s.", v.Participant, text)
		}
	}
	if n := r.study.Rows(); n > 0 {
		out.Rows = cohort.Rows
		if low, high := spread(cohort.Rows, n); high-low > evenness {
			wrong("The orders are not filled evenly: one has %d usable sessions, another %d.", high, low)
		}
	}
	for _, d := range r.devices() {
		wrong("%s", d)
	}
	if !slices.ContainsFunc(r.study.Stimuli, func(s study.Stimulus) bool { return s.Sound != "" }) {
		odd("No stimulus file has sound.")
	}
	for _, id := range r.unmet() {
		odd("Nobody came to the page %q: is the condition that leads there ever true?", id)
	}
	for _, text := range r.unreachable() {
		wrong("%s", text)
	}
	if asks(r.study, session.FaceVideo) && !slices.ContainsFunc(visits, func(v visit) bool { return v.FaceFrames > 0 }) {
		odd("The study asks whether the video of the face may be kept, and it was kept of nobody.")
	}
	if n := slow(visits); n > 0 {
		odd("In the sessions of %d people more than %.0f %% of the camera's frames were lost: this machine is too slow for it, or was busy with something else.", n, 100*muchLost)
	}
	for _, note := range r.notes {
		odd("%s", note)
	}
	return out, nil
}

// muchLost is the share of lost frames from which it is worth telling.
const muchLost = .1

// slow counts the visits in which much of the camera was lost.
func slow(visits []visit) int {
	n := 0
	for _, v := range visits {
		if v.lost > muchLost {
			n++
		}
	}
	return n
}

// spread is the fewest and the most usable sessions of n orders.
func spread(rows []session.RowCount, n int) (low, high int) {
	usable := make([]int, n)
	for _, row := range rows {
		if row.Row >= 0 && row.Row < n {
			usable[row.Row] = row.Usable
		}
	}
	return slices.Min(usable), slices.Max(usable)
}

// devices says which device was not what the study asks for.
func (r *rehearsal) devices() []string {
	d := r.study.Devices
	var out []string
	for _, want := range []struct {
		kind  stream.Kind
		name  string
		needs bool
		rate  float64
		unit  string
	}{
		{stream.Face, "camera", d.NeedsCamera, d.CameraMinFPS, "frames a second"},
		{stream.Gaze, "eye tracker", d.NeedsGaze, d.GazeMinHz, "Hz"},
		{stream.EDA, "sensor of skin conductance", d.NeedsEDA, d.EDAMinHz, "Hz"},
	} {
		i := slices.IndexFunc(r.rig.sources, func(s stream.Source) bool { return s.Info()[0].Kind == want.kind })
		switch {
		case i < 0 && want.needs:
			out = append(out, fmt.Sprintf("The study cannot do without a %s, and this lab has none.", want.name))
		case i >= 0:
			info := r.rig.sources[i].Info()[0]
			// The rate is counted over two seconds: one more or less is no lack.
			if best := r.best[info.ID]; best < rateSlack*want.rate {
				out = append(out, fmt.Sprintf("The %s (%s) never reached the rate that the study asks for: %.1f of %g %s.", want.name, info.ID, best, want.rate, want.unit))
			}
		}
	}
	return out
}

// rateSlack is the share of a rate at which it counts as reached.
const rateSlack = .97

// unmet are the pages of the way through that nobody came to.
func (r *rehearsal) unmet() []string {
	var out []string
	for _, step := range r.study.Plan(0).Steps {
		if step.Action == study.Fill && !step.Aside && !r.met[step.Sheet] && !slices.Contains(out, step.Sheet) {
			out = append(out, step.Sheet)
		}
	}
	return out
}

// asks tells whether a study asks for a scope of consent.
func asks(st *study.Study, scope string) bool {
	return slices.ContainsFunc(st.Sheets, func(s study.Sheet) bool {
		return s.Kind == study.ConsentSheet && slices.ContainsFunc(s.Fields, func(f study.Field) bool { return f.ID == scope })
	})
}

// unreachable says which cells of the quota nobody can fill.
func (r *rehearsal) unreachable() []string {
	var out []string
	for _, c := range r.study.Quota.Cells {
		chance := script.Person{}.Chance(c.Question+c.Band, 0)
		_, err := r.search.passing(chance, func(kept study.Answers) bool { return kept[c.Question] == c.Band })
		if err != nil {
			out = append(out, fmt.Sprintf("Nobody can fill the cell %s %s of the quota: with such an answer no way through the screening was found.", c.Question, c.Band))
		}
	}
	return out
}

// failure is an error if anything is not as it should be.
func (d rehearsed) failure() error {
	var who []string
	for _, v := range d.People {
		if !v.AsExpected {
			who = append(who, fmt.Sprintf("%s was to be %s and is %s", v.Participant, v.Expected, v.Happened))
		}
	}
	for _, f := range d.Findings {
		if f.Wrong {
			who = append(who, f.Text)
		}
	}
	if len(who) > 0 {
		return errors.New("not all is as it should be: " + strings.Join(who, "; "))
	}
	return nil
}

// print writes the table as a person reads it.
func (d rehearsed) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "Code\tLanguage\tOrder\tWhat they did\tExpected\tWhat happened\tFace frames\tMinutes\t")
	for _, v := range d.People {
		mark := ""
		if !v.AsExpected {
			mark = "  <- not as it should be"
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%d\t%.1f\t%s\n",
			v.Participant, v.Language, v.Row+1, v.Did, v.Expected, v.Happened, v.FaceFrames, v.Minutes, mark)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	d.printWhy(w)
	d.printBalance(w)
	d.printScores(w)
	fmt.Fprintln(w)
	if len(d.Findings) == 0 {
		fmt.Fprintln(w, "Nothing was missing or odd.")
	}
	for _, f := range d.Findings {
		fmt.Fprintf(w, "%s %s\n", map[bool]string{true: "Wrong:", false: "Note:"}[f.Wrong], f.Text)
	}
	if err := d.failure(); err == nil {
		fmt.Fprintln(w, "All is as it should be.")
	}
	fmt.Fprintln(w)
	return nil
}

// printWhy says why sessions are not usable.
func (d rehearsed) printWhy(w io.Writer) {
	for _, v := range d.People {
		if v.Usable != nil && !*v.Usable {
			fmt.Fprintf(w, "  %s is not usable: %s\n", v.Participant, v.Why)
		}
	}
}

// printBalance says how evenly orders and cells are filled.
func (d rehearsed) printBalance(w io.Writer) {
	if len(d.Rows) > 0 {
		fmt.Fprint(w, "\nUsable sessions by order  ")
		for _, row := range d.Rows {
			fmt.Fprintf(w, "  %d: %d", row.Row+1, row.Usable)
		}
		fmt.Fprintln(w)
	}
	if len(d.Cells) > 0 {
		fmt.Fprint(w, "Quota                     ")
		for _, c := range d.Cells {
			fmt.Fprintf(w, "  %s %s: %d of %d", c.Question, c.Band, c.Have, c.Usable)
		}
		fmt.Fprintln(w)
	}
}

// printScores writes a line for each session that was scored against the truth.
func (d rehearsed) printScores(w io.Writer) {
	if len(d.Sessions) == 0 {
		return
	}
	fmt.Fprintln(w, "\nAgainst the truth")
	for _, s := range d.Sessions {
		fmt.Fprintf(w, "  %s  %s\n", s.Participant, s.line())
	}
}
