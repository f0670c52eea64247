package outlook

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emolab/studies/study"
)

// brands is a study of n videos, of which each two are of one brand, in one block.
func brands(n int, method string) *study.Study {
	s := &study.Study{ID: "test", Seed: 20261122, Languages: []string{"en"},
		Analysis: study.Analysis{Primary: []string{"NET", "ARO"}, Compare: "brand", FDR: .05},
		Sheets: []study.Sheet{
			{ID: "consent", Kind: study.ConsentSheet, Body: map[string][]string{"en": {strings.Repeat("word ", 400)}},
				Fields: []study.Field{{ID: "traces", Type: study.ScopeField}}},
			{ID: "rate.sam", Kind: study.RatingSheet, Fields: []study.Field{{ID: "sam.valence", Type: study.SAM}, {ID: "sam.arousal", Type: study.SAM}}},
			{ID: "form.exit", Kind: study.FormSheet, Fields: []study.Field{{ID: "age", Type: study.Integer}, {ID: "remarks", Type: study.FreeText}}},
			{ID: "left", Kind: study.ReceiptSheet},
		},
		Flow: []study.Part{
			{Sheets: []string{"consent"}}, {Action: study.Begin},
			{Block: &study.BlockPart{Name: "main", Method: method, Trial: []study.TrialPart{
				{Action: study.Fixation, Duration: 5 * time.Second}, {Action: study.Play}, {Action: study.Fill, Sheets: []string{"rate.sam"}}}}},
			{Branch: &study.Branch{If: "age > 18", Then: []study.Part{{Sheets: []string{"form.exit"}}}}},
		}}
	for i := range n {
		s.Stimuli = append(s.Stimuli, study.Stimulus{ID: fmt.Sprintf("v%03d", i), Brand: fmt.Sprintf("Brand %d", i/2), Duration: 15 * time.Second})
	}
	return s
}

// orders is a study of brands that compares nothing, so that no power is simulated.
func orders(n int, method string) *study.Study {
	s := brands(n, method)
	s.Analysis.Compare = "tag"
	return s
}

func TestWhoSeesWhat(t *testing.T) {
	s := orders(4, "williams")
	o := Of(s, 6)
	if o.Rows != 4 || len(o.People) != 6 || o.People[5].Row != 1 || o.People[5].Number != 6 {
		t.Errorf("%d rows, people %+v", o.Rows, o.People)
	}
	if diff := cmp.Diff(o.People[1].Shown, o.People[5].Shown); diff != "" {
		t.Errorf("the same row is shown differently:\n%s", diff)
	}
	var played []string
	for _, step := range s.Plan(1).Steps {
		if step.Action == study.Play {
			played = append(played, step.Stimulus)
		}
	}
	for k, v := range o.People[1].Shown {
		if v.Stimulus != played[k] || v.Block != "main" || v.DurationS != 15 || v.Filler || v.Depends {
			t.Errorf("place %d: %+v, the plan has %s", k, v, played[k])
		}
	}
	if o := Of(orders(4, "random"), 6); o.Rows != 0 || o.People[5].Row != 5 {
		t.Errorf("random: %d rows, the last person has %d", o.Rows, o.People[5].Row)
	}
}

// Nobody is invited beyond the quota, and the words say so.
func TestTheQuotaIsWhatIsWanted(t *testing.T) {
	s := orders(4, "williams")
	s.Quota.Total = 10
	o := Of(s, 60)
	if o.Days.Usable != 10 || o.Days.Invite != 13 {
		t.Errorf("%+v", o.Days)
	}
	if words := strings.Join(o.Words(), "\n"); !strings.Contains(words, "Invite about 13 for 10 usable sessions") || !strings.Contains(words, "The quota is 10") {
		t.Error(words)
	}
}

func TestLength(t *testing.T) {
	o := Of(orders(4, "williams"), 8)
	// 400 words at 200 a minute and a box of 4 s; begin 15 s, 4 times cross, clip and two
	// points on a scale. The form depends on an answer: a number and free text.
	want := Length{IntakeS: 120 + 4, RecordedS: 15 + 4*(5+15+8), DependsS: 36}
	if o.Length != want {
		t.Errorf("%+v, want %+v", o.Length, want)
	}
	if want := (Days{SlotMinutes: 15, ADay: 10, Days: 1, Usable: 8, Invite: 10}); o.Days != want {
		t.Errorf("%+v, want %+v", o.Days, want)
	}
	long := days(Length{RecordedS: 40 * 60}, 61, 61)
	if want := (Days{SlotMinutes: 60, ADay: 7, Days: 9, Usable: 61, Invite: 77}); long != want {
		t.Errorf("%+v, want %+v", long, want)
	}
	if d := days(Length{RecordedS: 100 * 3600}, 2, 2); d.ADay != 1 || d.Days != 2 {
		t.Errorf("four days long: %+v", d)
	}
}

