package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"emolab/fusion/instant"
	"emolab/studies/study"
)

// The sheets to which a session leads who does not go its whole way.
const (
	leaveSheet     = "leave"     // asks who has stopped what is to become of the data
	leftSheet      = "left"      // the receipt of who has stopped
	withdrawnSheet = "withdrawn" // everything is deleted
	quotaSheet     = "exit.quota"
	refusedSheet   = "exit.consent"
)

// Why a session was not recorded, or ended early, by the participant.
const (
	whyLeft    = "left"
	whyStopped = "left before the end"
)

// visit is the participant's path through one run of a session: what they answered,
// what follows from it, and when the recording begins and ends. The goroutine of
// Present uses it, and that of the Begin step, which never run it at once.
type visit struct {
	m    *Manager
	cur  *run
	desk *desk

	answers  study.Answers // kept so far, for conditions
	granted  []string      // scopes
	refused  []string      // likewise
	way      []int         // what is passed over since the operator has ended the session; nil = has not
	language string        // in which the participant agreed
	code     string        // by which the participant may withdraw; "" = none was given out
	goesOn   bool          // the recording is opened again once the participant has confirmed the code
}

func (m *Manager) newVisit(cur *run, d *desk) *visit {
	v := &visit{m: m, cur: cur, desk: d, answers: study.Answers{}}
	for _, a := range cur.given {
		maps.Copy(v.answers, a.Values)
		if a.Kind == study.ScreeningSheet { // who has not passed is led out
			v.tell(func(t *told) { t.screened = true })
		}
	}
	for _, c := range cur.answers {
		v.grant(c)
	}
	return v
}

// resume returns what is passed over from the step on with which a session begins or goes
// on. Who goes on with one that was cut off is given another code: the first may be known to
// nobody, and goes on to hold if it is. Where the session had led out it leads out again, and so it does
// where the program ended between an answer and what follows from it.
//
// Who is led out is not recorded. o opens the recording of a session that begins with it,
// and is nil in any other. One that was cut off is opened again by admit: until then
// somebody else may sit there.
func (v *visit) resume(ctx context.Context, from int, o *opening) ([]int, error) {
	v.cameUp(from)
	if v.stopped() != nil {
		return v.close(from)
	}
	exit, why, err := v.wayOn(ctx, from)
	switch {
	case err == nil && exit == "" && o != nil:
		err = v.desk.open("open the recording", o, func(context.Context, Recorder) error { return nil })
		if err == nil {
			v.m.measures(v.cur, o.since) // the face is not filmed before it is known whose it is: admit
		}
	case err == nil && exit == "" && v.recording() && records(v.cur.plan, from):
		v.goesOn = true
	case o != nil:
		o.sub.Close()
	default:
		v.rest() // of one that was recorded only the last pages are left
	}
	if err != nil {
		return nil, err
	}
	return v.rule(exit, why).Skip, nil
}

// stopped is why the operator has ended the session; nil = has not.
func (v *visit) stopped() error {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	return v.cur.ended
}

// close returns what is passed over on the last pages of a session that the operator had
// stopped before it was cut off. Where none are due, the error is why it was stopped.
func (v *visit) close(from int) ([]int, error) {
	v.rest()
	why := v.stopped()
	if _, pages := v.m.o.Study.Sheet(leftSheet); !pages || len(v.granted) == 0 {
		return nil, why
	}
	if err := v.giveCode(); err != nil {
		return nil, err
	}
	if steps := v.cur.plan.Steps; from < len(steps) && steps[from].Sheet == leftSheet { // they were asked before
		return v.rule(leftSheet, why.Error()).Skip, nil
	}
	return v.out().Skip, nil
}

// cameUp notes which clips earlier segments have shown.
func (v *visit) cameUp(from int) {
	passed := v.skip()
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	for _, step := range v.cur.plan.Steps[:min(from, len(v.cur.plan.Steps))] {
		if !slices.Contains(passed, step.Index) {
			v.cur.beganShowing(step)
		}
	}
}

// wayOn is stands, after a code has been given to who has agreed.
func (v *visit) wayOn(ctx context.Context, from int) (exit, why string, err error) {
	if len(v.granted) > 0 {
		if err := v.giveCode(); err != nil {
			return "", "", err
		}
	}
	exit, why, err = v.stands(ctx, from)
	if err == nil && exit == "" && len(v.granted) > 0 {
		v.agreed()
	}
	return exit, why, err
}

