package stage

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"emolab/studies/session"
	"emolab/studies/stage/protocol"
)

// A page that says anything in any order can end its own connection and the plan, but
// breaks nothing, skips nothing and answers nothing that was not asked: whatever
// reaches the session is an answer to the sheet that was on the screen.
func TestAHostilePage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		defer m.show.halt()
		ruling := m.show.p.Answered
		m.show.p.Answered = func(ctx context.Context, a session.Answer) (session.Ruling, error) {
			step, ok := m.show.way.now()
			if !ok || !m.show.begun || m.show.pause || step.Index != a.Step || step.Sheet != a.Sheet {
				t.Fatalf("an answer to step %d (%s), while the plan is at %d: %s", a.Step, a.Sheet, step.Index, m)
			}
			return ruling(ctx, a)
		}
		m.attach()
		m.plan = (<-m.link.queue).(*protocol.Plan)
		for range rapid.IntRange(0, 60).Draw(t, "messages") {
			said := m.anything()
			// Through the wire, as the server's end of the socket does it.
			b, err := protocol.Encode(said)
			if err != nil {
				t.Fatal(err)
			}
			heard, err := protocol.DecodePage(b)
			if err != nil {
				continue
			}
			before := m.show.way.next
			err = m.show.hear(context.Background(), news{link: m.link, what: heard})
			if errors.Is(err, errOver) {
				return
			}
			if err != nil && !strings.Contains(err.Error(), "cannot show the plan") {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if now := m.show.way.next; now < before || m.show.way.passed[now] {
				t.Fatalf("from step %d to %d: %s", before, now, m)
			}
			if m.let {
				m.let = false
				m.tell(detached{})
				m.attach()
			}
			for len(m.link.queue) > 0 {
				<-m.link.queue
			}
		}
	})
}

// anything is a message that a page may say or not, about any step.
func (m *model) anything() protocol.Message {
	t := m.t
	run := rapid.SampledFrom([]int{m.show.run, m.show.run, m.show.run, m.show.run - 1, 99}).Draw(t, "run")
	step := rapid.SampledFrom([]int{m.show.way.next, m.show.way.next, m.show.way.next, m.show.way.next + 1, -1, 0, 1 << 40}).Draw(t, "step")
	tick := protocol.Tick(rapid.Int64Range(0, 1<<53).Draw(t, "tick"))
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return &protocol.Ready{Run: run}
	case 1:
		return &protocol.Waiting{Run: run}
	case 2, 3:
		return &protocol.StepBegan{Run: run, Step: step, Tick: tick}
	case 4:
		return &protocol.StepEnded{Run: run, Step: step, Tick: tick, Swiped: rapid.Bool().Draw(t, "swiped"), Media: 5}
	case 5:
		sheet := rapid.SampledFrom(m.show.p.Study.Sheets).Draw(t, "sheet")
		return &protocol.Answer{Run: run, Step: step, Sheet: sheet.ID, Language: "en", TextSHA256: sheet.SHA256("en"), Tick: tick, Declined: rapid.Bool().Draw(t, "declined")}
	case 6:
		return &protocol.Paused{Run: run, Step: step, Tick: tick}
	case 7:
		return &protocol.Resumed{Run: run, Step: step, Tick: tick}
	case 8:
		return &protocol.Leave{Run: run, Step: step, Tick: tick}
	}
	return &protocol.Shown{Run: run, Step: step, ID: 1, Tick: tick}
}
