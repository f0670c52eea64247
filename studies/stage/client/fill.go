package client

import (
	"context"
	"slices"
	"strconv"

	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// fill shows a sheet, fills it in as it is told, and waits until the answer is
// accepted. It says that it speaks for a simulated participant: one who has no face
// to protect. Before a real camera such an answer is void.
func (p *player) fill(ctx context.Context, step protocol.Step, fills <-chan *protocol.Conduct) bool {
	i := slices.IndexFunc(p.plan.Sheets, func(s protocol.Sheet) bool { return s.ID == step.Sheet })
	if i < 0 {
		p.report(&protocol.Fault{Run: p.plan.Run, Text: "the plan has no sheet " + step.Sheet, Fatal: true})
		return false
	}
	sheet := p.plan.Sheets[i]
	shown := p.free
	p.free = shown + 1
	if !p.until(ctx, p.tick(shown)) {
		return false
	}
	p.report(&protocol.Blank{Run: p.plan.Run, Tick: p.tick(shown)})
	p.step(&protocol.StepBegan{Run: p.plan.Run, Step: step.Index, Tick: p.tick(shown)})
	select {
	case <-ctx.Done():
		return false
	case c := <-fills:
		a := p.answer(step, sheet)
		told := c.Answer
		a.Values, a.Declined = least(sheet.Fields), c.No
		if told {
			a.Values = c.Fill
		}
		for {
			p.time(a, p.tick(shown))
			p.step(a)
			accepted, ok := p.verdict(ctx, step)
			if !ok || accepted {
				p.free = p.refreshAt(p.c.now()) + 1
				return ok
			}
			p.report(&protocol.Fault{Run: p.plan.Run, Fatal: !told, Text: "the sheet " + sheet.ID + " does not take what the simulated participant answers"})
			if !told {
				return false
			}
			told, a.Values, a.Declined = false, least(sheet.Fields), false
		}
	}
}

// answer is an answer to a sheet, without values, in the language that the participant
// reads.
func (p *player) answer(step protocol.Step, sheet protocol.Sheet) *protocol.Answer {
	language := p.c.language
	if _, ok := sheet.Hashes[language]; !ok && len(p.plan.Languages) > 0 {
		language = p.plan.Languages[0]
	}
	return &protocol.Answer{
		Run: p.plan.Run, Step: step.Index, Sheet: sheet.ID, Language: language, TextSHA256: sheet.Hashes[language],
		Simulated: true,
	}
}

// time says that an answer is given now, to a sheet that was shown since then.
func (p *player) time(a *protocol.Answer, shown protocol.Tick) {
	a.Tick = max(p.c.now(), shown)
	a.ResponseMs = map[string]float64{}
	for key := range a.Values {
		a.ResponseMs[key] = float64(a.Tick-shown) / (protocol.TickHz / 1000)
	}
}

// verdict waits for what the server says to the answer of a step.
func (p *player) verdict(ctx context.Context, step protocol.Step) (accepted, ok bool) {
	for {
		select {
		case <-ctx.Done():
			return false, false
		case m := <-p.verdicts:
			switch m := m.(type) {
			case *protocol.Go:
				if m.Step == step.Index {
					p.skip = m.Skip
					return true, true
				}
			case *protocol.Again:
				if m.Step == step.Index {
					return false, true
				}
			}
		}
	}
}

// least is the least that fields demand: what is required, with the middle of a scale
// and the first of a list; and every box of a consent, ticked if it is required.
func least(fields []study.Field) study.Answers {
	values := study.Answers{}
	for _, f := range fields {
		value := ""
		switch f.Type {
		case study.ScopeField:
			value = study.No
			if f.Required {
				value = study.Yes
			}
		case study.YesNo:
			value = study.Yes
		case study.Integer:
			value = strconv.Itoa(f.Min + (f.Max-f.Min)/2)
		case study.Choice:
			if len(f.Options) > 0 {
				value = f.Options[0].Value
			}
		case study.Likert, study.SAM, study.AffectGrid:
			value = strconv.Itoa((f.Points + 1) / 2)
		case study.VAS:
			value = strconv.Itoa(study.VASHigh / 2)
		case study.FreeText:
			value = "-"
		}
		if f.Type != study.ScopeField && !f.Required {
			continue
		}
		for _, key := range f.Keys() {
			values[key] = value
		}
	}
	return values
}