// agreed notes that the participant takes part: from here on the last pages are theirs,
// whoever ends the session. A study made by hand has no such pages.
func (v *visit) agreed() {
	if _, has := v.m.o.Study.Sheet(leftSheet); !has {
		return
	}
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.cur.agreed = true
}

// stands judges again what was answered before a step, and tells to which exit it leads;
// "" = on.
func (v *visit) stands(ctx context.Context, from int) (exit, why string, err error) {
	s, steps, passed := v.m.o.Study, v.cur.plan.Steps, v.skip()
	for _, step := range steps[:min(from, len(steps))] {
		sheet, _ := s.Sheet(step.Sheet)
		if sheet.Kind != study.ConsentSheet || slices.Contains(passed, step.Index) {
			continue
		}
		agreed := study.Answers{}
		for _, scope := range v.granted {
			agreed[scope] = study.Yes
		}
		if j := s.Judge(sheet.ID, agreed); j.Exit != "" {
			return j.Exit, j.Why, nil
		}
	}
	for _, a := range v.cur.given {
		if a.Kind != study.ScreeningSheet {
			continue
		}
		for key, value := range a.Values {
			if value == study.Failed {
				return s.Judge(a.Sheet, a.Values).Exit, "screening: " + key, nil
			}
		}
		full, err := v.full(ctx, a.Values)
		if err != nil {
			return "", "", err
		}
		if full != nil && !v.recording() {
			return quotaSheet, whyFull(full), nil
		}
	}
	if from >= len(steps) || !steps[from].Aside {
		return "", "", nil
	}
	switch sheet := steps[from].Sheet; {
	case sheet != leaveSheet && sheet != leftSheet:
		return sheet, strings.TrimPrefix(sheet, "exit."), nil
	case v.recording():
		return sheet, whyStopped, nil
	default:
		return sheet, whyLeft, nil
	}
}

// skip is what is passed over on the way through the plan, as things stand.
func (v *visit) skip() []int { return v.m.o.Study.Skip(v.cur.plan, v.answers, v.again()...) }

// grant notes an answer about a scope; the latest holds.
func (v *visit) grant(c Consent) {
	v.language = c.Language
	before := func(s string) bool { return s == c.Scope }
	v.granted, v.refused = slices.DeleteFunc(v.granted, before), slices.DeleteFunc(v.refused, before)
	switch {
	case c.Scope == Notice:
	case c.Granted:
		v.granted = append(v.granted, c.Scope)
	default:
		v.refused = append(v.refused, c.Scope)
	}
	if c.Scope == Notice {
		return
	}
	v.tell(func(t *told) {
		t.granted, t.refused = slices.Clone(v.granted), slices.Clone(v.refused)
		t.textSHA256, t.language, t.simulated = c.TextSHA256, c.Language, c.How == Simulated
	})
}

// began notes a step that is on the screen. After the last that belongs to the
// recording, nobody is recorded any more.
func (v *visit) began(step int, at instant.Instant) {
	if sheet, ok := v.m.o.Study.Sheet(v.cur.plan.Steps[step].Sheet); ok && sheet.Kind == study.ReceiptSheet && !records(v.cur.plan, step) {
		v.rest() // all that was to be recorded has been shown
	}
	v.m.mu.Lock()
	v.cur.step = step
	v.cur.beganShowing(v.cur.plan.Steps[step])
	v.m.mu.Unlock()
	if v.cur.plan.Steps[step].Sheet == refusedSheet {
		return // that they did not agree is kept, and no more of them
	}
	_ = v.desk.keep(fmt.Sprintf("note step %d", step), func(ctx context.Context, rec Recorder) error {
		return rec.Reached(ctx, step, at)
	}) // a desk that is shut means that the session is being closed
}

// records tells whether a step of the plan, from one on, is more than a sheet.
func records(p study.Plan, from int) bool {
	return slices.ContainsFunc(p.Steps[min(from, len(p.Steps)):], func(s study.Step) bool { return s.Action != study.Fill })
}

// rest ends what is recorded of the participant: samples and the video.
func (v *visit) rest() {
	v.m.mu.Lock()
	v.m.rest(v.cur)
	v.m.mu.Unlock()
	v.m.endFilm(v.cur)
}

