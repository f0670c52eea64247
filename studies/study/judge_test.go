package study

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const screened = `id: a
stimuli: {folder: c, list: [{id: x}]}
consent: {scopes: {face_video: {required: false}, publish_aggregates: {required: true}}}
screening:
  - {id: age, ask: Age?, type: integer, min: 0, max: 130, pass: "18 <= age < 35", bands: [18-24, 25-29, 30-34]}
  - {id: followers, ask: Followers?, type: integer, pass: "followers > 5000", bands: [5-10k, 10-50k, ">50k"]}
  - {id: income, ask: Income?, choices: [<50k, 50-100k, ">100k"], pass: "income in ['50-100k', '>100k'] or age < 20", keep: pass_only}
  - {id: hand, ask: Hand?, choices: [left, right], keep: band}
  - {id: relation, ask: One of ours?, type: yesno, pass: "relation == 'no'", keep: pass_only, override: "ethics board 17"}
`

func TestJudge(t *testing.T) {
	s := mustBuild(t, screened, nil)
	answers := func(age, followers, income, hand, relation string) Answers {
		a := Answers{"age": age, "followers": followers, "income": income, "hand": hand, "relation": relation}
		for key, value := range a {
			if value == "" {
				delete(a, key)
			}
		}
		return a
	}
	consent := func(traces, video, aggregates string) Answers {
		return Answers{"traces": traces, "face_video": video, "publish_aggregates": aggregates}
	}
	for _, c := range []struct {
		name, sheet string
		given       Answers
		want        Judgement
	}{
		{"takes part", screeningID, answers("26", "7000", ">100k", "left", "no"),
			Judgement{Kept: Answers{"age": "25-29", "followers": "5-10k", "income": Passed, "hand": "left", "relation": Passed}}},
		{"at the edges", screeningID, answers("34", "50001", "50-100k", "right", "no"),
			Judgement{Kept: Answers{"age": "30-34", "followers": ">50k", "income": Passed, "hand": "right", "relation": Passed}}},
		{"in two bands, the first counts", screeningID, answers("18", "10000", "<50k", "left", "no"),
			Judgement{Kept: Answers{"age": "18-24", "followers": "5-10k", "income": Passed, "hand": "left", "relation": Passed}}},
		{"too old", screeningID, answers("35", "7000", ">100k", "left", "no"),
			Judgement{Kept: Answers{"age": Failed}, Exit: exitScreening, Why: "screening: age"}},
		{"compared as numbers", screeningID, answers("26", "900", ">100k", "left", "no"),
			Judgement{Kept: Answers{"followers": Failed}, Exit: exitScreening, Why: "screening: followers"}},
		{"an earlier answer counts", screeningID, answers("20", "7000", "<50k", "left", "no"),
			Judgement{Kept: Answers{"income": Failed}, Exit: exitScreening, Why: "screening: income"}},
		{"under the ethics board", screeningID, answers("26", "7000", ">100k", "left", "yes"),
			Judgement{Kept: Answers{"age": "25-29", "followers": "5-10k", "income": Passed, "hand": "left", "relation": Overridden}}},
		{"not answered", screeningID, answers("26", "7000", ">100k", "left", ""),
			Judgement{Kept: Answers{"relation": Failed}, Exit: exitScreening, Why: "screening: relation"}},
		{"agrees", consentID, consent(Yes, No, Yes), Judgement{Kept: consent(Yes, No, Yes)}},
		{"without a required scope", consentID, consent(Yes, Yes, No), Judgement{Kept: consent(Yes, Yes, No), Exit: exitConsent, Why: "consent"}},
		{"declines", consentID, nil, Judgement{Exit: exitConsent, Why: "consent"}},
		{"other pages", leaveID, Answers{LeaveKey: LeaveDelete}, Judgement{Kept: Answers{LeaveKey: LeaveDelete}}},
		{"no page", "nothing", Answers{"a": "b"}, Judgement{Kept: Answers{"a": "b"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, s.Judge(c.sheet, c.given)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Of no answer to the screening is kept what was answered, whoever it is: only names of
// bands, and whether it was passed. And of who does not take part, no band.
func TestAnswersOfTheScreeningAreNotKept(t *testing.T) {
	text := strings.Replace(screened, `keep: band}`, `keep: pass_only}`, 1) // choices may be bands themselves
	s, err := built(t, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		a := Answers{
			"age": strconv.Itoa(rapid.IntRange(0, 130).Draw(t, "age")), "followers": strconv.Itoa(rapid.IntRange(0, 1e6).Draw(t, "followers")),
			"income": rapid.SampledFrom([]string{"<50k", "50-100k", ">100k"}).Draw(t, "income"),
			"hand":   rapid.SampledFrom([]string{"left", "right"}).Draw(t, "hand"), "relation": rapid.SampledFrom([]string{Yes, No}).Draw(t, "relation"),
		}
		j := s.Judge(screeningID, a)
		for key, kept := range j.Kept {
			if kept == a[key] {
				t.Fatalf("%s is kept as it was answered: %s", key, kept)
			}
			if j.Exit != "" && kept != Failed {
				t.Fatalf("of somebody who does not take part, %s is kept as %s", key, kept)
			}
		}
	})
}

func TestParseBand(t *testing.T) {
	for _, c := range []struct {
		name     string
		min, max int // both 0: no band
	}{
		{"18-24", 18, 24}, {"18 - 24", 18, 24}, {"7", 7, 7}, {"5-10k", 5000, 10000}, {"500-1k", 500, 1000}, {"1k-2k", 1000, 2000},
		{"1.5-2M", 1_500_000, 2_000_000}, {"<18", -farthest, 17}, {"<=18", -farthest, 18}, {">50k", 50_001, farthest}, {">=50k", 50_000, farthest}, {"65+", 65, farthest},
		{"24-18", 0, 0}, {"young", 0, 0}, {"", 0, 0}, {"-", 0, 0}, {"1-2-3", 0, 0}, {"<", 0, 0}, {"1.5", 0, 0}, {"9999999M", 0, 0}, {"1e3-2e3", 0, 0}, {"k", 0, 0},
	} {
		b, ok := parseBand(c.name)
		if ok != (c.max != 0) || ok && (b.Min != c.min || b.Max != c.max || b.Name != c.name) {
			t.Errorf("%q is %d to %d, %v; want %d to %d", c.name, b.Min, b.Max, ok, c.min, c.max)
		}
	}
}

func TestCheck(t *testing.T) {
	options := []Option{{Value: "a"}, {Value: "b"}}
	sheet := Sheet{ID: "page", Fields: []Field{
		{ID: "scope", Type: ScopeField, Required: true}, {ID: "free", Type: ScopeField},
		{ID: "yes", Type: YesNo}, {ID: "n", Type: Integer, Min: -3, Max: 10}, {ID: "c", Type: Choice, Options: options},
		{ID: "l", Type: Likert, Points: 7}, {ID: "s", Type: SAM, Points: 9}, {ID: "g", Type: AffectGrid, Points: 9},
		{ID: "v", Type: VAS}, {ID: "t", Type: FreeText}, {ID: "must", Type: Likert, Points: 3, Required: true},
	}}
	for _, c := range []struct {
		change Answers // of answers that are right; "-" takes one away
		want   string  // "" = is right
	}{
		{nil, ""},
		{Answers{"scope": No}, "scope: is required"},
		{Answers{"scope": "-"}, "scope: has not been answered"},
		{Answers{"free": "true"}, "free: is yes or no"},
		{Answers{"yes": "Yes"}, "yes: is yes or no"},
		{Answers{"n": "-3"}, ""}, {Answers{"n": "-4"}, "n: is a whole number from -3 to 10"}, {Answers{"n": "11"}, "n: is"},
		{Answers{"n": "1.0"}, "n: is"}, {Answers{"n": "07"}, "n: is"}, {Answers{"n": "+7"}, "n: is"}, {Answers{"n": "seven"}, "n: is"},
		{Answers{"c": "b"}, ""}, {Answers{"c": "d"}, "c: is not among"},
		{Answers{"l": "0"}, "l: is a whole number from 1 to 7"}, {Answers{"l": "8"}, "l: is"},
		{Answers{"s": "9"}, ""}, {Answers{"s": "10"}, "s: is"},
		{Answers{"g.valence": "-"}, "g: has only one"}, {Answers{"g.valence": "-", "g.arousal": "-"}, ""}, {Answers{"g": "3"}, "g: is not asked"},
		{Answers{"v": "100"}, ""}, {Answers{"v": "33.3"}, ""}, {Answers{"v": "100.1"}, "v: is a number from 0 to 100"}, {Answers{"v": "-1"}, "v: is"},
		{Answers{"v": "NaN"}, "v: is"}, {Answers{"v": "1e1"}, "v: is"}, {Answers{"v": "0x10"}, "v: is"}, {Answers{"v": "."}, "v: is"},
		{Answers{"t": strings.Repeat("é", MaxText)}, ""}, {Answers{"t": strings.Repeat("é", MaxText+1)}, "t: has more than 2000"}, {Answers{"t": "\xff"}, "t: is not text"},
		{Answers{"t": ""}, "t: is empty"},
		{Answers{"must": "-"}, "must: has not been answered"},
		{Answers{"other": "1"}, "other: is not asked on the page page"},
	} {
		t.Run(fmt.Sprint(c.change), func(t *testing.T) {
			a := Answers{"scope": Yes, "free": No, "yes": Yes, "n": "3", "c": "a", "l": "1", "s": "1", "g.valence": "1", "g.arousal": "9", "v": "0", "t": "x", "must": "2"}
			for key, value := range c.change {
				if a[key] = value; value == "-" {
					delete(a, key)
				}
			}
			err := sheet.Check(a)
			if c.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if _, typed := err.(*Invalid); !typed || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestParseText(t *testing.T) {
	for _, c := range []struct {
		name, text, heading string
		paragraphs          []string
		err                 string
	}{
		{"usual", "# A heading\n\nOne\ntwo.\n\n  Three. \n", "A heading", []string{"One two.", "Three."}, ""},
		{"no heading", "One.\n\nTwo.", "", []string{"One.", "Two."}, ""},
		{"only a heading", "# A\n", "A", []string{}, ""},
		{"Windows", "\ufeff# A\r\n\r\nB\r\n \r\nC", "A", []string{"B", "C"}, ""},
		{"nothing else is read", "# A\n\n## B *c* <script>\n", "A", []string{"## B *c* <script>"}, ""},
		{"empty", " \n", "", nil, "is empty"},
		{"Latin-1", "caf\xe9", "", nil, "not text in UTF-8"},
		{"a book", strings.Repeat("a\n\n", 201), "", nil, "has 201 paragraphs"},
		{"a library", strings.Repeat("a", maxText+1), "", nil, "is larger than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseText("f.md", []byte(c.text))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v, want %s", err, c.err)
				}
				return
			}
			if diff := cmp.Diff(sheetText{c.heading, c.paragraphs}, got, cmp.AllowUnexported(sheetText{})); diff != "" || err != nil {
				t.Errorf("%v, -want +got:\n%s", err, diff)
			}
		})
	}
}

func FuzzForm(f *testing.F) {
	f.Add([]byte("heading: {en: A}\ntext: [{en: One}, Two]\nfields: [{id: a, ask: A, type: likert, points: 5, low: x}]"))
	f.Add([]byte("text: A\nfields: [{id: a, ask: {fr: A}, choices: [1, {value: b, label: B}]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parseForm("f", text)
		if err == nil && len(got.fields) == 0 {
			t.Error("a form without a question")
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add([]byte("# A\n\nB\nC\n\n\nD"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parseText("f", text)
		if err == nil && got.heading == "" && len(got.paragraphs) == 0 {
			t.Error("a page without words")
		}
		for _, p := range got.paragraphs {
			if strings.ContainsAny(p, "\n\r") || strings.TrimSpace(p) == "" {
				t.Errorf("a paragraph is %q", p)
			}
		}
	})
}
