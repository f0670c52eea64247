package study

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"emolab/studies/study/order"
)

const (
	// maxParts bounds a list of parts: more than a few calibrations wear a participant out.
	maxParts = 60
	// maxDepth bounds branches within branches.
	maxDepth = 5
	// maxRepeats and maxTrials bound a session: 2,000 trials of 10 s are over five hours.
	maxRepeats, maxTrials = 100, 2000
	// maxTrialParts bounds the steps of one trial.
	maxTrialParts = 30
	// mainBlock is the block that has no name of its own.
	mainBlock = "main"
)

// defaultFlow is the flow of a study that describes none. What needs a device that the
// lab does not have is passed over.
func defaultFlow() []Part {
	return []Part{
		{Action: Camera},
		{Action: Calibrate},
		{Baseline: &Baseline{Fixation: 20 * time.Second, Neutral: 10 * time.Second}},
		{Block: defaultBlock()},
		{Action: Validate},
	}
}

// defaultBlock shows all stimuli once, in random order.
func defaultBlock() *BlockPart {
	return &BlockPart{Name: mainBlock, Method: order.Random, Repeats: 1, Trial: defaultTrial()}
}

// defaultTrial is the trial of a study that describes none: time for skin
// conductance to settle before, and to recover after.
func defaultTrial() []TrialPart {
	return []TrialPart{{Action: Fixation, Duration: 5 * time.Second}, {Action: Play}, {Action: Rest, Duration: 4 * time.Second}}
}

// defaultBaseline is what the word baseline alone means: skin conductance settles in
// about a minute, and ten seconds of a face at rest are 300 frames.
func defaultBaseline() Baseline {
	return Baseline{Fixation: time.Minute, Neutral: 10 * time.Second}
}

// Words of the flow that name a page, and the ids of the pages.
const (
	noticeID    = "notice"
	consentID   = "consent"
	screeningID = "screening"
	debriefID   = "debrief"
	receiptID   = "receipt"
	leaveID     = "leave"
	leftID      = "left"
	withdrawnID = "withdrawn"

	exitConsent   = "exit.consent"
	exitScreening = "exit.screening"
	exitQuota     = "exit.quota"

	ratePrefix = "rate."
	formPrefix = "form."
)

// asides are the pages at the tail of a plan, in their order.
var asides = [...]string{leaveID, exitConsent, exitScreening, exitQuota, leftID, withdrawnID}

// readParts reads the flow, or one way of a branch.
func (d *document) readParts(n node, depth int) ([]Part, error) {
	if depth > maxDepth {
		return nil, n.fail("is a branch within %d others: too deep to be understood", maxDepth)
	}
	var parts []Part
	err := n.each(maxParts, func(n node) error {
		p, err := d.readPart(n, depth)
		parts = append(parts, p)
		return err
	})
	return parts, err
}

// wordParts are the parts of a flow that are a word by themselves.
func wordParts() []string {
	return []string{noticeID, consentID, screeningID, string(Camera), string(Begin), string(Calibrate), "baseline",
		string(Breath), "block", string(Validate), debriefID, receiptID}
}

func (d *document) readPart(n node, depth int) (Part, error) {
	if s, err := n.text(); err == nil {
		switch s {
		case noticeID, consentID, screeningID, debriefID, receiptID:
			return Part{Sheets: []string{s}}, nil
		case string(Camera), string(Begin), string(Calibrate), string(Breath), string(Validate):
			return Part{Action: Action(s)}, nil
		case "baseline":
			b := defaultBaseline()
			return Part{Baseline: &b}, nil
		case "block":
			return Part{Block: defaultBlock()}, nil
		}
		return Part{}, n.fail("%q is no part of a flow; known are %s, and with settings %s, %s, form, branch",
			s, strings.Join(wordParts(), ", "), Rest, Fixation)
	}
	var p Part
	set := 0
	one := func(read func(node) error) func(node) error {
		return func(n node) error {
			set++
			return read(n)
		}
	}
	timed := func(a Action) func(node) error {
		return one(func(n node) (err error) {
			p.Action = a
			p.Duration, err = n.duration()
			return err
		})
	}
	err := n.mapping(
		field{"baseline", one(func(n node) (err error) {
			p.Baseline, err = readBaseline(n)
			return err
		})},
		field{"block", one(func(n node) (err error) {
			p.Block, err = readBlock(n)
			return err
		})},
		field{"form", one(func(n node) (err error) {
			p.Sheets, err = d.readForm(n)
			return err
		})},
		field{"branch", one(func(n node) (err error) {
			p.Branch, err = d.readBranch(n, depth)
			return err
		})},
		field{string(Rest), timed(Rest)},
		field{string(Fixation), timed(Fixation)},
	)
	if err == nil && set != 1 {
		err = n.fail("is one part of the flow: put each in its own place of the list")
	}
	return p, err
}

