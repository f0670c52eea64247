package study

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"emolab/studies/wording"
)

// ownTexts are the pages whose text a study may give in its own words under the key
// texts. Those of the notice and the consent stand under consent.
func ownTexts() []string {
	return []string{screeningID, debriefID, receiptID, leaveID, leftID, withdrawnID, exitConsent, exitScreening, exitQuota}
}

// printer makes the pages of a study from its document.
type printer struct {
	d     document
	words map[string]wording.Catalogue // complete, by language
	own   map[reference]sheetText      // path is "": by page and language
	forms map[string]form
}

// sheetText is the text of a page in one language.
type sheetText struct {
	heading    string
	paragraphs []string
}

// Catalogue is all words in a language of the study: its own, over those that are built
// in for the language, over the English ones.
func (s *Study) Catalogue(language string) wording.Catalogue {
	english, _ := wording.Builtin("en")
	return catalogue(language, s.Words[language], english)
}

func catalogue(language string, own, english wording.Catalogue) wording.Catalogue {
	whole := maps.Clone(english)
	if language != "en" {
		if builtin, ok := wording.Builtin(language); ok {
			maps.Copy(whole, builtin)
		}
	}
	for key, words := range own {
		if words != "" {
			whole[key] = words
		}
	}
	return whole
}

// word is a text of the catalogue in every language.
func (p printer) word(key string) Text {
	t := Text{}
	for _, tag := range p.d.languages {
		t[tag] = p.words[tag][key]
	}
	return t
}

// given is a text of the file in every language, or that of the catalogue.
func (p printer) given(t Text, key string) Text {
	if t == nil {
		return p.word(key)
	}
	return t.in(p.d.languages)
}

// sheets are all pages that a plan may name.
func (p printer) sheets() []Sheet {
	all := []Sheet{p.page(noticeID, NoticeSheet), p.consent()}
	if p.d.screening != nil {
		s := p.page(screeningID, ScreeningSheet)
		for _, q := range p.d.screening {
			s.Fields = append(s.Fields, p.field(q.Field))
		}
		all = append(all, s)
	}
	for _, s := range p.d.scales {
		all = append(all, p.rating(s))
	}
	for _, f := range p.d.forms {
		all = append(all, p.form(f.key))
	}
	all = append(all, p.page(debriefID, DebriefSheet), p.page(receiptID, ReceiptSheet), p.leave())
	for _, id := range []string{exitConsent, exitScreening, exitQuota} {
		all = append(all, p.page(id, ExitSheet))
	}
	all = append(all, p.page(leftID, ReceiptSheet), p.page(withdrawnID, ExitSheet))
	for i := range all {
		if all[i].Kind == ReceiptSheet {
			p.contact(&all[i], "receipt.contact")
		}
	}
	return all
}

// page is a page without anything to answer: in the study's own words, or those built in.
func (p printer) page(id string, kind SheetKind) Sheet {
	s := Sheet{ID: id, Kind: kind, Heading: p.word(id + ".heading"), Body: map[string][]string{}, Fields: []Field{}, Go: p.word(id + ".go")}
	for _, tag := range p.d.languages {
		own, ok := p.ownText(id, tag)
		if !ok {
			s.Body[tag] = wording.Paragraphs(p.words[tag][id+".body"])
			continue
		}
		s.Body[tag] = own.paragraphs
		if own.heading != "" {
			s.Heading[tag] = own.heading
		}
	}
	return s
}

// ownText is the study's own text of a page: in that language, or else in the first
// one that it is given in. A study that says a thing its own way must not say another
// thing in another language.
func (p printer) ownText(id, language string) (sheetText, bool) {
	for _, tag := range append([]string{language}, p.d.languages...) {
		if t, ok := p.own[reference{key: id, language: tag}]; ok {
			return t, true
		}
	}
	return sheetText{}, false
}

func (p printer) consent() Sheet {
	s := p.page(consentID, ConsentSheet)
	s.No = p.word("consent.no")
	for _, tag := range p.d.languages {
		if _, own := p.ownText(consentID, tag); !own {
			s.Body[tag] = append(s.Body[tag], p.kept(tag)...)
		}
	}
	p.contact(&s, "consent.contact")
	for _, c := range p.d.scopes {
		s.Fields = append(s.Fields, Field{ID: c.name, Type: ScopeField, Ask: p.given(c.ask, "scope."+c.name), Required: c.required})
	}
	return s
}

// contact says on a page whom to turn to, where the study names somebody.
func (p printer) contact(s *Sheet, key string) {
	if p.d.contact == nil {
		return
	}
	for tag, name := range p.d.contact.in(p.d.languages) {
		s.Body[tag] = append(s.Body[tag], strings.ReplaceAll(p.words[tag][key], "{contact}", name))
	}
}

// kept says, in the built-in words, how long what is kept.
func (p printer) kept(tag string) []string {
	asked := func(name string) bool {
		return slices.ContainsFunc(p.d.scopes, func(c scope) bool { return c.name == name })
	}
	var lines []string
	for _, k := range []struct {
		class string
		long  period
	}{{tracesScope, p.d.retain.traces}, {FaceVideoScope, p.d.retain.faceVideo}, {"identity", p.d.retain.identity}} {
		if k.long.count > 0 && (k.class != FaceVideoScope || asked(FaceVideoScope)) {
			lines = append(lines, strings.ReplaceAll(p.words[tag]["consent.kept."+k.class], "{time}", k.long.in(p.words[tag])))
		}
	}
	return lines
}

