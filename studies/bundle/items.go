package bundle

import (
	"context"
	"fmt"
	"strings"

	"emolab/studies/store"
	"emolab/studies/study"
)

// item is something that the study asks: one key of its answers.
type item struct {
	key      string
	sheet    study.Sheet
	field    study.Field
	language string // of the words below
	asks     string
	// least and most bound a number; both are 0 where the answer is none.
	least, most int
	low, high   string // what these two mean, in words; "" where nothing is said
	options     string // to choose from; "" = none
}

// itemsOf are the questions of the study, in one language, by the pages and in the order
// in which they are asked there.
func itemsOf(sheets []study.Sheet, language string) []item {
	var all []item
	for _, s := range sheets {
		for _, f := range s.Fields {
			for _, key := range f.Keys() {
				i := item{key: key, sheet: s, field: f, language: language, asks: f.Ask[language], low: f.Low[language], high: f.High[language]}
				i.least, i.most = span(f)
				i.nameEnds()
				var options []string
				for _, o := range f.Options {
					options = append(options, o.Value+" = "+o.Label[language])
				}
				i.options = strings.Join(options, "; ")
				all = append(all, i)
			}
		}
	}
	return all
}

// span is the least and the greatest number that answers a field.
func span(f study.Field) (least, most int) {
	switch f.Type {
	case study.Likert, study.SAM, study.AffectGrid:
		return 1, f.Points
	case study.VAS:
		return 0, study.VASHigh
	case study.Integer:
		return f.Min, f.Max
	}
	return 0, 0
}

// nameEnds says which way an affect grid goes: its ends are on the page, and not among
// the words of the field.
func (i *item) nameEnds() {
	if i.field.Type != study.AffectGrid {
		return
	}
	switch {
	case strings.HasSuffix(i.key, study.GridArousal):
		i.low, i.high = "sleepy, calm", "wide awake, excited"
	case i.low == "" && i.high == "":
		i.low, i.high = "unpleasant", "pleasant"
	}
}

// about says in words what an answer means.
func (i item) about() string {
	var b strings.Builder
	if i.asks != "" {
		fmt.Fprintf(&b, "%q ", i.asks)
	}
	fmt.Fprintf(&b, "(type %s", i.field.Type)
	if i.most > i.least {
		fmt.Fprintf(&b, ", %d to %d", i.least, i.most)
	}
	b.WriteString(")")
	if i.low != "" || i.high != "" {
		fmt.Fprintf(&b, ", %d: %q, %d: %q", i.least, i.low, i.most, i.high)
	}
	if i.options != "" {
		fmt.Fprintf(&b, ", %s", i.options)
	}
	return b.String() + ". "
}

// asked are the questions in the study's first language.
func (s *source) asked() []item {
	if len(s.sheets.Languages) == 0 {
		return nil
	}
	return itemsOf(s.sheets.Sheets, s.sheets.Languages[0])
}

// items is the table of all questions: what the values in answers.csv and ratings.csv mean.
func (s *source) items() sheet {
	columns := []column{
		{"item", "", "Key of the answer, as in answers.csv and ratings.csv."},
		{"sheet", "", "Id of the page that it is asked on."},
		{"kind", "", "What the page is for."},
		{"type", "", "How it is answered: scope and yesno are yes or no; sam, likert, affect_grid, vas and integer are numbers; choice is one of options; text is free."},
		{"language", "", "Language of the words in this row, the study's first; texts.json has those that were read."},
		{"asks", "", "The question."},
		{"min", "1", "Least number that can be answered; empty where no number is. Of a screening it is what was asked: what is kept is a band, or pass, fail or override."},
		{"max", "1", "Greatest number."},
		{"low", "", "What the least number means; empty where the page does not say."},
		{"high", "", "What the greatest number means."},
		{"options", "", "Values to choose from, each with its words, parted by semicolons."},
		{"required", "1", "1 where the page goes on only with an answer; of a scope, where nobody takes part without a yes."},
	}
	return sheet{"items.csv", "Every question of the study: what it asks, its type, range and ends.", columns, func(_ context.Context, t *table) error {
		for _, i := range s.asked() {
			t.text(i.key)
			t.text(i.sheet.ID)
			t.text(string(i.sheet.Kind))
			t.text(string(i.field.Type))
			t.text(i.language)
			t.text(i.asks)
			if i.most > i.least {
				t.int(int64(i.least))
				t.int(int64(i.most))
			} else {
				t.empty()
				t.empty()
			}
			t.text(i.low)
			t.text(i.high)
			t.text(i.options)
			t.bool(i.field.Required)
			t.end()
		}
		return nil
	}}
}

// reading is a text that was read, with what was asked on that page. A page of another
// version of the program, whose words differ, is not known by its hash: it has no items.
type reading struct {
	store.Text
	Sheet string     `json:"sheet"` // id; "" = not known
	Items []question `json:"items"`
}

// question is what a page asked, in the language in which it was read.
type question struct {
	Item    string            `json:"item"`
	Type    study.FieldType   `json:"type"`
	Asks    string            `json:"asks"`
	Min     *int              `json:"min"` // null where the answer is no number
	Max     *int              `json:"max"`
	Low     string            `json:"low"`
	High    string            `json:"high"`
	Options map[string]string `json:"options"` // words by value
}

// readings are the texts with their questions.
func (s *source) readings() []reading {
	pages := map[string]study.Sheet{} // by language and hash
	for _, p := range s.sheets.Sheets {
		for _, tag := range s.sheets.Languages {
			pages[tag+" "+p.SHA256(tag)] = p
		}
	}
	out := []reading{}
	for _, t := range s.texts {
		r := reading{Text: t, Items: []question{}}
		if p, known := pages[t.Language+" "+t.SHA256]; known {
			r.Sheet = p.ID
			for _, i := range itemsOf([]study.Sheet{p}, t.Language) {
				r.Items = append(r.Items, i.question())
			}
		}
		out = append(out, r)
	}
	return out
}

func (i item) question() question {
	q := question{Item: i.key, Type: i.field.Type, Asks: i.asks, Low: i.low, High: i.high, Options: map[string]string{}}
	if i.most > i.least {
		q.Min, q.Max = &i.least, &i.most
	}
	for _, o := range i.field.Options {
		q.Options[o.Value] = o.Label[i.language]
	}
	return q
}

// Roles of a video, and of its presentations.
const (
	fillerRole = "filler"
	mainRole   = "main"
)

func roleColumn() column {
	return column{"role", "", "filler: shown between the others to distract, not to be analysed; main: all others."}
}

func againColumn() column {
	return column{"again", "1", "0 of a first showing; else the presentation that is shown once more with this one, because too little of it was measured."}
}

// again tells of each presentation which one it shows once more; 0 = none.
func (s *source) again(presentation int) int64 {
	for _, p := range s.detail.Presentations {
		if p.Number == presentation {
			return int64(p.Again)
		}
	}
	return 0
}

// roleOf is the role of a presentation: also another video may be inserted as a filler.
func (s *source) roleOf(p store.Presentation) string {
	if steps := s.detail.Plan.Steps; p.Step >= 0 && p.Step < len(steps) && steps[p.Step].Filler {
		return fillerRole
	}
	for _, m := range s.detail.Study.Stimuli {
		if m.ID == p.Stimulus {
			return roleOf(m)
		}
	}
	return mainRole
}

func roleOf(m store.Stimulus) string {
	if m.Role == fillerRole {
		return fillerRole
	}
	return mainRole
}
