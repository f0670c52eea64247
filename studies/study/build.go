package study

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"slices"
	"strings"

	"emolab/studies/study/expr"
	"emolab/studies/wording"
)

// maxAreas bounds a file of areas of interest.
const maxAreas = 8 << 20 // bytes

// source is where the files are that belong to a study. Names are relative to the study
// file, with slashes.
type source interface {
	// read returns a file, or one byte more than the most of a longer one.
	read(name string, most int64) ([]byte, error)
	measure(name string) (Stimulus, error)
	// names are those of the files of a folder; none where it cannot be read.
	names(folder string) []string
	fmt.Stringer // the folder
}

// build makes the study of a document whose stimuli are listed.
func (d *document) build(from source) (*Study, error) {
	s, _, err := d.printed(from)
	return s, err
}

// printed is build, and what the pages were made of.
func (d *document) printed(from source) (*Study, printer, error) {
	if err := d.resolve(); err != nil {
		return nil, printer{}, err
	}
	s := &Study{
		ID: d.id, Title: d.title.nearest(d.languages[0], d.languages), Titles: d.title.in(d.languages), Seed: d.seed, Languages: d.languages,
		Quota: d.quota, Retain: d.retain.lengths(), Rules: d.rules, Devices: d.devices, Gaze: d.gaze,
		PhoneFrame: d.phoneFrame, Flow: d.laid(), Analysis: d.analysis, Blind: d.blind,
		Words: map[string]wording.Catalogue{}, Dir: from.String(), Canonical: d.canonical(),
	}
	s.Rules.NeedsFace, s.Rules.NeedsGaze, s.Rules.NeedsEDA = d.devices.NeedsCamera, d.devices.NeedsGaze, d.devices.NeedsEDA

	b := builder{document: d, from: from, study: s, hash: sha256.New()}
	b.hash.Write(s.Canonical)
	missing := b.stimuli()
	p, err := b.printer()
	if err = errors.Join(missing, err); err != nil {
		return nil, p, err
	}
	s.Sheets = p.sheets()
	for _, q := range d.screening {
		q.Field = p.field(q.Field)
		s.Screening = append(s.Screening, q)
	}
	if err := b.checkKeys(); err != nil {
		return nil, p, err
	}
	s.Hash = hex.EncodeToString(b.hash.Sum(nil))
	return s, p, nil
}

// builder reads what belongs to a study. The study's hash is SHA-256 over its canonical
// form and one line "sha256  name" for each file, so that a study with another text or a
// re-encoded clip is another study.
type builder struct {
	*document
	from  source
	study *Study
	hash  hash.Hash
}

func (b *builder) stimuli() error {
	var wrong faults
	for _, l := range b.document.stimuli {
		m, err := b.measureStimulus(l, b.from)
		if err == nil && l.aois != "" {
			m.AOIsSHA256, err = b.areas(l)
		}
		if err != nil {
			if l.line > 0 {
				err = &fault{b.file, l.line, "stimuli.list", err.Error()}
			}
			if wrong.full(err) {
				break
			}
			continue
		}
		fmt.Fprintf(b.hash, "%s  %s\n", m.SHA256, m.ID)
		b.study.Stimuli = append(b.study.Stimuli, m)
	}
	return errors.Join(wrong...)
}

// areas looks whether the file of the areas of interest is there, and hashes it.
func (b *builder) areas(l listing) (string, error) {
	text, err := b.from.read(l.aois, maxAreas)
	switch {
	case err != nil:
		return "", fmt.Errorf("stimulus %s: its areas of interest: %w", l.id, b.unread(l.aois, err))
	case len(text) > maxAreas:
		return "", fmt.Errorf("stimulus %s: its areas of interest: %s is larger than %d bytes", l.id, l.aois, maxAreas)
	case !json.Valid(text):
		return "", fmt.Errorf("stimulus %s: its areas of interest: %s is not JSON", l.id, l.aois)
	}
	return b.note(l.aois, text), nil
}

// note adds a file to the study's hash, and returns its own.
func (b *builder) note(name string, text []byte) string {
	sum := sha256.Sum256(text)
	own := hex.EncodeToString(sum[:])
	fmt.Fprintf(b.hash, "%s  %s\n", own, name)
	return own
}

// printer reads the words, texts and forms of a study.
func (b *builder) printer() (printer, error) {
	p := printer{d: *b.document, words: map[string]wording.Catalogue{}, own: map[reference]sheetText{}, forms: map[string]form{}}
	for _, r := range b.words {
		text, err := b.text(r)
		if err != nil {
			return p, err
		}
		if _, err := parseYAML(r.path, text); err != nil { // looks before what decodes it how deep it is
			return p, err
		}
		c, err := wording.Parse(text)
		if err == nil {
			err = c.Check()
		}
		if err != nil {
			return p, b.fail(b.where(r), "%s: %v", r.path, err)
		}
		b.study.Words[r.language] = c
	}
	english, _ := wording.Builtin("en")
	for _, tag := range b.languages {
		if _, own := b.study.Words[tag]; !own && !builtinLanguage(tag) {
			return p, b.fail("languages", "there are no words in %q for the pages that every study has: write them to be translated with  emolab study words %s  and add  words: {%s: words/%s.yaml}", tag, tag, tag, tag)
		}
		p.words[tag] = catalogue(tag, b.study.Words[tag], english)
	}
	var wrong faults
	for _, r := range b.texts {
		text, err := b.text(r)
		if err == nil {
			if p.own[reference{key: r.key, language: r.language}], err = parseText(r.path, text); err != nil {
				err = b.fail(b.where(r), "%v", err)
			}
		}
		if wrong.full(err) {
			break
		}
	}
	for _, r := range b.document.forms {
		text, err := b.text(r)
		if err == nil {
			p.forms[r.key], err = parseForm(r.path, text)
		}
		if wrong.full(err) {
			break
		}
	}
	return p, errors.Join(wrong...)
}