// leave asks what is to become of what was recorded.
func (p printer) leave() Sheet {
	s := p.page(leaveID, LeaveSheet)
	s.Fields = []Field{{ID: LeaveKey, Type: Choice, Ask: p.word("leave.ask"), Required: true, Options: []Option{
		{Value: LeaveKeep, Label: p.word("leave.keep")},
		{Value: LeaveDelete, Label: p.word("leave.delete")},
	}}}
	return s
}

// field is a question in all languages, with words at its ends.
func (p printer) field(f Field) Field {
	f.Ask = p.given(f.Ask, "")
	switch f.Type {
	case Likert, VAS:
		f.Low, f.High = p.given(f.Low, "scale.low"), p.given(f.High, "scale.high")
	case YesNo:
		f.Options = []Option{{Value: Yes, Label: p.word("answer.yes")}, {Value: No, Label: p.word("answer.no")}}
	case Choice:
		f.Options = each(f.Options, func(o Option) Option { return Option{Value: o.Value, Label: o.Label.in(p.d.languages)} })
	}
	return f
}

// rating is the page of a scale.
func (p printer) rating(s scale) Sheet {
	v := Sheet{ID: ratePrefix + s.id, Kind: RatingSheet, Heading: p.word("rate.heading"), Body: map[string][]string{}, Go: p.word("rate.go")}
	for _, tag := range p.d.languages {
		v.Body[tag] = wording.Paragraphs(p.words[tag]["rate."+string(s.kind)])
	}
	f := Field{Type: s.kind, Required: s.required, Points: s.points}
	switch s.kind {
	case SAM:
		for _, dim := range s.dims {
			f.ID, f.Dimension = s.id+"."+dim, dim
			f.Ask, f.Low, f.High = p.word("sam."+dim), p.word("sam."+dim+".low"), p.word("sam."+dim+".high")
			v.Fields = append(v.Fields, f)
		}
	case AffectGrid:
		f.ID, f.Ask = s.id, p.word("grid.ask")
		v.Fields = []Field{f}
	default:
		for _, i := range s.items {
			f.ID, f.Ask, f.Low, f.High = i.id, i.ask, s.low, s.high
			v.Fields = append(v.Fields, p.field(f))
		}
	}
	return v
}

func (p printer) form(id string) Sheet {
	f := p.forms[id]
	v := Sheet{ID: id, Kind: FormSheet, Heading: p.given(f.heading, "form.heading"), Body: map[string][]string{}, Fields: []Field{}, Go: p.word("form.go")}
	for _, tag := range p.d.languages {
		v.Body[tag] = []string{}
		for _, t := range f.text {
			v.Body[tag] = append(v.Body[tag], t.in(p.d.languages)[tag])
		}
	}
	for _, q := range f.fields {
		v.Fields = append(v.Fields, p.field(q))
	}
	return v
}

// The question of the leave page, and its answers.
const (
	LeaveKey    = "leave"
	LeaveKeep   = "keep"
	LeaveDelete = "delete"
)

// form is a file of questions.
type form struct {
	heading Text
	text    []Text // paragraphs
	fields  []Field
}

// parseForm reads the file of a form.
func parseForm(name string, text []byte) (form, error) {
	root, err := parseYAML(name, text)
	if err != nil {
		return form{}, err
	}
	var f form
	err = root.mapping(
		field{"heading", into(&f.heading, node.wording)},
		field{"text", func(n node) error {
			if _, list := n.list(); list != nil { // one paragraph
				t, err := n.wording()
				f.text = []Text{t}
				return err
			}
			return n.each(maxParagraphs, func(n node) error {
				t, err := n.wording()
				f.text = append(f.text, t)
				return err
			})
		}},
		field{"fields", func(n node) error {
			return n.each(maxQuestions, func(n node) error {
				q, err := readField(n, formTypes())
				if err == nil && slices.ContainsFunc(f.fields, func(b Field) bool { return b.ID == q.ID }) {
					err = n.fail("the id %q is already that of another question", q.ID)
				}
				f.fields = append(f.fields, q)
				return err
			})
		}},
	)
	if err == nil && f.fields == nil {
		err = root.fail("the key fields is missing: what is asked?")
	}
	return f, err
}

const (
	// maxParagraphs and maxText bound a page: nobody reads more.
	maxParagraphs = 200
	maxText       = 64 << 10 // bytes
)

// parseText reads the text of a page: "# heading", and paragraphs that are separated by
// an empty line. Nothing else has a meaning.
func parseText(name string, text []byte) (sheetText, error) {
	if len(text) > maxText {
		return sheetText{}, fmt.Errorf("%s: is larger than %d bytes; a page is at most that", name, maxText)
	}
	s := strings.ToValidUTF8(strings.TrimPrefix(string(text), "\ufeff"), "\ufffd")
	if strings.ContainsRune(s, '\ufffd') {
		return sheetText{}, fmt.Errorf("%s: is not text in UTF-8: save it as UTF-8", name)
	}
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	var t sheetText
	if rest, ok := strings.CutPrefix(s, "# "); ok {
		t.heading, s, _ = strings.Cut(rest, "\n")
		t.heading = strings.TrimSpace(t.heading)
	}
	// A line of blanks also separates paragraphs.
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	t.paragraphs = wording.Paragraphs(strings.Join(lines, "\n"))
	switch {
	case t.paragraphs == nil && t.heading == "":
		return t, fmt.Errorf("%s: is empty", name)
	case len(t.paragraphs) > maxParagraphs:
		return t, fmt.Errorf("%s: has %d paragraphs; a page has at most %d", name, len(t.paragraphs), maxParagraphs)
	case t.paragraphs == nil:
		t.paragraphs = []string{}
	}
	return t, nil
}
