package study

import (
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Format is the version of the study file that this program reads.
const Format = "emolab-study/1"

const (
	// defaultSeed is the seed of a study that names none. It is written into the
	// canonical form, so that the orders stay what they were.
	defaultSeed = 1
	// shortestStep and longestStep bound a fixation or a rest: below a tenth of a
	// second it is a flicker, beyond an hour a slip of the unit.
	shortestStep = 100 * time.Millisecond
	longestStep  = time.Hour
	// maxLanguages bounds the languages of a study.
	maxLanguages = 20
)

var (
	// word is the form of ids: they become parts of file names and URLs.
	word = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	// answerWord is the form of what conditions ask for.
	answerWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,31}$`)
	// languageWord is the form of a language tag (BCP 47), as far as studies need it.
	languageWord = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$`)
)

// document is what a study file says, defaults filled in, before any other file
// has been looked at.
type document struct {
	id         string
	title      Text // nil = the id
	contact    Text // nil = nobody is named
	seed       uint64
	languages  []string
	words      []reference // files of words: the key is the language
	texts      []reference // files of texts: the key is the sheet
	scopes     []scope
	retain     retention
	screening  []Question
	quota      Quota
	devices    Devices
	gaze       Gaze
	rules      Rules
	folder     string    // of the stimuli, relative to the study file
	listed     bool      // the file lists its stimuli; otherwise all .mp4 files of the folder count
	stimuli    []listing // in the order of the file, or of the names
	phoneFrame bool
	scales     []scale
	forms      []reference // files of forms: the key is the sheet
	flow       []Part
	analysis   Analysis
	blind      bool // the console hides brands and what is measured of emotion

	file  string         // name of the study file, for errors
	lines map[string]int // of each place in it, by path
}

// reference is a file beside the study file that belongs to it.
type reference struct {
	key, language string
	path          string // relative to the study file, with slashes
}

// scope is one scope of consent.
type scope struct {
	name     string
	required bool
	ask      Text // nil = built-in words
}

// parseDocument reads a study file. name is for errors.
func parseDocument(name string, text []byte) (document, error) {
	root, err := parseYAML(name, text)
	if err != nil {
		return document{}, err
	}
	d := defaultDocument()
	d.file, d.lines = name, root.lines
	err = root.mapping(
		field{"format", func(n node) error {
			s, err := n.text()
			if err == nil && s != Format {
				err = n.fail("is %q; this program reads %q", s, Format)
			}
			return err
		}},
		field{"id", into(&d.id, node.word)},
		field{"title", into(&d.title, node.wording)},
		field{"contact", into(&d.contact, node.wording)},
		field{"languages", d.readLanguages},
		field{"seed", into(&d.seed, node.number)},
		field{"words", d.readWords},
		field{"consent", d.readConsent},
		field{"texts", d.readTexts},
		field{"screening", d.readScreening},
		field{"quota", d.readQuota},
		field{"devices", d.readDevices},
		field{"thresholds", d.readThresholds},
		field{"stimuli", d.readStimuli},
		field{"scales", d.readScales},
		field{"flow", func(n node) (err error) {
			d.flow, err = d.readParts(n, 0)
			return err
		}},
		field{"analysis", d.readAnalysis},
		field{"console", func(n node) error { return n.mapping(field{"blind", into(&d.blind, node.truth)}) }},
		field{"face_video", func(n node) error {
			return n.fail("is said under consent now: write  consent: {scopes: {face_video: {required: false}}}  to ask for it, and nothing to never keep it")
		}},
	)
	if err != nil {
		return document{}, err
	}
	if d.id == "" {
		return document{}, root.fail("the key id is missing: give the study a short name")
	}
	if d.folder == "" {
		return document{}, root.fail("the key stimuli.folder is missing: say where the videos are")
	}
	if d.title == nil {
		d.title = Text{"": d.id}
	}
	return d, d.check()
}

func defaultDocument() document {
	return document{
		seed:      defaultSeed,
		languages: []string{"en", "fr"},
		scopes:    []scope{{name: tracesScope, required: true}},
		devices:   Devices{EDARangeUS: defaultRange},
		gaze:      DefaultGaze(),
		rules:     defaultRules(),
		flow:      defaultFlow(),
		analysis:  defaultAnalysis(),
	}
}

// fail says what is wrong at a place of the study file.
func (d document) fail(path, format string, args ...any) error {
	return node{file: d.file, line: d.line(path), path: path}.fail(format, args...)
}

