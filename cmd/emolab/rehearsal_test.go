package main

import (
	"fmt"
	"maps"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/studies/session"
	"emolab/studies/study"
)

// drawField draws a field of any type.
func drawField(t *rapid.T, id string) study.Field {
	words := study.Text{"en": "?", "fr": "?"}
	f := study.Field{
		ID: id, Ask: words, Required: rapid.Bool().Draw(t, "required"),
		Type: rapid.SampledFrom([]study.FieldType{
			study.ScopeField, study.YesNo, study.Integer, study.Choice, study.Likert, study.SAM, study.AffectGrid, study.VAS, study.FreeText,
		}).Draw(t, "type"),
	}
	switch f.Type {
	case study.Integer:
		f.Min = rapid.IntRange(-100, 100).Draw(t, "min")
		f.Max = f.Min + rapid.IntRange(1, 1000).Draw(t, "range")
	case study.Choice:
		for i := range rapid.IntRange(1, 6).Draw(t, "options") {
			f.Options = append(f.Options, study.Option{Value: fmt.Sprint("option ", i), Label: words})
		}
	case study.SAM:
		f.Dimension = rapid.SampledFrom([]string{"valence", "arousal", "dominance"}).Draw(t, "dimension")
		fallthrough
	case study.Likert, study.AffectGrid:
		f.Points = rapid.SampledFrom([]int{2, 5, 7, 9, 11}).Draw(t, "points")
	}
	return f
}

// Whatever a sheet asks, every person has an answer that the study takes, and the same
// one again.
func TestAnySheetCanBeAnswered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sheet := study.Sheet{
			ID:   "form.any",
			Kind: rapid.SampledFrom([]study.SheetKind{study.RatingSheet, study.FormSheet, study.ConsentSheet, study.NoticeSheet, study.DebriefSheet}).Draw(t, "kind"),
		}
		for i := range rapid.IntRange(0, 8).Draw(t, "fields") {
			sheet.Fields = append(sheet.Fields, drawField(t, fmt.Sprint("f", i)))
		}
		people := script.People(12, rapid.Uint64().Draw(t, "seed"))
		r := respondent{rapid.SampledFrom(people).Draw(t, "person"), rapid.SampledFrom([]string{"en", "fr", "it", ""}).Draw(t, "language")}
		felt := script.Feeling{Valence: rapid.Float64Range(-1, 1).Draw(t, "valence"), Arousal: rapid.Float64Range(-1, 1).Draw(t, "arousal")}
		occasion := rapid.IntRange(0, 20).Draw(t, "occasion")
		answers := r.fill(sheet, felt, occasion)
		if err := sheet.Check(answers); err != nil {
			t.Fatalf("%v is refused: %v", answers, err)
		}
		if again := r.fill(sheet, felt, occasion); !maps.Equal(answers, again) {
			t.Fatalf("answered %v, and then %v", answers, again)
		}
	})
}

// marketStudy turns most people away.
func marketStudy() *study.Study {
	age := study.Question{
		Field: study.Field{ID: "age", Type: study.Integer, Required: true, Min: 0, Max: 120}, Pass: "18 <= age < 35",
		Bands: []study.Band{{Name: "18-24", Min: 18, Max: 24}, {Name: "25-29", Min: 25, Max: 29}, {Name: "30-34", Min: 30, Max: 34}},
	}
	income := study.Question{
		Field: study.Field{ID: "income", Type: study.Choice, Required: true, Options: []study.Option{{Value: "<50k"}, {Value: "100-150k"}, {Value: ">150k"}}},
		Pass:  "income in ['100-150k', '>150k']",
	}
	followers := study.Question{
		Field: study.Field{ID: "followers", Type: study.Integer, Required: true, Min: 0, Max: 1_000_000_000}, Pass: "followers > 5000 or age > 30",
	}
	relation := study.Question{Field: study.Field{ID: "relation", Type: study.YesNo, Required: true}, Pass: "relation == 'no'"}
	st := &study.Study{ID: "market", Languages: []string{"fr", "en"}, Screening: []study.Question{age, income, followers, relation}}
	sheet := study.Sheet{ID: "screening", Kind: study.ScreeningSheet}
	for _, q := range st.Screening {
		sheet.Fields = append(sheet.Fields, q.Field)
	}
	st.Sheets = []study.Sheet{sheet, {ID: "exit.screening", Kind: study.ExitSheet}}
	return st
}

