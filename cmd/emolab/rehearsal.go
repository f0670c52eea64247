package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// rehearsal sends simulated people through a study, one after the other.
type rehearsal struct {
	a      *app
	study  *study.Study
	rig    *rig
	people []script.Person
	unplug []cablePull
	search *screening
	now    atomic.Pointer[visitor] // who is on the way
	notes  []string                // what this study or this lab does not let anybody do

	running *appliance // set once it is assembled
	best    map[string]float64
	met     map[string]bool // sheets that somebody came to
	began   time.Time
	told    *teller
}

// newRehearsal prepares one. An error means that the study's screening cannot be read.
func newRehearsal(a *app, st *study.Study, r *rig, people []script.Person, unplug []cablePull) (*rehearsal, error) {
	search, err := newScreening(st)
	if err != nil {
		return nil, err
	}
	out := &rehearsal{
		a: a, study: st, rig: r, people: people, unplug: unplug, search: search,
		best: map[string]float64{}, met: map[string]bool{}, began: time.Now(), told: newTeller(a.err),
	}
	out.fit()
	return out, nil
}

// fit gives people another fault, or none, where the study or the lab does not let them
// have theirs.
func (r *rehearsal) fit() {
	for i := range r.people {
		p := &r.people[i]
		switch p.Fault {
		case script.ScreenedOut:
			if _, _, err := r.search.failing(p.Chance("screening", 0)); err != nil {
				p.Fault = script.Declines
				r.notes = append(r.notes, fmt.Sprintf("The study turns nobody away: person %d declines to consent instead of being screened out.", p.Number))
			}
		case script.DeviceDies:
			if _, link := r.mortal(); link == nil {
				p.Fault = script.NoFault
				r.notes = append(r.notes, fmt.Sprintf("This lab has no sensor that could die in the session of person %d.", p.Number))
			}
		}
	}
}

// conduct is what whoever is on the way does in a step that begins.
func (r *rehearsal) conduct(step study.Step) session.Conduct {
	if v := r.now.Load(); v != nil {
		return v.conduct(step)
	}
	return session.Conduct{}
}

// visit is what became of one person.
type visit struct {
	Participant string        `json:"participant"`
	Session     string        `json:"session"`
	Language    string        `json:"language"`
	Row         int           `json:"row"`
	Did         string        `json:"did"`
	Expected    string        `json:"expected"`
	Happened    string        `json:"happened"`
	AsExpected  bool          `json:"as_expected"`
	Usable      *bool         `json:"usable"` // null: not judged
	Why         string        `json:"why,omitempty"`
	FaceFrames  int64         `json:"face_frames_kept"`
	Minutes     float64       `json:"minutes"`
	Wrong       []string      `json:"wrong,omitempty"` // what is not as it should be, besides
	Person      script.Person `json:"person"`

	recorded recording // of a session that can be scored
	lost     float64   // share of the camera's frames
}

// Whether a session is to be usable: it is, it is not, or nobody asks.
type usability int

const (
	either usability = iota
	usable
	unusable
)

// expected is how a session should end.
type expected struct {
	state  session.State
	reason string // the beginning of it; "" = any
	usable usability
}

// String is the expectation in a few words.
func (e expected) String() string {
	return ending(e.state, e.reason, map[usability]string{usable: ", usable", unusable: ", not usable"}[e.usable])
}

// ending says how a session ended.
func ending(state session.State, reason, use string) string {
	if state == session.Declined && reason != "" {
		return fmt.Sprintf("%s (%s)", state, reason)
	}
	return string(state) + use
}

// expects is how the session of a person should end. turned says why the screening
// turns them away, dead which kind of sensor will die; both "" = none.
func (r *rehearsal) expects(p script.Person, turned string, dead stream.Kind) expected {
	switch {
	case p.Fault == script.Declines:
		return expected{state: session.Declined, reason: "consent"}
	case turned != "":
		return expected{state: session.Declined, reason: turned}
	case p.Fault == script.DropsOut:
		return expected{state: session.Sealed, usable: unusable}
	case p.Fault == script.Deletes, p.Fault == script.Withdraws:
		return expected{state: session.Withdrawn}
	case p.Fault == script.DeviceDies && r.needs(dead):
		return expected{state: session.Sealed, usable: unusable}
	case len(r.people) == 1:
		// Whoever runs a single session may disturb it until it is of no use.
		return expected{state: session.Sealed}
	}
	return expected{state: session.Sealed, usable: usable}
}

