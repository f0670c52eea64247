package study

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"emolab/studies/wording"
)

// Severity is how much a finding matters.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // it does not load, or nobody could take part, or a quota never be filled
	Warning Severity = "warning" // it can, and does not do what it seems to be meant to
	Note    Severity = "note"    // worth knowing
)

// Finding is one thing that is wrong with a study file, or worth a thought.
type Finding struct {
	Line     int      `json:"line"` // of the study file, from 1; 0 = the file as a whole
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
}

// Lint reads a study file with all that belongs to it and returns what is wrong with it,
// in the order of its lines. Of a file that cannot be loaded those are
// the findings that keep it from it, each of severity Error.
func Lint(file string) []Finding {
	d, err := readDocument(file)
	if err != nil {
		return broken(file, err)
	}
	return d.lint(folder(filepath.Dir(file)))
}

// broken are the findings of a file that cannot be loaded.
func broken(file string, err error) []Finding {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var all []Finding
		for _, err := range several.Unwrap() {
			all = append(all, broken(file, err)...)
		}
		slices.SortStableFunc(all, func(a, b Finding) int { return a.Line - b.Line })
		return all
	}
	if f := (*fault)(nil); errors.As(err, &f) && f.file == file {
		return []Finding{{f.line, Error, f.where + ": " + f.text}}
	}
	return []Finding{{0, Error, err.Error()}}
}

// lint builds the study and looks at it.
func (d *document) lint(from source) []Finding {
	s, p, err := d.printed(from)
	if err != nil {
		return broken(d.file, err)
	}
	return d.findings(s, p)
}

// findings looks at a document and at the study and the pages that were made of it.
func (d *document) findings(s *Study, p printer) []Finding {
	l := linter{d: *d, s: s, forms: p.forms, plan: s.Plan(0)}
	for _, look := range []func(){
		l.consent, l.languages, l.screening, l.quota, l.devices, l.thresholds, l.stimuli, l.scales, l.flow, l.length, l.analysis,
	} {
		look()
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int { return a.Line - b.Line })
	return l.found
}

// linter collects what is found.
type linter struct {
	d     document
	s     *Study
	forms map[string]form // by page
	plan  Plan
	found []Finding
}

func (l *linter) say(severity Severity, path, format string, args ...any) {
	l.found = append(l.found, Finding{l.d.line(path), severity, fmt.Sprintf(format, args...)})
}

func (l *linter) warn(path, format string, args ...any) { l.say(Warning, path, format, args...) }
func (l *linter) note(path, format string, args ...any) { l.say(Note, path, format, args...) }

// asks tells whether a scope is among those that are asked for.
func (l *linter) asks(name string) bool {
	return slices.ContainsFunc(l.d.scopes, func(c scope) bool { return c.name == name })
}

func (l *linter) consent() {
	for _, c := range l.d.scopes {
		at := "consent.scopes." + c.name
		switch {
		case !c.required:
		case c.name == FaceVideoScope:
			l.warn(at, "face_video is required, so whoever does not want to be filmed cannot take part. Expressions are measured without keeping the video; ask for it with  required: false")
		case c.name == "publish_clips":
			l.warn(at, "publish_clips is required, so whoever does not want to be shown in public cannot take part. Such a consent is hardly free; ask for it with  required: false")
		}
	}
	if l.d.contact == nil {
		l.note("contact", "participants are not told whom to turn to with questions, or with the code by which everything is erased. Add  contact: name, e-mail")
	}
	r := l.s.Retain
	if r.Traces == 0 {
		l.warn("consent", "it is not said how long the recordings are kept, and participants have a right to know. Add  consent: {retain: {traces: 24m}}")
	}
	switch asked := l.asks(FaceVideoScope); {
	case asked && r.FaceVideo == 0:
		l.warn("consent.scopes."+FaceVideoScope, "the video of the face may be kept, but it is not said for how long. Add  face_video: 30d  under consent.retain")
	case !asked && r.FaceVideo > 0:
		l.note("consent.retain."+FaceVideoScope, "a time is given for which the video of the face is kept, but nobody is asked whether it may be, so there is none. Add  face_video: {required: false}  under consent.scopes, or take this line out")
	case asked && r.FaceVideo > r.Traces && r.Traces > 0:
		l.warn("consent.retain."+FaceVideoScope, "the video of the face is kept for %s, longer than the numbers that were taken from it (%s). Faces are the more delicate of the two", inDays(r.FaceVideo/day), inDays(r.Traces/day))
	}
}