func TestScreeningAnswers(t *testing.T) {
	s, err := newScreening(marketStudy())
	if err != nil {
		t.Fatal(err)
	}
	bands, failed := map[string]bool{}, map[string]bool{}
	for seed := range uint64(60) {
		p := script.Person{Number: 1, Seed: seed}
		answers, turned, err := answersFor(s, p, func(string, string) bool { return false })
		if err != nil || turned != "" {
			t.Fatalf("seed %d: %q, %v", seed, turned, err)
		}
		kept, exit := s.judge(answers)
		if exit != "" {
			t.Fatalf("seed %d: %v leads to %s", seed, answers, exit)
		}
		bands[kept["age"]] = true

		// With one cell full, everybody comes from another.
		answers, turned, err = answersFor(s, p, func(question, band string) bool { return question == "age" && band != "25-29" })
		if kept, _ := s.judge(answers); err != nil || turned != "" || kept["age"] != "25-29" {
			t.Fatalf("seed %d: with one cell left: %v, %q, %v", seed, kept, turned, err)
		}
		if _, turned, err = answersFor(s, p, func(question, band string) bool { return question == "age" }); err != nil || turned != "quota" {
			t.Fatalf("seed %d: with no cell left: %q, %v", seed, turned, err)
		}

		p.Fault = script.ScreenedOut
		answers, turned, err = answersFor(s, p, func(string, string) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		j := s.study.Judge("screening", answers)
		if j.Exit == "" || j.Why != turned {
			t.Fatalf("seed %d: %v is judged %+v, want %q", seed, answers, j, turned)
		}
		failed[turned] = true
	}
	if len(bands) != 3 || len(failed) != 4 {
		t.Errorf("people come from %v and fail by %v: want every band and every question", bands, failed)
	}
}

func TestScreeningThatNobodyPasses(t *testing.T) {
	st := marketStudy()
	st.Screening[0].Pass = "age < 18 and age > 30"
	s, err := newScreening(st)
	if err != nil {
		t.Fatal(err)
	}
	if answers, _, err := answersFor(s, script.Person{Seed: 1}, func(string, string) bool { return false }); err == nil {
		t.Errorf("%v passes", answers)
	}
	st.Screening[0].Pass = "age <"
	if _, err := newScreening(st); err == nil {
		t.Error("a condition that cannot be read is taken")
	}
	// In a study without a screening everybody passes, and nobody fails.
	s, err = newScreening(&study.Study{})
	if err != nil {
		t.Fatal(err)
	}
	if _, turned, err := answersFor(s, script.Person{}, func(string, string) bool { return true }); err != nil || turned != "" {
		t.Errorf("%q, %v", turned, err)
	}
	if _, _, err := answersFor(s, script.Person{Fault: script.ScreenedOut}, nil); err == nil {
		t.Error("somebody is screened out of a study without a screening")
	}
}

// handClock is a clock that the test sets.
type handClock struct{ now instant.Instant }

func (c *handClock) Now() instant.Instant { return c.now }

// through sends a visitor through a plan of n skippable clips with a rating after
// each, and returns what they did in each step.
func through(t *testing.T, p script.Person, n int, die func() error) (v *visitor, did []session.Conduct) {
	t.Helper()
	rating := study.Sheet{ID: "rate.sam", Kind: study.RatingSheet, Fields: []study.Field{{ID: "sam.valence", Type: study.SAM, Dimension: "valence", Points: 9, Required: true}}}
	st := &study.Study{ID: "s", Languages: []string{"fr", "en"}, Sheets: []study.Sheet{rating}}
	clock := &handClock{}
	v = newVisitor(p, st, nil, script.NewTruth(p.Script(), 0), clock, n)
	v.die = die
	for k := range n {
		did = append(did, v.conduct(study.Step{Index: 2 * k, Action: study.Play, Presentation: k + 1, Skippable: true, Duration: 4 * time.Second}))
		clock.now = clock.now.Add(4 * time.Second)
		did = append(did, v.conduct(study.Step{Index: 2*k + 1, Action: study.Fill, Sheet: "rate.sam", Presentation: k + 1}))
		clock.now = clock.now.Add(time.Second)
	}
	return v, did
}

func TestVisitorsDoWhatTheyAreFor(t *testing.T) {
	died := 0
	for _, c := range []struct {
		person script.Person
		doing  func(session.Conduct) bool
		at     []int // of the clips
		says   string
	}{
		{script.Person{Responsive: true, Pace: 1}, func(c session.Conduct) bool { return c.Leave || c.Swipe || c.Pause > 0 }, nil, "goes through"},
		{script.Person{Responsive: true, Pace: 1, Fault: script.DropsOut, At: .5}, func(c session.Conduct) bool { return c.Leave }, []int{2}, "drops out"},
		{script.Person{Responsive: true, Pace: 1, Fault: script.Deletes, At: 0}, func(c session.Conduct) bool { return c.Leave }, []int{0}, "drops out and deletes"},
		{script.Person{Responsive: true, Pace: 1, Pauses: true, At: .99}, func(c session.Conduct) bool { return c.Pause > 0 }, []int{3}, "pauses"},
		{script.Person{Responsive: true, Pace: 1, Swipes: true, At: .3}, func(c session.Conduct) bool { return c.Swipe }, []int{1}, "swipes one away"},
		{script.Person{Responsive: true, Pace: 1, Fault: script.DeviceDies, At: .5}, func(session.Conduct) bool { return false }, nil, "a device dies"},
	} {
		v, did := through(t, c.person, 4, func() error { died++; return nil })
		var at []int
		for i, d := range did {
			if c.doing(d) {
				at = append(at, i/2)
			}
		}
		if fmt.Sprint(at) != fmt.Sprint(c.at) || v.did() != c.says {
			t.Errorf("%+v: at the clips %v, want %v; %q", c.person, at, c.at, v.did())
		}
	}
	if died != 1 {
		t.Errorf("a device died %d times, want once: in the first trial of whose fault it is", died)
	}
}

// What is said of a clip goes with what the script had the person feel during it.
func TestRatingsFollowTheScript(t *testing.T) {
	p := script.Person{Seed: 4, Pace: 1, Expressiveness: 1, Responsive: true}
	v, did := through(t, p, 12, nil)
	var felt, said []float64
	for k := range 12 {
		f := v.felt(k + 1)
		n, err := strconv.Atoi(did[2*k+1].Fill["sam.valence"])
		if err != nil || n < 1 || n > 9 {
			t.Fatalf("clip %d is rated %v", k+1, did[2*k+1].Fill)
		}
		felt, said = append(felt, f.Valence), append(said, float64(n))
	}
	agree := 0
	for i := range felt {
		for j := range i {
			if (felt[i]-felt[j])*(said[i]-said[j]) > 0 {
				agree++
			}
		}
	}
	if pairs := 12 * 11 / 2; agree < pairs*6/10 {
		t.Errorf("of %d pairs of clips %d are rated in the order in which they were felt", pairs, agree)
	}
}

// A language is acted in, and who is quicker answers sooner.
func TestVisitorsReadInTheirLanguage(t *testing.T) {
	v, did := through(t, script.Person{Language: 3, Pace: 1}, 1, nil)
	if v.language() != "en" || did[1].Language != "en" || did[1].After < readingTime || !did[1].Answer {
		t.Errorf("%q: %+v", v.language(), did[1])
	}
	if _, quick := through(t, script.Person{Language: 3, Pace: 2}, 1, nil); quick[1].After != did[1].After/2 {
		t.Errorf("twice as quick takes %v instead of %v", quick[1].After, did[1].After)
	}
}

func TestEvenness(t *testing.T) {
	rows := []session.RowCount{{Row: 0, Usable: 2}, {Row: 1, Usable: 3}, {Row: 9, Usable: 50}}
	if low, high := spread(rows, 2); low != 2 || high != 3 {
		t.Errorf("%d to %d", low, high)
	}
	if low, _ := spread(rows, 3); low != 0 {
		t.Errorf("an order that was never used counts %d", low)
	}
}