// text reads a file that the study names.
func (b *builder) text(r reference) ([]byte, error) {
	text, err := b.from.read(r.path, maxFile)
	switch {
	case err != nil && r.key == "words":
		return nil, b.fail(b.where(r), "%v. To write the words that have to be translated:  emolab study words %s", b.unread(r.path, err), r.language)
	case err != nil:
		return nil, b.fail(b.where(r), "%v", b.unread(r.path, err))
	}
	if len(text) > maxFile {
		return nil, b.fail(b.where(r), "%s is larger than %d bytes", r.path, maxFile)
	}
	b.note(r.path, text)
	return text, nil
}

// unread says in plain words why a file could not be read.
func (b *builder) unread(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return absent(name, b.from)
	}
	return err
}

// where is the place of the study file that names a file.
func (d document) where(r reference) string {
	switch {
	case r.key == "words":
		return "words." + r.language
	case r.key == consentID && d.lines["consent.text."+r.language] > 0:
		return "consent.text." + r.language
	case r.key == noticeID && d.lines["consent.ai_notice."+r.language] > 0:
		return "consent.ai_notice." + r.language
	case !strings.HasPrefix(r.key, formPrefix):
		return "texts." + r.key + "." + r.language
	}
	at := "flow"
	_ = d.walk(d.flow, "flow", func(p Part, here string) error {
		if slices.Contains(p.Sheets, r.key) {
			at = here + ".form.file"
		}
		return nil
	})
	return at
}

// checkKeys sees to it that no two questions of a study have one id, and that branches
// depend on what is asked before them.
func (b *builder) checkKeys() error {
	first := map[string]string{} // key -> sheet
	for _, s := range b.study.Sheets {
		for _, f := range s.Fields {
			for _, key := range f.Keys() {
				if before, twice := first[key]; twice {
					return b.fail("", "the id %q is asked on two pages, %s and %s: give one of them another", key, before, s.ID)
				}
				first[key] = s.ID
			}
		}
	}
	if err := b.checkJoined(b.flow, "flow", ""); err != nil {
		return err
	}
	asked := b.fields(consentID)
	screened := func() {
		for _, q := range b.study.Screening {
			asked = append(asked, q.keptField())
		}
	}
	if !slices.ContainsFunc(b.flow, func(p Part) bool { return onceOnly(p) == screeningID }) {
		screened() // it follows consent
	}
	return b.walk(b.flow, "flow", func(p Part, at string) error {
		for _, id := range p.Sheets {
			if id == screeningID {
				screened()
				continue
			}
			asked = append(asked, b.fields(id)...)
		}
		if p.Block != nil {
			for _, t := range p.Block.Trial {
				for _, id := range t.Sheets {
					asked = append(asked, b.fields(id)...)
				}
			}
		}
		if p.Branch == nil {
			return nil
		}
		return b.checkBranch(p.Branch.If, at+".branch.if", asked)
	})
}

func (b *builder) checkBranch(condition, at string, asked []Field) error {
	e, err := expr.Parse(condition)
	if err != nil {
		return b.fail(at, "%v", err)
	}
	var keys []string
	for _, f := range asked {
		keys = append(keys, f.Keys()...)
	}
	for _, name := range e.Names() {
		if !slices.Contains(keys, name) {
			return b.fail(at, "asks for %q, which nobody has been asked by then; %s", name, known(name, keys, "nothing has been asked yet"))
		}
	}
	return b.checkCompared(at, e, asked)
}

// checkJoined refuses branches whose conditions, joined as a plan joins those of branches
// within each other, are too long to be read: none of the ways would be taken.
func (b *builder) checkJoined(parts []Part, at, condition string) error {
	for i, p := range parts {
		if p.Branch == nil {
			continue
		}
		here := fmt.Sprintf("%s[%d].branch", at, i+1)
		then, otherwise := p.Branch.conditions(condition)
		if _, err := expr.Parse(otherwise); err != nil { // the longer one
			return b.fail(here+".if", "with the conditions of the branches around it: %v", err)
		}
		if err := b.checkJoined(p.Branch.Then, here+".then", then); err != nil {
			return err
		}
		if err := b.checkJoined(p.Branch.Else, here+".else", otherwise); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) fields(id string) []Field {
	s, _ := b.study.Sheet(id)
	return s.Fields
}

// keptField is a question as its answer is kept: as a band, or as passed or not.
func (q Question) keptField() Field {
	f := Field{ID: q.ID, Type: Choice}
	for _, band := range q.Bands {
		f.Options = append(f.Options, Option{Value: band.Name})
	}
	for _, v := range []string{Passed, Failed, Overridden} {
		f.Options = append(f.Options, Option{Value: v})
	}
	return f
}