// needs tells whether a session is of no use without that kind of sensor.
func (r *rehearsal) needs(kind stream.Kind) bool {
	shown := 0
	for _, step := range r.study.Plan(0).Steps {
		if step.Action == study.Play && !step.Filler && !step.Again {
			shown++
		}
	}
	rules := r.study.Rules
	needs := map[stream.Kind]bool{stream.EDA: rules.NeedsEDA, stream.Gaze: rules.NeedsGaze, stream.Face: rules.NeedsFace}
	return needs[kind] && shown > rules.MaxUnusable
}

// mortal is the sensor that dies in the session of somebody whose fault that is: one
// that the study needs, if there is one. nil = this lab has none.
func (r *rehearsal) mortal() (kind stream.Kind, link cable) {
	for _, s := range r.rig.sources {
		info := s.Info()[0]
		c := r.rig.cables[info.ID]
		if c != nil && (link == nil || !r.needs(kind) && r.needs(info.Kind)) {
			kind, link = info.Kind, c
		}
	}
	return kind, link
}

// betweenStarts is the least time from one session's start to the next: two within two
// seconds are taken for a slip of the hand, and who is screened out may be gone by then.
const betweenStarts = 2100 * time.Millisecond

// run sends everybody through, and tells what became of them. That somebody's session
// did not end as it should is no error. With an error come the visits of those before.
func (r *rehearsal) run(ctx context.Context) ([]visit, error) {
	var visits []visit
	settle := settleTime
	for i, p := range r.people {
		if err := waitReady(ctx, r.running.manager, settle); err != nil {
			return visits, r.of(i, err)
		}
		settle = 0 // the clocks are known
		if p.Fault == script.DeviceDies {
			settle = settleTime // but for that of the device, afterwards
		}
		soonest := time.After(betweenStarts)
		v, err := r.visit(ctx, i, p)
		if err != nil {
			return visits, r.of(i, err)
		}
		visits = append(visits, v)
		r.tell(i, v)
		select {
		case <-soonest:
		case <-ctx.Done():
			return visits, ctx.Err()
		}
	}
	return visits, nil
}

// of says of whom an error is, where there are several.
func (r *rehearsal) of(i int, err error) error {
	if len(r.people) == 1 {
		return err
	}
	return fmt.Errorf("person %d of %d: %w", i+1, len(r.people), err)
}

// tell says on standard error what became of a person, where there are several.
func (r *rehearsal) tell(i int, v visit) {
	if len(r.people) == 1 {
		return
	}
	mark := "as it should be"
	if !v.AsExpected {
		mark = "NOT as it should be"
	}
	fmt.Fprintf(r.a.err, "%d of %d: %s (%s) %s: %s, %s; %s\n", i+1, len(r.people), v.Participant, v.Language, v.Did, v.Happened, mark, r.rest(i+1))
}

// rest estimates how long those will take who have not come yet.
func (r *rehearsal) rest(done int) string {
	left := len(r.people) - done
	if left == 0 {
		return "that was the last"
	}
	each := time.Since(r.began) / time.Duration(done)
	return fmt.Sprintf("about %s left", (time.Duration(left) * each).Round(time.Second))
}