// line is where a path stands in the file, or the nearest path above it that does.
func (d document) line(path string) int {
	for path != "" {
		if line, ok := d.lines[path]; ok {
			return line
		}
		cut := max(lastIndex(path, '.'), lastIndex(path, '['))
		path = path[:max(cut, 0)]
	}
	return max(d.lines[""], 1)
}

func lastIndex(s string, c byte) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// into stores what read gives in dst.
func into[T any](dst *T, read func(node) (T, error)) func(node) error {
	return func(n node) (err error) {
		*dst, err = read(n)
		return err
	}
}

// word reads an id.
func (n node) word() (string, error) {
	s, err := n.text()
	if err == nil && !word.MatchString(s) {
		err = n.fail("%q is no id: use letters, digits, - _ . (at most 64, a letter or digit first)", s)
	}
	return s, err
}

// answerWord reads the id of something that is answered.
func (n node) answerWord() (string, error) {
	s, err := n.text()
	if err == nil && !answerWord.MatchString(s) {
		err = n.fail("%q is no id of a question: use letters, digits and _ (at most 32, a letter first)", s)
	}
	return s, err
}

// path reads a file name that stays below the study's folder.
func (n node) localPath() (string, error) {
	s, err := n.text()
	if err != nil {
		return "", err
	}
	clean := filepath.ToSlash(filepath.Clean(s))
	if s == "" || !filepath.IsLocal(s) {
		return "", n.fail("%q leads out of the study's folder: put the file in it and give the path from there", s)
	}
	return clean, nil
}

func (d *document) readLanguages(n node) error {
	d.languages = nil
	return n.each(maxLanguages, func(n node) error {
		tag, err := n.language()
		if err == nil && slices.Contains(d.languages, tag) {
			err = n.fail("%s comes twice", tag)
		}
		d.languages = append(d.languages, tag)
		return err
	})
}

func (n node) language() (string, error) {
	s, err := n.text()
	if err == nil && !languageWord.MatchString(s) {
		err = n.fail("%q is no language: use its tag, such as en or fr", s)
	}
	return s, err
}

// wording reads text in several languages, or one for all of them.
func (n node) wording() (Text, error) {
	switch n.ast.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		s, err := n.text()
		if err == nil && s == "" {
			err = n.fail("is empty")
		}
		return Text{"": s}, err
	}
	t := Text{}
	err := n.entries(func(tag string, at, value node) error {
		if !languageWord.MatchString(tag) {
			return at.fail("%q is no language: use its tag, such as en or fr", tag)
		}
		s, err := value.text()
		if err == nil && s == "" {
			err = value.fail("is empty")
		}
		t[tag] = s
		return err
	})
	if err == nil && len(t) == 0 {
		err = n.fail("is empty")
	}
	return t, err
}

// in is the text in every language of the study: what the file does not give is taken
// from the first language that it does give.
func (t Text) in(languages []string) Text {
	if t == nil {
		return nil
	}
	whole := Text{}
	for _, tag := range languages {
		whole[tag] = t.nearest(tag, languages)
	}
	return whole
}

func (t Text) nearest(tag string, languages []string) string {
	for _, tag := range append([]string{tag, ""}, languages...) {
		if s := t[tag]; s != "" {
			return s
		}
	}
	for _, tag := range sortedKeys(t) { // a language that the study does not have
		return t[tag]
	}
	return ""
}

// files reads a file for each language.
func (n node) files(key string) ([]reference, error) {
	var all []reference
	err := n.entries(func(tag string, at, value node) error {
		if !languageWord.MatchString(tag) {
			return at.fail("%q is no language: use its tag, such as en or fr", tag)
		}
		path, err := value.localPath()
		all = append(all, reference{key, tag, path})
		return err
	})
	slices.SortFunc(all, byKey)
	return all, err
}

func (d *document) readWords(n node) (err error) {
	d.words, err = n.files("words")
	return err
}

func (d *document) readTexts(n node) error {
	return n.entries(func(id string, at, value node) error {
		if !slices.Contains(ownTexts(), id) {
			fields := make([]field, len(ownTexts()))
			for i, known := range ownTexts() {
				fields[i].key = known
			}
			return at.fail("there is no such page; %s", suggest(id, fields))
		}
		files, err := value.files(id)
		d.texts = append(d.texts, files...)
		slices.SortFunc(d.texts, byKey)
		return err
	})
}