// answered keeps what the participant answered on a sheet, and says which way they go.
func (v *visit) answered(ctx context.Context, a Answer) (Ruling, error) {
	step := v.cur.plan.Steps[a.Step]
	a.Stimulus, a.Presentation, a.Wall = step.Stimulus, step.Presentation, time.Now()
	if !v.recording() {
		a.At = 0
	}
	switch a.Kind {
	case study.ConsentSheet, study.NoticeSheet:
		return v.consented(a)
	case study.LeaveSheet:
		return v.decided(ctx, a)
	}
	judged := v.m.o.Study.Judge(a.Sheet, a.Values)
	if judged.Exit == "" && a.Kind == study.ScreeningSheet {
		full, err := v.full(ctx, judged.Kept)
		if err != nil {
			return Ruling{}, err
		}
		if full != nil { // of who does not take part no more is kept than why
			judged = study.Judgement{Kept: study.Answers{full.Question: full.Band}, Exit: quotaSheet, Why: whyFull(full)}
		}
	}
	a.Values = judged.Kept
	if a.Kind != study.ExitSheet { // nothing is asked there: that the button was pressed is nobody's business
		if err := v.keep(a); err != nil {
			return Ruling{}, err
		}
	}
	maps.Copy(v.answers, a.Values)
	if a.Kind == study.ScreeningSheet && judged.Exit == "" {
		v.tell(func(t *told) { t.screened = true })
	}
	return v.rule(judged.Exit, judged.Why), nil
}

// overridden keeps what was overridden as the session was started.
func (v *visit) overridden() error {
	v.m.mu.Lock()
	overrides := slices.Clone(v.cur.overrides)
	v.m.mu.Unlock()
	if len(overrides) == 0 {
		return nil
	}
	return v.desk.keep("keep what was overridden", func(ctx context.Context, rec Recorder) error {
		return keepOverrides(ctx, rec, overrides, AtStart)
	})
}

// tell notes for the gate what the participant has said.
func (v *visit) tell(what func(*told)) {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	what(&v.cur.told)
}

func (v *visit) keep(a Answer) error {
	return v.desk.keep("keep the answers on "+a.Sheet, func(ctx context.Context, rec Recorder) error { return rec.Answer(ctx, a) })
}

// rule leads on, or to the exit, where nothing is recorded any more.
func (v *visit) rule(exit, why string) Ruling {
	switch {
	case exit != "":
	case v.way != nil:
		return Ruling{Skip: v.way}
	default:
		return Ruling{Skip: v.skip()}
	}
	v.rest()
	v.cur.why = why
	return Ruling{Skip: v.cur.plan.Except(exit)}
}

// consented keeps each answer about a scope, or that the notice was read, and gives out
// the code once there is something to withdraw.
func (v *visit) consented(a Answer) (Ruling, error) {
	sheet, _ := v.m.o.Study.Sheet(a.Sheet)
	values := a.Values
	if a.Declined {
		values = nil
	}
	c := Consent{TextSHA256: a.TextSHA256, Language: a.Language, Text: a.Text, At: a.At, How: a.How}
	if v.m.void(c) {
		values = nil
		c.How += ", void before a real camera"
	}
	var all []Consent
	if a.Kind == study.NoticeSheet {
		c.Scope, c.Granted = Notice, true
		all = append(all, c)
	}
	for _, f := range sheet.Fields {
		if f.Type != study.ScopeField {
			continue
		}
		c.Scope, c.Granted = f.ID, values[f.ID] == study.Yes
		all = append(all, c)
	}
	for _, c := range all {
		if err := v.desk.keep("keep the answer about "+c.Scope, func(ctx context.Context, rec Recorder) error { return rec.Consent(ctx, c) }); err != nil {
			return Ruling{}, err
		}
		v.grant(c)
		switch {
		case c.Scope != FaceVideo || !v.recording():
		case c.Granted:
			v.m.startFilm(v.cur, c.At)
		default:
			v.m.endFilm(v.cur)
		}
	}
	if a.Kind == study.NoticeSheet {
		return v.rule("", ""), nil
	}
	judged := v.m.o.Study.Judge(a.Sheet, values)
	if judged.Exit == "" {
		if err := v.giveCode(); err != nil {
			return Ruling{}, err
		}
		v.agreed()
	}
	return v.rule(judged.Exit, judged.Why), nil
}