// visit sends one person through the study.
func (r *rehearsal) visit(ctx context.Context, i int, p script.Person) (visit, error) {
	m := r.running.manager
	cohort, err := m.Cohort(ctx)
	if err != nil {
		return visit{}, err
	}
	out := visit{Participant: fmt.Sprintf("DEMO%02d", i+1), Person: p}
	screened, turned, err := answersFor(r.search, p, func(question, band string) bool { return full(cohort, question, band) })
	if err != nil {
		// It is a finding, and the rehearsal goes on with what there is: nobody will get
		// past the screening.
		out.Wrong = append(out.Wrong, err.Error())
		screened, turned = r.search.any(p), "screening"
	}
	kind, link := r.mortal()
	dies := p.Fault == script.DeviceDies && link != nil
	if !dies {
		kind = ""
	}
	want := r.expects(p, turned, kind)
	out.Expected = want.String()

	r.rig.seat(p)
	v := newVisitor(p, r.study, screened, r.rig.truth, instant.Monotonic{}, plays(r.study.Plan(0)))
	if dies {
		v.die = link.Unplug
	}
	r.now.Store(v)
	defer r.now.Store(nil)
	tapped := tap(r.running.lab.Bus())
	started := time.Now()
	id, err := m.Start(ctx, session.Request{Participant: out.Participant, Again: session.NewRun, Override: without(m.Status())})
	if err != nil {
		tapped()
		return out, err
	}
	out.Session, out.Row, out.Language = id, m.Status().Plan.Row, v.language()
	ended, err := r.follow(ctx, i, v)
	live := tapped()
	out.Minutes = time.Since(started).Minutes()
	if dies {
		err = errors.Join(err, v.died, link.Plug()) // somebody mends it before the next one comes
	}
	if err != nil {
		return out, err
	}
	out.Did = v.did()
	if dies {
		out.Did += fmt.Sprintf(" (%s)", kind)
	}
	maps.Copy(r.met, v.met)
	return out, r.settle(ctx, &out, v, want, ended, live)
}