func TestHowEvenTheOrdersAre(t *testing.T) {
	for _, c := range []struct {
		method string
		people int
		want   Even
	}{
		{"williams", 8, Even{Block: "main", Method: "williams", Stimuli: 4, PlaceLeast: 2, PlaceMost: 2, AfterLeast: 2, AfterMost: 2, SameBrand: 1. / 3}},
		{"williams", 5, Even{Block: "main", Method: "williams", Stimuli: 4, PlaceLeast: 1, PlaceMost: 2, AfterLeast: 1, AfterMost: 2, SameBrand: 1. / 3}},
		{"", 8, Even{Block: "main", Method: "fixed", Stimuli: 4, PlaceMost: 8, AfterMost: 8, SameBrand: 2. / 3}},
	} {
		got := Of(orders(4, c.method), c.people).Blocks
		if len(got) != 1 {
			t.Fatalf("%+v", got)
		}
		if c.people == 5 { // one row comes twice, whichever it is
			c.want.SameBrand = got[0].SameBrand
		}
		if diff := cmp.Diff(c.want, got[0]); diff != "" {
			t.Errorf("%s, %d people: %s", c.method, c.people, diff)
		}
	}
}

func TestFillersPartNeighbours(t *testing.T) {
	s := brands(4, "fixed")
	s.Stimuli = append(s.Stimuli, study.Stimulus{ID: "sea", Filler: true, Duration: time.Second})
	s.Flow[2].Block.Filler, s.Flow[2].Block.Every = "sea", 2
	s.Analysis.Compare = "tag"
	o := Of(s, 3)
	if got := o.Blocks[0]; got.Stimuli != 4 || got.AfterMost != 3 || got.SameBrand != 1 {
		t.Errorf("%+v: v000 v001, then the sea, then v002 v003", got)
	}
	if n := len(o.People[0].Shown); n != 5 || !o.People[0].Shown[2].Filler {
		t.Errorf("%d are shown", n)
	}
	s.Analysis.Compare = "brand"
	if p := compared(s, 3); p.Groups != 2 || p.ClipS != 15 {
		t.Errorf("the filler counts: %+v", p)
	}
}

func TestWhatIsCompared(t *testing.T) {
	s := brands(8, "williams")
	s.Quota.Total = 30
	for _, c := range []struct {
		compare              string
		groups, tests, truth int
	}{{"brand", 4, 12, 4}, {"stimulus", 8, 56, 19}, {"tag", 0, 0, 0}} {
		s.Analysis.Compare = c.compare
		p := Of(s, 60).Power
		if c.groups == 0 {
			if p != nil {
				t.Errorf("%s: %+v", c.compare, p)
			}
			continue
		}
		if p.Usable != 30 || p.Groups != c.groups || p.Tests != c.tests || p.True != c.truth {
			t.Errorf("%s: %+v", c.compare, p)
		}
		if p.Medium.Power <= .3 || p.Medium.Power >= .7 || p.Large.Power < .9 || p.For80 < 35 || p.For80 > 60 {
			t.Errorf("%s: %+v", c.compare, p)
		}
	}
	s.Analysis.Primary = nil
	s.Analysis.Compare = "brand"
	if p := compared(s, 60); p.Indicators != 1 {
		t.Errorf("without indicators: %+v", p)
	}
}

// The words are what people go by; change them with care. UPDATE_GOLDEN=1 writes them anew.
func TestWords(t *testing.T) {
	if raced {
		t.Skip("simulates thousands of studies, as TestWhatIsCompared does")
	}
	fixed, one := brands(4, "fixed"), brands(1, "williams")
	filled := brands(12, "latin")
	filled.Analysis.Compare = "stimulus"
	for name, o := range map[string]Outlook{
		"williams": Of(brands(8, "williams"), 60), "fixed": Of(fixed, 12), "one": Of(one, 1), "latin": Of(filled, 30),
		"hopeless": Of(filled, 8),
	} {
		file := filepath.Join("testdata", name+".txt")
		got := strings.Join(o.Words(), "\n") + "\n"
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

// A study without skin conductance is told nothing of it.
func TestSkinOnlyWhereItIsMeasured(t *testing.T) {
	s := brands(4, "williams") // ARO is primary
	if !measuresSkin(s) {
		t.Error("an indicator made of skin conductance needs none")
	}
	s.Analysis.Primary = []string{"NET"}
	if measuresSkin(s) {
		t.Error("nothing has to do with skin conductance")
	}
	if words := strings.Join((Power{Usable: 10, Groups: 2}).words(), "\n"); strings.Contains(words, "skin") {
		t.Error(words)
	}
	s.Flow = append(s.Flow, study.Part{Branch: &study.Branch{If: "age > 18", Else: []study.Part{{Action: study.Breath}}}})
	if !measuresSkin(s) {
		t.Error("a breath asks skin conductance")
	}
}

func BenchmarkLargeStudy(b *testing.B) {
	s := brands(200, "williams")
	for range b.N {
		Of(s, 500)
	}
}
