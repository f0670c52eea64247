package study

import (
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"
)

const (
	// maxStimuli bounds a study: 1,000 clips of 10 s are nearly three hours.
	maxStimuli = 1000
	// maxTags and maxMoments bound what is said about one stimulus.
	maxTags, maxMoments = 100, 1000
	// longestClip bounds the times within a clip, in seconds.
	longestClip = 86400.
)

// listing is one entry of stimuli.list.
type listing struct {
	id      string
	file    string // relative to the folder
	brand   string
	tags    []string
	filler  bool
	aois    string // relative to the folder of the study file; "" = none
	moments [][2]time.Duration
	line    int
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
		field{"frame", func(n node) error {
			s, err := n.oneOf(ownFrame, phoneFrame)
			d.phoneFrame = s == phoneFrame
			return err
		}},
	)
}

// The frames that stimuli may stand in.
const (
	ownFrame   = "own"        // each in its own proportions, as large as the screen allows
	phoneFrame = "phone-9x16" // all in one upright frame
)

func readListing(n node) (listing, error) {
	l := listing{line: n.line}
	err := n.mapping(
		field{"id", into(&l.id, node.word)},
		field{"file", into(&l.file, node.localPath)},
		field{"brand", into(&l.brand, node.text)},
		field{"tags", func(n node) error {
			items, err := n.list()
			if err == nil && len(items) > maxTags {
				err = n.fail("has %d tags; possible are %d", len(items), maxTags)
			}
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
		field{"role", func(n node) error {
			s, err := n.oneOf("stimulus", "filler")
			l.filler = s == "filler"
			return err
		}},
		field{"aois", into(&l.aois, node.localPath)},
		field{"brand_moments", func(n node) error {
			return n.each(maxMoments, func(n node) error {
				m, err := n.moment()
				l.moments = append(l.moments, m)
				return err
			})
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

// moment reads [from, to] in seconds.
func (n node) moment() (m [2]time.Duration, err error) {
	items, err := n.list()
	if err != nil || len(items) != 2 {
		return m, n.fail("is a time in the clip, from and until in seconds: [3.2, 4.8]")
	}
	for i, item := range items {
		s, err := item.decimal(0, longestClip, " of seconds")
		if err != nil {
			return m, err
		}
		m[i] = time.Duration(s*1e6+.5) * time.Microsecond // as fine as any clip's time base
	}
	if m[0] >= m[1] {
		return m, n.fail("ends before it begins: write the earlier time first")
	}
	return m, nil
}

func (l listing) canonical() string {
	role := ""
	if l.filler {
		role = "filler"
	}
	var moments []string
	for _, m := range l.moments {
		moments = append(moments, flowList([]string{number(m[0].Seconds()), number(m[1].Seconds())}))
	}
	return flowMap("id", quote(l.id), "file", quote(l.file), "brand", quote(l.brand), "tags", flowList(quoted(l.tags)),
		"role", role, "aois", quotedOrNone(l.aois), "brand_moments", optional(moments))
}

// filler tells whether a stimulus has a filler's role.
func (d document) filler(id string) bool {
	return slices.ContainsFunc(d.stimuli, func(l listing) bool { return l.id == id && l.filler })
}

// isText tells whether a node is a word by itself, as of a list's items.
func (n node) isText() bool {
	_, ok := n.ast.(*ast.StringNode)
	return ok
}
