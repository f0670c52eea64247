package stage

import (
	"context"
	"errors"
	"fmt"

	"emolab/fusion/instant"
	"emolab/studies/session"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// errNotAsked is an answer to something else than the sheet on the screen.
var errNotAsked = errors.New("an answer to another sheet")

// errFields is an answer to fields that the sheet does not have.
var errFields = errors.New("an answer to a field that is not on the sheet")

// sheets lists a study's sheets for a page; none without a study.
func sheets(st *study.Study) []protocol.Sheet {
	if st == nil {
		return []protocol.Sheet{}
	}
	list := make([]protocol.Sheet, len(st.Sheets))
	for i, s := range st.Sheets {
		if s.Fields == nil {
			s.Fields = []study.Field{}
		}
		list[i] = protocol.Sheet{Sheet: s, Hashes: map[string]string{}}
		for language := range s.Heading {
			list[i].Hashes[language] = s.SHA256(language)
		}
	}
	return list
}

// missing names a Fill step of a plan whose sheet the study does not have.
func missing(p session.Presentation) error {
	for _, step := range p.Plan.Steps {
		if step.Action != study.Fill {
			continue
		}
		if p.Study == nil {
			return fmt.Errorf("stage: step %d is a sheet, and there is no study that has it", step.Index)
		}
		if _, ok := p.Study.Sheet(step.Sheet); !ok {
			return fmt.Errorf("stage: step %d shows the sheet %q, which the study does not have", step.Index, step.Sheet)
		}
	}
	return nil
}

// sheetCame does what belongs to a sheet as it comes up.
func (sh *show) sheetCame(ctx context.Context, n news, step study.Step) error {
	sheet, _ := sh.p.Study.Sheet(step.Sheet) // Present has looked for it
	sh.server.rec.marker(ctx, n.link.run, n.at, "the sheet %s came up, in step %d", sheet.ID, step.Index)
	if sheet.Kind != study.ReceiptSheet || sh.p.Receipt == nil {
		return nil
	}
	m := &protocol.Receipt{Run: sh.run, Step: step.Index, Receipt: sh.p.Receipt()}
	if code := m.Receipt.Code; code != "" {
		qr, err := modules(code)
		if err != nil {
			return errors.New("stage: the withdrawal code cannot be drawn as a QR code: it is too long")
		}
		m.QR = qr
	}
	n.link.send(m)
	return nil
}

// answered takes an answer of the page to the sheet on the screen, and goes on as
// the ruling upon it says.
func (sh *show) answered(ctx context.Context, n news, m *protocol.Answer) error {
	if sh.leaving {
		return nil
	}
	rec := &sh.server.rec
	if m.Step != sh.way.next || !sh.begun {
		sh.outOfStep(n, m.Type(), m.Step)
		return nil
	}
	step := sh.way.steps[m.Step]
	sheet, a, err := sh.understand(step, m, n.link.hello.Simulated, n.at)
	if err != nil {
		rec.fault(n.link.run, n.at, "step %d: %v", m.Step, err)
		n.link.cancel() // it will connect again, and show the sheet again
		return nil
	}
	if !a.Declined {
		if err := sheet.Check(a.Values); err != nil {
			n.link.send(&protocol.Again{Run: sh.run, Step: m.Step, Reason: err.Error()})
			return nil
		}
	}
	rec.marker(ctx, n.link.run, n.at, "the sheet %s was answered, in step %d", sheet.ID, m.Step)
	if sh.p.Answered != nil {
		ruling, err := sh.p.Answered(ctx, a)
		if err != nil {
			return err
		}
		sh.way.rule(ruling.Skip)
	}
	n.link.send(&protocol.Go{Run: sh.run, Step: m.Step, Skip: sh.way.skip()})
	return sh.advance()
}

// understand reads an answer to a step's sheet, which came at that instant. What it
// returns has not been checked against the fields. Its errors go into the recording,
// and so quote nothing of the answer.
func (sh *show) understand(step study.Step, m *protocol.Answer, simulated bool, at instant.Instant) (study.Sheet, session.Answer, error) {
	if step.Action != study.Fill || m.Sheet != step.Sheet {
		return study.Sheet{}, session.Answer{}, errNotAsked
	}
	sheet, _ := sh.p.Study.Sheet(step.Sheet) // Present has looked for it
	if _, ok := sheet.Heading[m.Language]; !ok || sheet.SHA256(m.Language) != m.TextSHA256 {
		return study.Sheet{}, session.Answer{}, fmt.Errorf("%w: none of its languages has words of that hash", errNotAsked)
	}
	if m.Declined && sheet.Kind != study.ConsentSheet {
		return study.Sheet{}, session.Answer{}, fmt.Errorf("%w: it was declined, and is no consent", errNotAsked)
	}
	asked := map[string]bool{}
	for _, f := range sheet.Fields {
		for _, key := range f.Keys() {
			asked[key] = true
		}
	}
	values, times := study.Answers{}, map[string]float64{}
	for key, v := range m.Values {
		if !asked[key] {
			return study.Sheet{}, session.Answer{}, errFields
		}
		values[key] = v
	}
	for key, ms := range m.ResponseMs {
		if !asked[key] {
			return study.Sheet{}, session.Answer{}, errFields
		}
		times[key] = ms
	}
	if m.Declined { // what was ticked before means nothing
		values, times = study.Answers{}, map[string]float64{}
	}
	a := session.Answer{
		Step: step.Index, Sheet: sheet.ID, Kind: sheet.Kind, Stimulus: step.Stimulus, Presentation: step.Presentation,
		Values: values, ResponseMs: times, Declined: m.Declined,
		TextSHA256: m.TextSHA256, Language: m.Language, Text: sheet.Words(m.Language),
		At: at, How: session.OnScreen,
	}
	if simulated || m.Simulated {
		a.How = session.Simulated
	}
	return sheet, a, nil
}
