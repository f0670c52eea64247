package study

import (
	"fmt"
	"strings"
	"time"
)

// maxAround bounds the steps before the block and those after it: more than a few
// calibrations wear a participant out.
const maxAround = 20

// readFlow reads the flow: one block, in this version of the format, and the
// steps before and after it.
func (d *document) readFlow(n node) error {
	items, err := n.list()
	if err != nil {
		return err
	}
	around, blocks := &d.before, 0
	for _, item := range items {
		if s, err := item.text(); err == nil {
			if a := Action(s); a != Calibrate && a != Validate && a != Breath {
				return item.fail("%q: known are %s, %s, %s and a block", s, Calibrate, Validate, Breath)
			}
			if *around = append(*around, Action(s)); len(*around) > maxAround {
				return item.fail("is step number %d on this side of the block; at most %d make sense", len(*around), maxAround)
			}
			continue
		}
		if err := item.mapping(field{"block", d.readBlock}); err != nil {
			return err
		}
		around = &d.after
		blocks++
	}
	if blocks != 1 {
		return n.fail("has %d blocks; this version knows exactly one, with %s, %s and %s around it", blocks, Calibrate, Validate, Breath)
	}
	return nil
}

func (d *document) readBlock(n node) error {
	return n.mapping(
		field{"name", into(&d.block.Name, node.word)},
		field{"order", func(n node) error {
			read := into(&d.block.Order, node.order)
			if _, err := n.text(); err == nil {
				return read(n)
			}
			return n.mapping(field{"method", read})
		}},
		field{"trial", into(&d.block.Trial, node.trial)},
	)
}

// trial reads a list such as [fixation: 5s, play, rest: 4s].
func (n node) trial() ([]TrialStep, error) {
	items, err := n.list()
	if err != nil {
		return nil, err
	}
	var steps []TrialStep
	plays := 0
	for _, item := range items {
		if s, err := item.text(); err == nil {
			if Action(s) != Play {
				return nil, item.fail("%q: known are play, or fixation and rest with a duration (%s: 5s)", s, Fixation)
			}
			plays++
			steps = append(steps, TrialStep{Action: Play})
			continue
		}
		timed := func(a Action) func(node) error {
			return func(n node) error {
				d, err := n.duration()
				steps = append(steps, TrialStep{a, d})
				return err
			}
		}
		before := len(steps)
		if err := item.mapping(
			field{string(Fixation), timed(Fixation)},
			field{string(Rest), timed(Rest)},
			field{string(Play), func(n node) error {
				return n.fail("takes no value: a stimulus has its own duration")
			}},
		); err != nil {
			return nil, err
		}
		if len(steps) != before+1 {
			return nil, item.fail("is one step: put each in its own place of the list")
		}
	}
	if plays != 1 {
		return nil, n.fail("has %d play steps; a trial has exactly one", plays)
	}
	return steps, nil
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

// canonicalFlow writes the flow as a study file does.
func (d document) canonicalFlow() string {
	var b strings.Builder
	b.WriteString("flow:\n")
	for _, a := range d.before {
		fmt.Fprintf(&b, "  - %s\n", a)
	}
	steps := make([]string, len(d.block.Trial))
	for i, t := range d.block.Trial {
		steps[i] = string(t.Action)
		if t.Action != Play {
			steps[i] += ": " + t.Duration.String()
		}
	}
	fmt.Fprintf(&b, "  - block:\n      name: %s\n      order: {method: %s}\n      trial: [%s]\n",
		quote(d.block.Name), d.block.Order, strings.Join(steps, ", "))
	for _, a := range d.after {
		fmt.Fprintf(&b, "  - %s\n", a)
	}
	return b.String()
}