func readBaseline(n node) (*Baseline, error) {
	var b Baseline
	err := n.mapping(
		field{string(Fixation), into(&b.Fixation, node.duration)},
		field{"neutral_face", into(&b.Neutral, node.duration)},
	)
	if err == nil && b == (Baseline{}) {
		err = n.fail("needs fixation, neutral_face, or both")
	}
	return &b, err
}

// readForm reads the file of a form. Its page is named after it.
func (d *document) readForm(n node) ([]string, error) {
	var file string
	err := n.mapping(field{"file", into(&file, node.localPath)})
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(strings.TrimSuffix(path.Base(file), ".yaml"), ".yml")
	if file == "" || !word.MatchString(name) {
		return nil, n.fail("%q is no file of a form: write  form: {file: forms/exit.yaml}, named with letters, digits, - _ .", file)
	}
	id := formPrefix + name
	for _, f := range d.forms {
		switch {
		case f.key == id && f.path == file:
			return []string{id}, nil
		case f.key == id:
			return nil, n.fail("%s and %s have the same name: rename one of them", f.path, file)
		}
	}
	d.forms = append(d.forms, reference{key: id, path: file})
	return []string{id}, nil
}

func (d *document) readBranch(n node, depth int) (*Branch, error) {
	var b Branch
	err := n.mapping(
		field{"if", func(n node) (err error) {
			if b.If, err = n.text(); err == nil {
				err = n.condition(b.If)
			}
			return err
		}},
		field{"then", func(n node) (err error) {
			b.Then, err = d.readParts(n, depth+1)
			return err
		}},
		field{"else", func(n node) (err error) {
			b.Else, err = d.readParts(n, depth+1)
			return err
		}},
	)
	switch {
	case err != nil:
		return nil, err
	case b.If == "":
		return nil, n.fail("the key if is missing: on which answer does the way depend?")
	case b.Then == nil && b.Else == nil:
		return nil, n.fail("leads nowhere: add then, else, or both")
	}
	return &b, nil
}

func readBlock(n node) (*BlockPart, error) {
	b := defaultBlock()
	err := n.mapping(
		field{"name", into(&b.Name, node.word)},
		field{"order", b.readOrder},
		field{"insert", func(n node) error {
			err := n.mapping(
				field{"filler", into(&b.Filler, node.word)},
				field{"every", func(n node) (err error) {
					b.Every, err = n.count(1, maxStimuli)
					return err
				}},
			)
			if err == nil && (b.Filler == "" || b.Every == 0) {
				err = n.fail("needs both filler and every:  insert: {filler: f1, every: 2}")
			}
			return err
		}},
		field{"repeat", func(n node) (err error) {
			b.Repeats, err = n.count(1, maxRepeats)
			return err
		}},
		field{"trial", into(&b.Trial, node.trial)},
	)
	return b, err
}

func (b *BlockPart) readOrder(n node) error {
	method := func(n node) (err error) {
		b.Method, err = n.oneOf(order.Methods()...)
		return err
	}
	if n.isText() {
		return method(n)
	}
	return n.mapping(
		field{"method", method},
		field{"over", func(n node) error {
			return n.each(maxStimuli, func(n node) error {
				id, err := n.word()
				if err == nil && slices.Contains(b.Over, id) {
					err = n.fail("%s comes twice: write  repeat: 2  to show all of them twice", id)
				}
				b.Over = append(b.Over, id)
				return err
			})
		}},
		field{"assign", func(n node) error {
			s, err := n.oneOf(leastFilled, inTurn)
			b.InTurn = s == inTurn
			return err
		}},
	)
}

// How participants come to their rows.
const (
	leastFilled = "least-filled-usable" // the row with the fewest usable sessions
	inTurn      = "in-turn"             // one row after the other
)

