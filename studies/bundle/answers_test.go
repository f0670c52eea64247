package bundle

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// What was read and answered is in the bundle, before the recording and in it; what was
// answered again counts once.
func TestAnswersAreInTheBundle(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st := &study.Study{ID: "pilot", Hash: "c0ffee", Canonical: []byte("id: pilot\n"), Stimuli: []study.Stimulus{{ID: "a"}, {ID: "b", Filler: true}}, Languages: []string{"en", "fr"},
		Sheets: []study.Sheet{
			{ID: "screening", Kind: study.ScreeningSheet, Heading: study.Text{"en": "How old are you?"}, Fields: []study.Field{{ID: "age", Type: study.Integer, Min: 1, Max: 120}}},
			{ID: "rate.sam", Kind: study.RatingSheet, Heading: study.Text{"en": "What did you feel?", "fr": "Qu’avez-vous ressenti ?"}, Fields: []study.Field{
				{ID: "sam.valence", Type: study.SAM, Points: 9, Required: true, Ask: study.Text{"en": "Pleasant?", "fr": "Agréable ?"},
					Low: study.Text{"en": "unpleasant", "fr": "désagréable"}, High: study.Text{"en": "pleasant", "fr": "agréable"}},
				{ID: "where", Type: study.Choice, Ask: study.Text{"en": "Where?", "fr": "Où ?"}, Options: []study.Option{
					{Value: "town", Label: study.Text{"en": "In town", "fr": "En ville"}}, {Value: "web", Label: study.Text{"en": "On the web", "fr": "En ligne"}}}},
				{ID: "grid", Type: study.AffectGrid, Points: 9}, {ID: "much", Type: study.VAS},
			}},
		}}
	plan := study.Plan{Steps: []study.Step{
		{Action: study.Fill, Sheet: "screening"}, {Index: 1, Action: study.Begin},
		{Index: 2, Action: study.Play, Stimulus: "a", Presentation: 1, Block: "main"},
		{Index: 3, Action: study.Fill, Sheet: "rate.sam", Stimulus: "a", Presentation: 1, Block: "main"},
		{Index: 4, Action: study.Play, Stimulus: "b", Presentation: 2, Block: "main"},
		{Index: 5, Action: study.Fill, Sheet: "rate.sam", Stimulus: "b", Presentation: 2, Block: "main"},
	}}
	wall := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	r, err := s.Begin(t.Context(), session.Header{ID: "s1", Study: st, Plan: plan, Participant: "P01", Software: "emolab test", Segment: session.Segment{Wall: wall}})
	if err != nil {
		t.Fatal(err)
	}
	page, hash := st.Sheets[1].Words("fr"), st.Sheets[1].SHA256("fr")
	keep := func(a session.Answer) {
		t.Helper()
		a.Wall, a.TextSHA256, a.Text, a.Language, a.How = wall, hash, page, "fr", session.OnScreen
		if err := r.Answer(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	rate := func(step, presentation int, at instant.Instant, values study.Answers) {
		t.Helper()
		keep(session.Answer{Step: step, Sheet: "rate.sam", Kind: study.RatingSheet, Stimulus: string(rune('a' + presentation - 1)), Presentation: presentation,
			Values: values, ResponseMs: map[string]float64{"sam.valence": 812.5}, At: at})
	}
	begin := func(step int, at instant.Instant) {
		t.Helper()
		if err := r.Reached(t.Context(), step, at); err != nil {
			t.Fatal(err)
		}
	}
	begin(0, 0)
	keep(session.Answer{Sheet: "screening", Kind: study.ScreeningSheet, Values: study.Answers{"age": "25-29"}})
	for _, c := range []session.Consent{{Scope: session.Notice, Granted: true}, {Scope: session.FaceVideo}} { // read, and refused
		c.TextSHA256, c.Text, c.Language, c.How = hash, page, "fr", session.OnScreen
		if err := r.Consent(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Consent(t.Context(), session.Consent{Scope: session.Traces, Granted: true, TextSHA256: hash, Text: page, Language: "fr", How: session.OnScreen}); err != nil {
		t.Fatal(err)
	}
	if err := r.Record(t.Context(), session.Segment{Boot: "boot", Start: origin, Wall: wall}, lab()); err != nil {
		t.Fatal(err)
	}
	begin(2, origin+1e9)
	rate(3, 1, origin+2e9, study.Answers{"sam.valence": "2", "thought": "first, \"then\""})
	rate(3, 1, origin+3e9, study.Answers{"sam.valence": "7"})
	rate(5, 2, origin+4e9, study.Answers{"sam.valence": "4"})
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path, err := NewExporter(s, t.TempDir()).ExportTo(t.Context(), "s1", "Ann <ann@lab.example>", nil)
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, path)
	for _, c := range []struct{ file, want string }{
		{"ratings.csv", "presentation,stimulus,role,again,sam.valence,sam.valence_ms\n1,a,main,0,7,812.5\n2,b,filler,0,4,812.5\n"},
		{"steps.csv", ",,,0,fill,screening,,,\n1.000000,5001000000000,0,2,play,,a,1,main\n"},
		{"answers.csv", ",,2026-11-22T09:00:00.000Z,,0,screening,screening,age,25-29,0,,,,fr," + hash + "," + session.OnScreen + "\n"},
		{"answers.csv", "2.000000,5002000000000,2026-11-22T09:00:00.000Z,0,3,rate.sam,rating,thought,\"first, \"\"then\"\"\",0,a,1,,fr," + hash},
		{"consents.csv", ",,2026-11-22T09:00:00.000Z,,traces,1," + hash + ",fr," + session.OnScreen + "\n"},
		{"codebook.csv", `ratings.csv,sam.valence,1,"""Pleasant?"" (type sam, 1 to 9), 1: ""unpleasant"", 9: ""pleasant"". Answer on the page rate.sam;`},
		{"items.csv", "age,screening,screening,integer,en,,1,120,,,,0\nsam.valence,rate.sam,rating,sam,en,Pleasant?,1,9,unpleasant,pleasant,,1\n" +
			"where,rate.sam,rating,choice,en,Where?,,,,,town = In town; web = On the web,0\n" +
			"grid.valence,rate.sam,rating,affect_grid,en,,1,9,unpleasant,pleasant,,0\n" +
			"grid.arousal,rate.sam,rating,affect_grid,en,,1,9,\"sleepy, calm\",\"wide awake, excited\",,0\nmuch,rate.sam,rating,vas,en,,0,100,,,,0\n"},
		{"stimuli.csv", "b,,,,filler,"},
		{"presentations.csv", "t_s,at_ns,end_s,segment,presentation,step,stimulus,role,again,begun\n,,,,1,2,a,main,0,1\n,,,,2,4,b,filler,0,"},
	} {
		if c.file == "consents.csv" { // its wall time is when the row was written
			rows := parse(t, files[c.file])
			if len(rows) != 4 || !slices.Equal(rows[3][:2], []string{"", ""}) || !slices.Equal(rows[3][3:], []string{"", "traces", "1", hash, "fr", session.OnScreen}) {
				t.Errorf("consents %q", rows)
			}
			continue
		}
		if !strings.Contains(string(files[c.file]), c.want) {
			t.Errorf("%s lacks %q:\n%s", c.file, c.want, files[c.file])
		}
	}
	var texts []reading
	if err := json.Unmarshal(files["texts.json"], &texts); err != nil || len(texts) != 1 || texts[0].Words != page || texts[0].SHA256 != hash || texts[0].Sheet != "rate.sam" ||
		len(texts[0].Items) != 5 || texts[0].Items[0].Low != "désagréable" || *texts[0].Items[0].Max != 9 || texts[0].Items[1].Options["town"] != "En ville" || texts[0].Items[1].Min != nil {
		t.Errorf("texts %+v, %v", texts, err)
	}
	var m manifest
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Scopes, []string{session.Traces}) || m.Recipient != "Ann <ann@lab.example>" || m.StudyVersion != 1 || m.Run != 1 || m.FaceFramesWritten != 0 {
		t.Errorf("manifest %+v", m)
	}
	exports, err := s.Exports(t.Context(), "s1")
	if err != nil || len(exports) != 1 || exports[0].Recipient != m.Recipient {
		t.Errorf("exports %+v, %v", exports, err)
	}
	if _, err := Verify(path); err != nil {
		t.Error(err)
	}
}

// Who declined gave nothing that could be exported.
func TestWhoDeclinedIsNotExported(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := s.Begin(t.Context(), session.Header{ID: "s1", Study: &study.Study{ID: "pilot", Hash: "c0ffee", Canonical: []byte("id: pilot\n")},
		Plan:        study.Plan{Steps: []study.Step{{Action: study.Fill, Sheet: "consent"}, {Index: 1, Action: study.Begin}}},
		Participant: "P01", Software: "emolab test", Segment: session.Segment{Wall: time.Now()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Decline(t.Context(), "consent"); err != nil {
		t.Fatal(err)
	}
	if _, err := NewExporter(s, t.TempDir()).Export(t.Context(), "s1", nil); err == nil || !strings.Contains(err.Error(), "did not take part") {
		t.Errorf("%v", err)
	}
}
