package study

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"emolab/studies/study/expr"
)

// check refuses what no single line of the file shows: parts in an order that cannot be,
// and names that nothing has. Names of stimuli are checked when they are known.
func (d document) check() error {
	if err := d.checkPages(d.flow, "flow", true); err != nil {
		return err
	}
	if err := d.checkIntake(); err != nil {
		return err
	}
	seen := map[string]string{}
	if err := d.walk(d.flow, "flow", func(p Part, at string) error {
		if p.Block == nil {
			return nil
		}
		if before, twice := seen[p.Block.Name]; twice {
			return d.fail(at+".block", "has the name %q like the block of line %d: give each block its own name", p.Block.Name, d.line(before))
		}
		seen[p.Block.Name] = at
		return d.checkScales(*p.Block, at)
	}); err != nil {
		return err
	}
	if len(seen) == 0 {
		return d.fail("flow", "has no block: nothing would be shown")
	}
	return d.checkQuestions()
}

// walk visits all parts of a flow with their paths in the file.
func (d document) walk(parts []Part, at string, visit func(p Part, at string) error) error {
	for i, p := range parts {
		here := fmt.Sprintf("%s[%d]", at, i+1)
		if err := visit(p, here); err != nil {
			return err
		}
		if p.Branch == nil {
			continue
		}
		if err := d.walk(p.Branch.Then, here+".branch.then", visit); err != nil {
			return err
		}
		if err := d.walk(p.Branch.Else, here+".branch.else", visit); err != nil {
			return err
		}
	}
	return nil
}

// onceOnly are the parts that make sense once, and not in a branch.
func onceOnly(p Part) string {
	if p.Action == Begin {
		return string(Begin)
	}
	if len(p.Sheets) == 1 && slices.Contains([]string{noticeID, consentID, screeningID, debriefID, receiptID}, p.Sheets[0]) {
		return p.Sheets[0]
	}
	return ""
}