// trial reads a list such as [fixation: 5s, play, rest: 4s, rate: [sam]].
func (n node) trial() ([]TrialPart, error) {
	var steps []TrialPart
	plays, rated := 0, map[string]bool{}
	err := n.each(maxTrialParts, func(n node) error {
		before := len(steps)
		if s, err := n.text(); err == nil {
			if Action(s) != Play {
				return n.fail("%q: known are play, %s and %s with a duration (%s: 5s), and rate with scales (rate: [sam])", s, Fixation, Rest, Fixation)
			}
			plays++
			steps = append(steps, TrialPart{Action: Play})
			return nil
		}
		timed := func(a Action) func(node) error {
			return func(n node) error {
				d, err := n.duration()
				steps = append(steps, TrialPart{Action: a, Duration: d})
				return err
			}
		}
		if err := n.mapping(
			field{string(Fixation), timed(Fixation)},
			field{string(Rest), timed(Rest)},
			field{string(Play), func(n node) error {
				plays++
				p := TrialPart{Action: Play}
				err := n.mapping(field{"skippable", into(&p.Skippable, node.truth)})
				steps = append(steps, p)
				return err
			}},
			field{"rate", func(n node) error {
				if plays == 0 {
					return n.fail("comes before play: there is nothing to rate yet")
				}
				p := TrialPart{Action: Fill}
				err := n.each(maxScales, func(n node) error {
					id, err := n.answerWord()
					if err == nil && rated[id] {
						err = n.fail("%s comes twice in a trial: there is one answer to each question about a stimulus", id)
					}
					rated[id] = true
					p.Sheets = append(p.Sheets, ratePrefix+id)
					return err
				})
				steps = append(steps, p)
				return err
			}},
		); err != nil {
			return err
		}
		if len(steps) != before+1 {
			return n.fail("is one step: put each in its own place of the list")
		}
		return nil
	})
	if err == nil && plays != 1 {
		err = n.fail("has %d play steps; a trial has exactly one", plays)
	}
	return steps, err
}

// duration reads a time with its unit: 5s, 1m30s, 500ms.
func (n node) duration() (time.Duration, error) {
	s, err := n.text()
	if err != nil {
		return 0, n.fail("is a duration with its unit, such as 5s or 500ms")
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, n.fail("%q is no duration: write a number and its unit, such as 5s or 500ms", s)
	}
	if d < shortestStep || d > longestStep {
		return 0, n.fail("%s is outside %s to %s", d, shortestStep, longestStep)
	}
	return d, nil
}

// canonicalPart writes one part of the flow as a study file does.
func (d document) canonicalPart(p Part) string {
	ways := func(parts []Part) string { return optional(each(parts, d.canonicalPart)) }
	switch {
	case p.Branch != nil:
		return flowMap("branch", flowMap("if", quote(p.Branch.If), "then", ways(p.Branch.Then), "else", ways(p.Branch.Else)))
	case p.Block != nil:
		return flowMap("block", p.Block.canonical())
	case p.Baseline != nil:
		return flowMap("baseline", flowMap(string(Fixation), length(p.Baseline.Fixation), "neutral_face", length(p.Baseline.Neutral)))
	case len(p.Sheets) == 1 && strings.HasPrefix(p.Sheets[0], formPrefix):
		i := slices.IndexFunc(d.forms, func(f reference) bool { return f.key == p.Sheets[0] })
		return flowMap("form", flowMap("file", quote(d.forms[i].path)))
	case len(p.Sheets) == 1:
		return p.Sheets[0]
	case p.Duration > 0:
		return flowMap(string(p.Action), length(p.Duration))
	}
	return string(p.Action)
}

// length writes a duration; "" for none.
func length(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func (b BlockPart) canonical() string {
	assign := leastFilled
	if b.InTurn {
		assign = inTurn
	}
	insert, repeat := "", ""
	if b.Filler != "" {
		insert = flowMap("filler", quote(b.Filler), "every", fmt.Sprint(b.Every))
	}
	if b.Repeats > 1 {
		repeat = fmt.Sprint(b.Repeats)
	}
	return flowMap("name", quote(b.Name),
		"order", flowMap("method", b.Method, "over", optional(quoted(b.Over)), "assign", assign),
		"insert", insert, "repeat", repeat,
		"trial", flowList(each(b.Trial, TrialPart.canonical)))
}

func (t TrialPart) canonical() string {
	switch {
	case t.Action == Fill:
		return flowMap("rate", flowList(each(t.Sheets, func(id string) string { return quote(strings.TrimPrefix(id, ratePrefix)) })))
	case t.Action == Play && t.Skippable:
		return flowMap(string(Play), "{skippable: true}")
	case t.Action == Play:
		return string(Play)
	}
	return flowMap(string(t.Action), length(t.Duration))
}