// without is why a session is rehearsed although the study needs a device that this lab
// does not have; "" where it has all.
func without(s session.Status) string {
	var lacks []string
	for _, c := range lacking(s) {
		if notHere(s, c) {
			lacks = append(lacks, strings.ToLower(c.Label))
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return "a rehearsal without " + strings.Join(lacks, " and ")
}

// settle notes how a session ended, and holds it against what was expected.
func (r *rehearsal) settle(ctx context.Context, out *visit, v *visitor, want expected, ended session.Outcome, live map[string][]script.Stamped) error {
	if ended.Error != "" {
		out.Wrong = append(out.Wrong, ended.Error)
	}
	complete := ended.State == session.Sealed && ended.Reason == ""
	if ended.State == session.Sealed {
		if err := r.look(ctx, out, v); err != nil {
			return err
		}
	}
	if complete && v.person.Fault == script.Withdraws {
		if _, err := r.running.manager.Withdraw(ctx, ended.SessionID); err != nil {
			out.Wrong = append(out.Wrong, "could not be withdrawn: "+err.Error())
		} else {
			ended.State, out.FaceFrames, complete = session.Withdrawn, 0, false
			out.Usable, out.Why = nil, ""
		}
	}
	if ended.State == session.Withdrawn {
		r.gone(ctx, out, ended.SessionID)
	}
	if complete {
		out.recorded = recording{ended.SessionID, live}
	}
	use := ""
	if out.Usable != nil {
		use = map[bool]string{true: ", usable", false: ", not usable"}[*out.Usable]
	}
	out.Happened = ending(ended.State, ended.Reason, use)
	out.AsExpected = ended.State == want.state && strings.HasPrefix(ended.Reason, want.reason) && want.usable.agrees(out.Usable) && len(out.Wrong) == 0
	if ended.State != session.Sealed && out.Why == "" {
		out.Why = ended.Reason
	}
	return nil
}

// agrees tells whether a session was judged as expected.
func (u usability) agrees(judged *bool) bool {
	return u == either || judged != nil && *judged == (u == usable)
}

// look reads back what was kept of a sealed session.
func (r *rehearsal) look(ctx context.Context, out *visit, v *visitor) error {
	d, err := r.running.store.Session(ctx, out.Session)
	if err != nil {
		return err
	}
	for _, file := range d.Videos {
		out.FaceFrames += file.Frames
	}
	out.lost = lostFrames(d)
	allowed := v.allowed(session.FaceVideo)
	switch {
	case !allowed && out.FaceFrames > 0:
		out.Wrong = append(out.Wrong, fmt.Sprintf("%d frames of the face were kept without consent", out.FaceFrames))
	case allowed && out.FaceFrames == 0:
		out.Wrong = append(out.Wrong, "no frame of the face was kept, although it was allowed")
	}
	cohort, err := r.running.manager.Cohort(ctx)
	if err != nil {
		return err
	}
	for _, p := range cohort.People {
		for _, s := range p.Sessions {
			if s.Session == out.Session {
				out.Usable, out.Why = s.Usable, s.Why
			}
		}
	}
	return r.compare(ctx, out, v)
}

// lostFrames is the share of the frames of a session's cameras that were lost.
func lostFrames(d store.Detail) float64 {
	var kept, lost int64
	for _, seg := range d.Segments {
		for _, t := range seg.Streams {
			if t.Kind == stream.Face {
				kept, lost = kept+t.Rows, lost+t.Statement.Lost
			}
		}
	}
	if lost == 0 {
		return 0
	}
	return float64(lost) / float64(kept+lost)
}

// gone makes sure that nothing is left of a session that was withdrawn.
func (r *rehearsal) gone(ctx context.Context, out *visit, id string) {
	all, err := r.running.manager.Sessions(ctx)
	if err != nil || slices.ContainsFunc(all, func(s session.Summary) bool { return s.ID == id }) {
		out.Wrong = append(out.Wrong, cmp.Or(errorText(err), "the session is still in the list"))
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// full tells whether a cell of the quota has no room left.
func full(c session.Cohort, question, band string) bool {
	return slices.ContainsFunc(c.Cells, func(n session.CellNow) bool {
		return n.Question == question && n.Band == band && n.Have >= n.Usable
	})
}

// plays counts the stimuli that a plan shows, unless something is shown again.
func plays(p study.Plan) int {
	n := 0
	for _, s := range p.Steps {
		if s.Action == study.Play && !s.Again {
			n++
		}
	}
	return n
}

// follow shows how far a person's session is until it has ended, and pulls cables
// meanwhile.
func (r *rehearsal) follow(ctx context.Context, i int, v *visitor) (session.Outcome, error) {
	m := r.running.manager
	progress := newBar(r.a.err, 1, "recording")
	defer progress.finish()
	pulls, stopPulls := context.WithCancel(ctx)
	var cables errgroup.Group
	defer stopPulls()
	ended := make(chan struct{})
	var out session.Outcome
	var err error
	go func() {
		defer close(ended)
		out, err = m.Wait(ctx)
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for pulled := false; ; {
		select {
		case <-ended:
			stopPulls()
			return out, errors.Join(err, cables.Wait())
		case <-tick.C:
			s := m.Status()
			if s.State == session.Recording && !pulled {
				pulled = true
				r.told.say(time.Now(), recordingBegins)
				for _, p := range r.unplug {
					cables.Go(func() error { return r.rig.pull(pulls, p) })
				}
			}
			r.note(s)
			total := int(s.Plan.Duration() / time.Second)
			doing := r.doing(i, v, s)
			progress.set(min(int(s.ElapsedMs/1000), total), total, doing)
			r.told.tell(time.Now(), doing)
		}
	}
}

// doing says what goes on just now: "person 3 of 12, fr, drops out: play silk, about
// 9m0s left".
func (r *rehearsal) doing(i int, v *visitor, s session.Status) string {
	doing := s.Busy
	if doing == "" && s.Step >= 0 && s.Step < len(s.Plan.Steps) {
		step := s.Plan.Steps[s.Step]
		doing = strings.TrimSpace(fmt.Sprintf("%s %s", step.Action, cmp.Or(step.Sheet, step.Stimulus)))
	}
	if len(r.people) == 1 {
		return doing
	}
	words := fmt.Sprintf("person %d of %d, %s, %s: %s", i+1, len(r.people), v.language(), v.did(), doing)
	if i > 0 {
		words += ", " + r.rest(i)
	}
	return words
}

// note remembers the best rate of each device.
func (r *rehearsal) note(s session.Status) {
	for _, h := range s.Streams {
		r.best[h.Info.ID] = max(r.best[h.Info.ID], h.Rate)
	}
}