// giveCode makes the code by which the participant may withdraw. Only its hash is kept:
// who continues a session gets another code.
func (v *visit) giveCode() error {
	if v.m.o.Codes == nil || v.code != "" {
		return nil
	}
	code, hash, err := v.m.o.Codes.New()
	if err != nil {
		return fmt.Errorf("make the withdrawal code: %w", err)
	}
	v.code = code
	return v.desk.keep("keep the hash of the withdrawal code", func(ctx context.Context, rec Recorder) error {
		return rec.Withdrawable(ctx, hash)
	})
}

// full is the cell of the quota that has no room for these answers; nil = there is room.
func (v *visit) full(ctx context.Context, kept study.Answers) (*study.Cell, error) {
	if len(v.m.o.Study.Quota.Cells) == 0 {
		return nil, nil
	}
	now, err := v.m.o.Archive.Cohort(ctx, v.m.o.Study.Quota)
	if err != nil {
		return nil, fmt.Errorf("look at the quota: %w", err)
	}
	for _, c := range now.Cells {
		have := c.Have
		for _, p := range now.People {
			// This session is open, and so counted already where it is known, from it or
			// from an earlier one, that they are in the cell.
			if p.Code == v.cur.participant && p.Bands[c.Question] == c.Band {
				have--
			}
		}
		if kept[c.Question] == c.Band && have >= c.Usable {
			return &c.Cell, nil
		}
	}
	return nil, nil
}

func whyFull(c *study.Cell) string { return "quota: " + c.Question + " " + c.Band }

// left leads who wants to stop: out, or to the question what is to become of the data.
// From here on nothing of them is recorded, as rest says.
func (v *visit) left(at instant.Instant) Ruling {
	if v.way != nil { // they were on the way already, and need not read on
		return v.rule(leaveSheet, v.cur.why)
	}
	if !v.recording() {
		return v.rule(leftSheet, whyLeft)
	}
	v.rest()
	if _, asks := v.m.o.Study.Sheet(leaveSheet); !asks {
		v.cur.stop(errors.New(whyStopped)) // a study made by hand has no such pages
		return Ruling{Skip: v.cur.plan.Except()}
	}
	return v.rule(leaveSheet, whyStopped)
}

// out leads whom the operator has stopped to where they are led who stop by themselves.
// Who was recorded reads before it what the study was about: they have not chosen the
// shortest way.
func (v *visit) out() Ruling {
	v.m.mu.Lock()
	why := v.cur.ended.Error()
	v.m.mu.Unlock()
	s := v.m.o.Study
	if _, asks := s.Sheet(leaveSheet); !asks || !v.recording() {
		return v.rule(leftSheet, why)
	}
	passed := v.skip()
	v.way = slices.DeleteFunc(v.rule(leaveSheet, why).Skip, func(step int) bool {
		sheet, _ := s.Sheet(v.cur.plan.Steps[step].Sheet)
		return sheet.Kind == study.DebriefSheet && !slices.Contains(passed, step)
	})
	return Ruling{Skip: v.way}
}

// decided does what who has stopped, or was stopped, wants of the data.
func (v *visit) decided(ctx context.Context, a Answer) (Ruling, error) {
	if a.Values[study.LeaveKey] != study.LeaveDelete {
		return v.rule(leftSheet, v.cur.why), nil
	}
	err := v.m.eraseNow(v.cur, v.desk)
	v.m.mu.Lock()
	v.cur.busy = "" // they read that it is done
	v.m.mu.Unlock()
	if err != nil {
		// Said to the operator; it is done at the next start at the latest.
		return v.rule(leftSheet, whyWithdrawn), nil
	}
	return v.rule(withdrawnSheet, whyWithdrawn), nil
}

// paused shows at the console that the participant pauses. Nobody is filmed meanwhile.
func (v *visit) paused(on bool, at instant.Instant) {
	v.m.mu.Lock()
	v.cur.paused = on
	filmed := v.cur.film.on
	v.m.mu.Unlock()
	switch {
	case !filmed:
	case on:
		v.m.o.Film.Pause(min(at, v.m.o.Clock.Now()))
	default:
		v.m.o.Film.Resume(at)
	}
}

// recording tells whether the recording has begun.
func (v *visit) recording() bool {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	return v.cur.state != Prepared
}
