package study

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// SheetKind says what a sheet is for, and so what becomes of its answers.
type SheetKind string

// The kinds of sheets.
const (
	NoticeSheet    SheetKind = "notice"    // what a program is going to estimate; read and acknowledged
	ConsentSheet   SheetKind = "consent"   // scopes to be ticked one by one, agreed to or declined
	ScreeningSheet SheetKind = "screening" // judged, reduced to bands, then kept
	RatingSheet    SheetKind = "rating"    // about the stimulus that was just shown
	FormSheet      SheetKind = "form"      // questions that are kept as they are answered
	DebriefSheet   SheetKind = "debrief"   // read
	ReceiptSheet   SheetKind = "receipt"   // what was kept, until when, and the withdrawal code
	LeaveSheet     SheetKind = "leave"     // for who has stopped: what is to become of the data
	ExitSheet      SheetKind = "exit"      // the last page of who does not go on, and why
)

// Sheet is one page that the participant reads, and perhaps fills in, at their own
// pace. Texts are in all languages of the study.
type Sheet struct {
	ID      string              `json:"id"` // "notice", "consent", "screening", "rate.sam", "form.exit", "exit.screening"
	Kind    SheetKind           `json:"kind"`
	Heading Text                `json:"heading"`
	Body    map[string][]string `json:"body"` // paragraphs, by language
	Fields  []Field             `json:"fields"`
	Go      Text                `json:"go"`           // on the button that goes on; of a consent, that agrees
	No      Text                `json:"no,omitempty"` // on the button that declines; of a consent only
}

// FieldType is how a field is answered.
type FieldType string

// The types of fields, and the answers to them.
const (
	ScopeField  FieldType = "scope"       // a box, never ticked beforehand: yes, no
	YesNo       FieldType = "yesno"       // yes, no
	Integer     FieldType = "integer"     // a whole number, Min to Max
	Choice      FieldType = "choice"      // one of Options
	Likert      FieldType = "likert"      // 1 to Points, ends labelled Low and High
	SAM         FieldType = "sam"         // 1 to Points: the self-assessment manikin of Dimension
	AffectGrid  FieldType = "affect_grid" // two answers, ID.valence and ID.arousal, 1 to Points each
	VAS         FieldType = "vas"         // 0 to 100 on a line, ends labelled Low and High
	FreeText    FieldType = "text"        // at most MaxText characters
	MaxText               = 2000
	VASHigh               = 100
	GridValence           = ".valence" // suffixes of the keys of an affect grid
	GridArousal           = ".arousal"
)

// Field is one thing to answer on a sheet.
type Field struct {
	ID        string    `json:"id"` // key of the answer; of a scope its name
	Type      FieldType `json:"type"`
	Ask       Text      `json:"ask"`
	Required  bool      `json:"required"` // of a scope: without it nobody can take part
	Options   []Option  `json:"options,omitempty"`
	Points    int       `json:"points,omitempty"`
	Dimension string    `json:"dimension,omitempty"` // of a SAM: valence, arousal or dominance
	Low       Text      `json:"low,omitempty"`
	High      Text      `json:"high,omitempty"`
	Min       int       `json:"min,omitempty"`
	Max       int       `json:"max,omitempty"`
}

// Option is one answer to choose.
type Option struct {
	Value string `json:"value"`
	Label Text   `json:"label"`
}

// Keys are the keys of the field's answers: its id, and of an affect grid two.
func (f Field) Keys() []string {
	if f.Type == AffectGrid {
		return []string{f.ID + GridValence, f.ID + GridArousal}
	}
	return []string{f.ID}
}

// Words is the whole text of a sheet in one language, as it is kept and hashed:
// heading, paragraphs, of each field what it asks, its options and the words at its
// ends, and the buttons, a line each.
func (s Sheet) Words(language string) string {
	lines := append([]string{s.Heading[language]}, s.Body[language]...)
	for _, f := range s.Fields {
		lines = append(lines, f.Ask[language])
		for _, o := range f.Options {
			lines = append(lines, o.Label[language])
		}
		for _, end := range []Text{f.Low, f.High} {
			if end != nil {
				lines = append(lines, end[language])
			}
		}
	}
	lines = append(lines, s.Go[language])
	if s.No != nil {
		lines = append(lines, s.No[language])
	}
	return strings.Join(lines, "\n")
}

// SHA256 is the hash of Words, in hex.
func (s Sheet) SHA256(language string) string {
	sum := sha256.Sum256([]byte(s.Words(language)))
	return hex.EncodeToString(sum[:])
}