func inDays[T ~int64](n T) string { return fmt.Sprintf("%d days", n) }

// languages looks for texts that some participants would read in another language than
// the one they chose.
func (l *linter) languages() {
	groups := map[string][]string{} // page -> languages
	for _, r := range l.d.texts {
		groups[r.key] = append(groups[r.key], r.language)
		if !slices.Contains(l.d.languages, r.language) {
			l.warn(l.d.where(r), "%s is in %q, which is not among the languages of the study (%s): nobody will read it", r.path, r.language, strings.Join(l.d.languages, ", "))
		}
	}
	for _, page := range sortedKeys(groups) {
		for _, tag := range l.d.languages {
			if !slices.Contains(groups[page], tag) {
				at := l.d.where(reference{key: page, language: groups[page][0]})
				l.warn(at, "the page %q has no text in %q: who chooses that language reads it in another one", page, tag)
			}
		}
	}
	for _, tag := range l.d.languages {
		if builtinLanguage(tag) {
			continue
		}
		words := l.s.Words[tag]
		if missing := words.Missing(); len(missing) > 0 {
			l.warn("words."+tag, "%s not given in %q and will be read in English; the first is %s", textsOfPages(len(missing)), tag, missing[0])
		}
		if same := words.Untranslated(); len(same) > 0 {
			l.warn("words."+tag, "%s still in English in the file of %q; look there for %s", textsOfPages(len(same)), tag, someOf(same))
		}
	}
	for _, t := range l.texts() {
		for _, tag := range l.d.languages {
			if _, all := t.text[""]; !all && t.text[tag] == "" {
				l.warn(t.at, "%q is not given in %q: who chooses that language reads it in another one", t.text.nearest(l.d.languages[0], l.d.languages), tag)
			}
		}
	}
}

func builtinLanguage(tag string) bool { return slices.Contains(wording.Languages(), tag) }

// textsOfPages says how many texts of the pages are one thing or another.
func textsOfPages(n int) string {
	if n == 1 {
		return "one text of the pages is"
	}
	return fmt.Sprintf("%d texts of the pages are", n)
}

// mostKeys is how many of the keys of a file of words are named.
const mostKeys = 5

// someOf names the first keys of many.
func someOf(keys []string) string {
	if len(keys) <= mostKeys {
		return strings.Join(keys, ", ")
	}
	return fmt.Sprintf("%s and %d others", strings.Join(keys[:mostKeys], ", "), len(keys)-mostKeys)
}

// placed is a text and where it stands in the file.
type placed struct {
	at   string
	text Text
}

// texts are all texts of the study file and its forms.
func (l *linter) texts() []placed {
	var all []placed
	add := func(at string, t Text) {
		if t != nil {
			all = append(all, placed{at, t})
		}
	}
	add("title", l.d.title)
	for _, c := range l.d.scopes {
		add("consent.scopes."+c.name+".ask", c.ask)
	}
	for i, q := range l.d.screening {
		at := fmt.Sprintf("screening[%d]", i+1)
		add(at+".ask", q.Ask)
		for k, o := range q.Options {
			add(fmt.Sprintf("%s.choices[%d]", at, k+1), o.Label)
		}
	}
	for _, s := range l.d.scales {
		at := "scales." + s.id
		add(at+".low", s.low)
		add(at+".high", s.high)
		for k, i := range s.items {
			add(fmt.Sprintf("%s.items[%d].ask", at, k+1), i.ask)
		}
	}
	for _, r := range l.d.forms {
		at, f := l.d.where(r), l.forms[r.key]
		add(at, f.heading)
		for _, t := range f.text {
			add(at, t)
		}
		for _, q := range f.fields {
			add(at, q.Ask)
			add(at, q.Low)
			add(at, q.High)
			for _, o := range q.Options {
				add(at, o.Label)
			}
		}
	}
	return all
}
