package study

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"
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
	// maxStimuli bounds one block: 1,000 clips of 10 s are nearly three hours.
	maxStimuli = 1000
)

// word is the form of ids: they become parts of file names and URLs.
var word = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// document is what a study file says, defaults filled in, before any stimulus
// has been looked at.
type document struct {
	id      string
	title   string
	seed    uint64
	folder  string    // of the stimuli, relative to the study file
	listed  bool      // the file lists its stimuli; otherwise all .mp4 files of the folder count
	stimuli []listing // in the order of the file, or of the names
	before  []Action
	block   Block
	after   []Action
	gaze    Gaze
	video   FaceVideo
}

// listing is one entry of stimuli.list.
type listing struct {
	id    string
	file  string // relative to the folder
	brand string
	tags  []string
	line  int
}

// defaultTrial is the trial of a study that describes none: time for skin
// conductance to settle before, and to recover after.
func defaultTrial() []TrialStep {
	return []TrialStep{{Fixation, 5 * time.Second}, {Play, 0}, {Rest, 4 * time.Second}}
}

// parseDocument reads a study file. name is for errors.
func parseDocument(name string, text []byte) (document, error) {
	root, err := parseYAML(name, text)
	if err != nil {
		return document{}, err
	}
	d := document{
		seed:  defaultSeed,
		block: Block{Name: "main", Order: Random, Trial: defaultTrial()},
		gaze:  DefaultGaze(),
		video: NeverKept,
	}
	err = root.mapping(
		field{"format", func(n node) error {
			s, err := n.text()
			if err == nil && s != Format {
				err = n.fail("is %q; this program reads %q", s, Format)
			}
			return err
		}},
		field{"id", into(&d.id, node.word)},
		field{"title", into(&d.title, node.text)},
		field{"seed", into(&d.seed, node.number)},
		field{"face_video", into(&d.video, node.faceVideo)},
		field{"devices", d.readDevices},
		field{"stimuli", d.readStimuli},
		field{"flow", d.readFlow},
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
	if d.title == "" {
		d.title = d.id
	}
	return d, nil
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

func (d *document) readStimuli(n node) error {
	return n.mapping(
		field{"folder", into(&d.folder, node.localPath)},
		field{"list", func(n node) error {
			items, err := n.list()
			if err != nil {
				return err
			}
			if len(items) == 0 || len(items) > maxStimuli {
				return n.fail("has %d stimuli; a study has 1 to %d", len(items), maxStimuli)
			}
			d.listed = true
			seen := map[string]int{}
			for _, item := range items {
				l, err := readListing(item)
				if err != nil {
					return err
				}
				if before, twice := seen[l.id]; twice {
					return item.fail("the id %q is already that of line %d", l.id, before)
				}
				seen[l.id] = l.line
				d.stimuli = append(d.stimuli, l)
			}
			return nil
		}},
	)
}

func readListing(n node) (listing, error) {
	l := listing{line: n.line}
	err := n.mapping(
		field{"id", into(&l.id, node.word)},
		field{"file", into(&l.file, node.localPath)},
		field{"brand", into(&l.brand, node.text)},
		field{"tags", func(n node) error {
			items, err := n.list()
			if err != nil {
				return err
			}
			for _, item := range items {
				tag, err := item.text()
				if err != nil {
					return err
				}
				l.tags = append(l.tags, tag)
			}
			return nil
		}},
	)
	switch {
	case err != nil:
		return l, err
	case l.id == "":
		return l, n.fail("the key id is missing")
	case l.file == "":
		l.file = l.id + ".mp4"
	}
	return l, nil
}

func (n node) order() (Order, error) {
	s, err := n.text()
	if err == nil && Order(s) != Fixed && Order(s) != Random {
		err = n.fail("%q is no order; known are %s and %s", s, Fixed, Random)
	}
	return Order(s), err
}

func (n node) faceVideo() (FaceVideo, error) {
	s, err := n.text()
	if err == nil && FaceVideo(s) != NeverKept && FaceVideo(s) != AskFirst {
		err = n.fail("%q is not possible; known are %s and %s: only the participant can allow it", s, NeverKept, AskFirst)
	}
	return FaceVideo(s), err
}

// canonical writes the document as a study file with every default filled in
// and the keys in order: two files that mean the same study have the same
// canonical form, and reading it gives the same document. A key that came into
// the format later stands in it only when it does not say its default: the hash
// of a study from before, by which its sessions are continued and pooled, stays.
func (d document) canonical() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "format: %s\nid: %s\ntitle: %s\nseed: %d\n", Format, quote(d.id), quote(d.title), d.seed)
	if d.video != NeverKept {
		fmt.Fprintf(&b, "face_video: %s\n", d.video)
	}
	b.WriteString(d.canonicalDevices())
	fmt.Fprintf(&b, "stimuli:\n  folder: %s\n  list:\n", quote(d.folder))
	for _, s := range d.stimuli {
		tags := make([]string, len(s.tags))
		for i, t := range s.tags {
			tags[i] = quote(t)
		}
		fmt.Fprintf(&b, "    - {id: %s, file: %s, brand: %s, tags: [%s]}\n",
			quote(s.id), quote(s.file), quote(s.brand), strings.Join(tags, ", "))
	}
	b.WriteString(d.canonicalFlow())
	return b.Bytes()
}

// quote writes a string in double quotes. JSON's form is also YAML's.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// A string always encodes: invalid UTF-8 was turned away when it was read.
	_ = e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}