func (d document) checkPages(parts []Part, at string, top bool) error {
	seen := map[string]bool{}
	for i, p := range parts {
		here := fmt.Sprintf("%s[%d]", at, i+1)
		if once := onceOnly(p); once != "" {
			switch {
			case !top:
				return d.fail(here, "%s cannot be in a branch: everybody meets it", once)
			case seen[once]:
				return d.fail(here, "%s comes twice", once)
			case once == screeningID && d.screening == nil:
				return d.fail(here, "there are no questions: add the key screening, or leave this out")
			}
			seen[once] = true
		}
		if p.Branch != nil {
			if err := d.checkPages(p.Branch.Then, here+".branch.then", false); err != nil {
				return err
			}
			if err := d.checkPages(p.Branch.Else, here+".branch.else", false); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkIntake sees to it that consent comes first, and what decides who takes part before
// anything is recorded.
func (d document) checkIntake() error {
	recorded := ""
	for i, p := range d.flow {
		here := fmt.Sprintf("flow[%d]", i+1)
		switch once := onceOnly(p); {
		case once == noticeID && i > 0, once == consentID && i > 0 && !(i == 1 && onceOnly(d.flow[0]) == noticeID):
			return d.fail(here, "%s comes first in every study: nobody is looked at or asked before they have agreed", once)
		case recorded != "" && (once == screeningID || once == string(Begin)):
			return d.fail(here, "%s comes after line %d, from where on the session is recorded: put it before", once, d.line(recorded))
		case once == debriefID && !d.shown(i):
			return d.fail(here, "%s comes before the last block: put it at the end", once)
		case once == receiptID && i < len(d.flow)-1:
			return d.fail(here, "%s is the last page of every study: put it at the end", once)
		}
		if recorded == "" && p.recorded() {
			recorded = here
		}
	}
	return nil
}

// shown tells whether all blocks of the flow lie before its i-th part.
func (d document) shown(i int) bool { return len(blocks(d.flow[i:])) == 0 }

// recorded tells whether a part has to be recorded.
func (p Part) recorded() bool {
	switch {
	case p.Branch != nil:
		return slices.ContainsFunc(p.Branch.Then, Part.recorded) || slices.ContainsFunc(p.Branch.Else, Part.recorded)
	case p.Block != nil, p.Baseline != nil:
		return true
	}
	return slices.Contains([]Action{Calibrate, Validate, Breath, Rest, Fixation}, p.Action)
}

func (d document) checkScales(b BlockPart, at string) error {
	for i, t := range b.Trial {
		for _, sheet := range t.Sheets {
			id := strings.TrimPrefix(sheet, ratePrefix)
			if slices.ContainsFunc(d.scales, func(s scale) bool { return s.id == id }) {
				continue
			}
			return d.fail(fmt.Sprintf("%s.block.trial[%d].rate", at, i+1), "%q is no scale; %s", id,
				known(id, each(d.scales, func(s scale) string { return s.id }), "add the key scales"))
		}
	}
	return nil
}

// known suggests the nearest of what there is.
func known(written string, names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return suggest(written, each(names, func(name string) field { return field{key: name} }))
}

// checkQuestions sees to it that conditions of the screening ask only for what has been
// answered by then, and compare with what can be answered.
func (d document) checkQuestions() error {
	for i, q := range d.screening {
		if q.Pass == "" {
			continue
		}
		at := fmt.Sprintf("screening[%d].pass", i+1)
		e, err := expr.Parse(q.Pass)
		if err != nil {
			return d.fail(at, "%v", err)
		}
		soFar := d.screening[:i+1]
		for _, name := range e.Names() {
			if !slices.ContainsFunc(soFar, func(b Question) bool { return b.ID == name }) {
				return d.fail(at, "asks for %q, which is not among the questions so far; %s", name,
					known(name, each(soFar, func(b Question) string { return b.ID }), ""))
			}
		}
		if err := d.checkCompared(at, e, each(soFar, func(b Question) Field { return b.Field })); err != nil {
			return err
		}
	}
	return nil
}

// checkCompared refuses a comparison with an answer that cannot be given.
func (d document) checkCompared(at string, e expr.Expr, fields []Field) error {
	for _, c := range e.Compared() {
		i := slices.IndexFunc(fields, func(f Field) bool { return f.ID == c.Name })
		if i < 0 || fields[i].values() == nil || slices.Contains(fields[i].values(), c.Value) {
			continue
		}
		if isNumber(c.Value) && slices.ContainsFunc(fields[i].values(), isNumber) {
			continue // a limit between numbers that can be chosen
		}
		return d.fail(at, "compares %s with %q, which nobody can answer; possible are %s", c.Name, c.Value, strings.Join(fields[i].values(), ", "))
	}
	return nil
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// resolve fills in what depends on the stimuli: which ones each block puts in order.
func (d *document) resolve() error {
	var ids []string
	for _, l := range d.stimuli {
		ids = append(ids, l.id)
	}
	trials := 0
	d.flow = cloned(d.flow)
	return d.walk(d.flow, "flow", func(p Part, at string) error {
		b := p.Block
		if b == nil {
			return nil
		}
		for _, id := range b.Over {
			if !slices.Contains(ids, id) {
				return d.fail(at+".block.order.over", "%q is no stimulus; %s", id, known(id, ids, ""))
			}
			if d.filler(id) || id == b.Filler {
				return d.fail(at+".block.order.over", "%q is a filler: it is inserted between the others, and not put in order with them", id)
			}
		}
		if b.Filler != "" && !slices.Contains(ids, b.Filler) {
			return d.fail(at+".block.insert.filler", "%q is no stimulus; %s", b.Filler, known(b.Filler, ids, ""))
		}
		if b.Over == nil {
			b.Over = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return d.filler(id) || id == b.Filler })
		}
		if len(b.Over) == 0 {
			return d.fail(at+".block", "has no stimuli: all there are are fillers")
		}
		n := len(b.Over) * max(b.Repeats, 1)
		if b.Filler != "" {
			n += (n - 1) / b.Every
		}
		if trials += n; trials > maxTrials {
			return d.fail(at+".block", "brings the study to %d trials; at most %d are possible", trials, maxTrials)
		}
		return nil
	})
}

// cloned copies parts so far that their blocks may be changed.
func cloned(parts []Part) []Part {
	copies := slices.Clone(parts)
	for i, p := range copies {
		if p.Block != nil {
			b := *p.Block
			copies[i].Block = &b
		}
		if p.Branch != nil {
			copies[i].Branch = &Branch{If: p.Branch.If, Then: cloned(p.Branch.Then), Else: cloned(p.Branch.Else)}
		}
	}
	return copies
}

// laid is the flow with what no study can leave out: notice and consent first, the
// screening before anything is recorded, the place from which on it is, and the last pages.
func (d document) laid() []Part {
	page := func(id string) Part { return Part{Sheets: []string{id}} }
	has := func(id string) bool {
		return slices.ContainsFunc(d.flow, func(p Part) bool { return onceOnly(p) == id })
	}
	parts := []Part{page(noticeID), page(consentID)}
	if d.screening != nil && !has(screeningID) {
		parts = append(parts, page(screeningID))
	}
	begun := has(string(Begin))
	for _, p := range d.flow {
		if slices.Contains([]string{noticeID, consentID, receiptID}, onceOnly(p)) {
			continue
		}
		if !begun && p.recorded() {
			parts = append(parts, Part{Action: Begin})
			begun = true
		}
		parts = append(parts, p)
	}
	if !has(debriefID) {
		parts = append(parts, page(debriefID))
	}
	return append(parts, page(receiptID))
}
