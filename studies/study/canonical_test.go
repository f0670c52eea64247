package study

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/studies/study/order"
)

// drawer draws any document that a study file can say.
type drawer struct {
	*rapid.T
	d    document
	ids  int // given out so far
	left int // branches that may still come
}

var anyText = rapid.StringMatching(`[^\p{C}\x{fffd}]{1,12}`)

func pick[T any](t *drawer, name string, from ...T) T {
	return rapid.SampledFrom(from).Draw(t.T, name)
}

func (t *drawer) some(name string) bool    { return rapid.Bool().Draw(t.T, name) }
func (t *drawer) number(low, high int) int { return rapid.IntRange(low, high).Draw(t.T, "number") }
func (t *drawer) share() float64           { return rapid.Float64Range(0, 1).Draw(t.T, "share") }
func (t *drawer) words() string            { return anyText.Draw(t.T, "text") }
func (t *drawer) word() string {
	return rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9_.-]{0,10}`).Draw(t.T, "word")
}
func (t *drawer) kept() period {
	if t.number(0, 3) == 0 {
		return period{}
	}
	return period{t.number(1, 50), string(periodUnits[t.number(0, len(periodUnits)-1)])}
}

func (t *drawer) id() string { t.ids++; return fmt.Sprintf("q%d", t.ids) }
func (t *drawer) lasts() time.Duration {
	return time.Duration(t.number(int(shortestStep), int(longestStep)))
}
func (t *drawer) repeat(n int, f func(i int)) {
	for i := range t.number(0, n) {
		f(i)
	}
}

func (t *drawer) text() Text {
	if t.some("one for all languages") {
		return Text{"": t.words()}
	}
	return Text(rapid.MapOfN(rapid.SampledFrom([]string{"en", "fr", "pt-BR"}), anyText, 1, 3).Draw(t.T, "texts"))
}

func (t *drawer) optional() Text {
	if t.some("left out") {
		return nil
	}
	return t.text()
}

func (t *drawer) files(key string) []reference {
	var all []reference
	for _, tag := range []string{"en", "fr"} {
		if t.some("a file") {
			all = append(all, reference{key, tag, t.word()})
		}
	}
	return all
}

func (t *drawer) question() Question {
	q := Question{Field: Field{ID: t.id(), Ask: t.text(), Required: true, Type: pick(t, "type", screeningTypes()...)}}
	switch q.Type {
	case Integer:
		q.Min = t.number(-farthest, farthest-1)
		q.Max = t.number(q.Min+1, farthest)
		for _, name := range pick(t, "bands", nil, []string{"18-24", "25-30"}, []string{"<5", "5-10k", ">10k"}, []string{"1.5M+"}) {
			b, _ := parseBand(name)
			q.Bands = append(q.Bands, b)
		}
	case Choice:
		for i := range t.number(1, 3) {
			q.Options = append(q.Options, Option{Value: fmt.Sprint(t.words(), i), Label: t.text()})
		}
	}
	if q.Type != Integer && t.some("kept") {
		for i, v := range q.values() {
			q.Bands = append(q.Bands, Band{v, i, i})
		}
	}
	if q.Type == Integer && t.some("pass") {
		q.Pass = pick(t, "condition", q.ID+" > 5", "not ("+q.ID+" < 3)")
	}
	if t.some("override") {
		q.Override = t.words()
	}
	return q
}

func (t *drawer) scale() scale {
	s := scale{id: t.id(), kind: pick(t, "kind", SAM, AffectGrid, Likert, VAS, FreeText), required: t.some("required")}
	switch s.kind {
	case SAM:
		s.dims = dimensions()[:t.number(1, 3)]
		s.points = pick(t, "points", 5, 7, 9)
		return s
	case AffectGrid:
		s.points = t.number(fewestPoints, mostPoints)
		return s
	case Likert:
		s.points = t.number(fewestPoints, mostPoints)
		fallthrough
	case VAS:
		s.low, s.high = t.optional(), t.optional()
	}
	for range t.number(1, 3) {
		s.items = append(s.items, item{t.id(), t.text()})
	}
	return s
}

func (t *drawer) block() Part {
	b := BlockPart{Name: t.id(), Method: pick(t, "method", order.Methods()...), InTurn: t.some("in turn"), Repeats: t.number(1, 3)}
	stimuli := slices.Clone(t.d.stimuli)
	if len(stimuli) > 1 && t.some("a filler") {
		b.Filler, b.Every = stimuli[0].id, t.number(1, 4)
	}
	for _, l := range stimuli {
		if !l.filler && l.id != b.Filler {
			b.Over = append(b.Over, l.id)
		}
	}
	if t.some("breathing space") {
		b.Trial = append(b.Trial, TrialPart{Action: pick(t, "before", Fixation, Rest), Duration: t.lasts()})
	}
	b.Trial = append(b.Trial, TrialPart{Action: Play, Skippable: t.some("skippable")})
	if t.d.scales != nil && t.some("rated") {
		var rates []string
		for _, s := range t.d.scales {
			rates = append(rates, ratePrefix+s.id)
		}
		b.Trial = append(b.Trial, TrialPart{Action: Fill, Sheets: rates})
	}
	return Part{Block: &b}
}

// part is any part that may come at any place, a block included.
func (t *drawer) part() Part {
	switch pick(t, "part", "action", "rest", "baseline", "form", "branch", "block") {
	case "rest":
		return Part{Action: pick(t, "pause", Rest, Fixation), Duration: t.lasts()}
	case "baseline":
		return Part{Baseline: &Baseline{Fixation: t.lasts(), Neutral: pick(t, "neutral", 0, time.Second)}}
	case "form":
		id := t.id()
		t.d.forms = append(t.d.forms, reference{key: formPrefix + id, path: "forms/" + id + ".yaml"})
		return Part{Sheets: []string{formPrefix + id}}
	case "block":
		return t.block()
	case "branch":
		if t.left--; t.left >= 0 {
			b := Branch{If: "traces == 'yes'", Then: []Part{t.part()}}
			if t.some("else") {
				b.Else = []Part{t.part()}
			}
			return Part{Branch: &b}
		}
	}
	return Part{Action: pick(t, "action", Calibrate, Validate, Breath, Camera)}
}

func (t *drawer) document() document {
	d := &t.d
	*d = defaultDocument()
	d.id, d.title, d.seed, d.folder, d.listed = t.word(), t.text(), rapid.Uint64().Draw(t.T, "seed"), t.word(), true
	d.contact = t.optional()
	d.languages = pick(t, "languages", []string{"en"}, []string{"fr", "en"}, []string{"pt-BR", "en"})
	d.words, d.phoneFrame = t.files("words"), t.some("phone")
	for _, id := range []string{consentID, debriefID, exitScreening, noticeID} {
		d.texts = append(d.texts, t.files(id)...)
	}
	t.repeat(3, func(int) { d.scopes = append(d.scopes, scope{t.id(), t.some("required"), t.text()}) })
	d.retain = retention{t.kept(), t.kept(), t.kept()}
	t.repeat(3, func(int) { d.screening = append(d.screening, t.question()) })
	d.quota.Total = t.number(0, 100)
	t.repeat(2, func(i int) {
		for k := range t.number(1, 2) {
			d.quota.Cells = append(d.quota.Cells, Cell{fmt.Sprint("q", i), fmt.Sprint(k, t.words()), t.number(0, 100)})
		}
	})
	d.devices = Devices{t.share(), t.share(), t.share(), [2]float64{t.share(), 2}, t.some("face"), t.some("gaze"), t.some("eda"), pick(t, "driver", "", "v4l2"), "", "x"}
	warn := rapid.Float64Range(smallestLimit, largestLimit).Draw(t.T, "warn")
	d.gaze = Gaze{pick(t, "calibrate", 5, 9, 13), pick(t, "validate", 4, 5, 9), rapid.Float64Range(warn, largestLimit).Draw(t.T, "accept"), warn}
	d.rules = Rules{UsableShare: t.share(), FaceConf: t.share(), Reshow: t.share(), MaxSyncMs: t.share(), MaxUnusable: t.number(0, 9), MaxGazeErrDeg: t.share()}
	for i := range t.number(1, 4) {
		l := listing{id: fmt.Sprint("s", i), file: t.word() + ".mp4", brand: pick(t, "brand", "", t.words()), filler: i > 0 && t.some("filler"), aois: pick(t, "areas", "", "a.json")}
		t.repeat(3, func(int) { l.tags = append(l.tags, t.words()) })
		t.repeat(2, func(int) {
			from := time.Duration(t.number(0, 1e7)) * time.Microsecond
			l.moments = append(l.moments, [2]time.Duration{from, from + time.Duration(t.number(1, 1e7))*time.Microsecond})
		})
		d.stimuli = append(d.stimuli, l)
	}
	t.repeat(3, func(int) { d.scales = append(d.scales, t.scale()) })
	d.flow, t.left = nil, 3
	if t.some("consent said") {
		d.flow = append(d.flow, Part{Sheets: []string{consentID}})
	}
	t.repeat(3, func(int) { d.flow = append(d.flow, t.part()) })
	d.flow = append(d.flow, t.block())
	t.repeat(3, func(int) { d.flow = append(d.flow, t.part()) })
	if t.some("receipt said") {
		d.flow = append(d.flow, Part{Sheets: []string{receiptID}})
	}
	d.analysis = Analysis{Primary: Indicators()[:t.number(0, maxPrimary)], Compare: pick(t, "compare", "brand", "tag"), FDR: .1, Show: t.number(0, 9), CompareN: t.number(0, 9), Rank: 3}
	if len(d.analysis.Primary) == 0 {
		d.analysis.Primary = nil
	}
	return *d
}

var allowed = cmp.AllowUnexported(document{}, listing{}, scale{}, item{}, scope{}, reference{}, retention{}, period{})

// plain is a document without what is not in its meaning: where it stood in a file.
func plain(d document) document {
	d.file, d.lines = "", nil
	d.stimuli = slices.Clone(d.stimuli)
	for i := range d.stimuli {
		d.stimuli[i].line = 0
	}
	return d
}

func TestCanonicalFormReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := (&drawer{T: t}).document()
		text := d.canonical()
		got, err := parseDocument("canonical", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(d, plain(got), allowed); diff != "" {
			t.Fatalf("-want +got:\n%s\n%s", diff, text)
		}
		if again := got.canonical(); !bytes.Equal(text, again) {
			t.Fatalf("canonical form of the canonical form differs:\n%s\n%s", text, again)
		}
	})
}

// madeUp is a source that has every file, with something in it that can be read.
type madeUp struct{}

func (madeUp) read(name string, most int64) ([]byte, error) {
	switch filepath.Ext(name) {
	case ".json":
		return []byte("{}"), nil
	case ".yaml", ".yml":
		if strings.Contains(name, "words") {
			return []byte("answer.yes: yes\n"), nil
		}
		id := answerWord.FindString(strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)))
		return []byte("fields: [{id: in_" + id + ", ask: A}]\n"), nil
	}
	return []byte("# Heading\n\nText.\n"), nil
}

func (madeUp) measure(string) (Stimulus, error) {
	return Stimulus{SHA256: "00", Duration: 24 * time.Hour}, nil
}

func (madeUp) names(string) []string { return nil }

func (madeUp) String() string { return "made up" }

// FuzzStudy feeds the parser any text. Nothing panics; what it reads has a canonical form
// that means the same; and what can be built can be planned, judged and checked.
func FuzzStudy(f *testing.F) {
	for _, name := range []string{"example/study.yaml", "flash/study.yaml", "testdata/full/study.yaml", "testdata/full/canonical.yaml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		"id: a\nstimuli: {folder: c}\nflow: [block: {order: fixed, trial: [fixation: 5s, play]}]",
		"id: a\nscreening: [{id: b, ask: B, type: integer, bands: [<5k, 5-10k, 1.5M+, '>=7'], pass: 5 < b <= 9000}]\nstimuli: {folder: c, list: [{id: x}]}",
		"id: a\nstimuli: {folder: c, list: [{id: x}]}\nflow: [block, branch: {if: traces == 'yes', then: [rest: 5s], else: [branch: {if: traces != 'no', then: [breath]}]}]",
		"id: &a {b: *a}\n<<: *a", "- ? [a]\n: |\n  b", "id: a\nquota: {cells: {1: {2: 3}}}", "id: a\nscales: {a: {type: sam, dims: [dominance]}}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := parseDocument("f", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		if !d.listed {
			d.stimuli = []listing{{id: "x", file: "x.mp4"}, {id: "y", file: "y.mp4"}}
		}
		s, err := d.build(madeUp{})
		if err != nil {
			if !strings.Contains(err.Error(), ":") {
				t.Errorf("the error does not say where: %v", err)
			}
			return
		}
		again, err := parseDocument("f", s.Canonical)
		if err != nil {
			t.Fatalf("the canonical form is not readable: %v\n%s", err, s.Canonical)
		}
		s2, err := again.build(madeUp{})
		if err != nil || s2.Hash != s.Hash {
			t.Fatalf("the canonical form means something else: %v\n%s", err, s.Canonical)
		}
		p := s.Plan(s.Rows())
		if diff := cmp.Diff(p, s2.Plan(s.Rows())); diff != "" {
			t.Fatalf("the canonical form has another plan:\n%s", diff)
		}
		if p.Recorded() < 2 || p.Steps[0].Sheet != noticeID || p.Steps[1].Sheet != consentID {
			t.Fatalf("recorded from step %d; first steps %+v, %+v", p.Recorded(), p.Steps[0], p.Steps[1])
		}
		s.Skip(p, Answers{})
		for _, step := range p.Steps {
			if step.Sheet == "" {
				continue
			}
			sheet, ok := s.Sheet(step.Sheet)
			if !ok {
				t.Fatalf("there is no page %q", step.Sheet)
			}
			answers := Answers{}
			for _, f := range sheet.Fields {
				for _, key := range f.Keys() {
					answers[key] = "5"
				}
			}
			_ = sheet.Check(answers)
			s.Judge(sheet.ID, answers)
		}
	})
}
