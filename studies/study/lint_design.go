package study

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"emolab/studies/study/order"
)

const (
	// mostClips is after how many a participant tires of short videos.
	mostClips = 12
	// longestSession is after how long attention wanes and fingers dry up.
	longestSession = 45 * time.Minute
	// pageTime, ratingTime and calibrationTime are what reading a page, rating, and
	// a calibration take, roughly.
	pageTime, ratingTime, calibrationTime = 30 * time.Second, 10 * time.Second, time.Minute
	// responseTime is for how long skin conductance still responds to a clip's end.
	responseTime = 4 * time.Second
	// coarseGaze is a gaze error from which only parts of the screen can be told apart.
	coarseGaze = 2. // degrees
	// slowestGaze and slowestEDA are rates below which looks, and responses, are missed.
	slowestGaze, slowestEDA = 30., 4. // Hz
)

func (l *linter) devices() {
	v := l.d.devices
	if !v.NeedsCamera && !v.NeedsGaze && !v.NeedsEDA {
		l.note("devices", "no device is required: every session that was shown to its end counts as usable, whatever was measured. Say  required: true  for what the study depends on")
	}
	has := func(a Action) bool {
		return slices.ContainsFunc(l.plan.Steps, func(s Step) bool { return s.Action == a })
	}
	if v.NeedsGaze && !has(Calibrate) {
		l.warn("devices.gaze", "the gaze is required, but the flow has no calibrate: without it nobody knows where the eyes look. Add  - calibrate  before the first block")
	}
	if v.NeedsEDA && !has(Breath) && !slices.ContainsFunc(l.plan.Steps, func(s Step) bool { return s.Action == Fixation && s.Stimulus == "" }) {
		l.warn("devices.eda", "skin conductance is required, but the flow has neither a baseline nor a breath: there is nothing to compare with, and nobody sees whether it responds at all. Add  - baseline  before the first block")
	}
	if v.NeedsCamera && !has(Neutral) {
		l.warn("devices.camera", "the camera is required, but the flow has no baseline with neutral_face: expressions cannot be compared with the person's own face at rest")
	}
	if g := l.d.gaze; g.AcceptDeg > coarseGaze {
		l.warn("devices.gaze.accept_deg", "a gaze that is off by %v degrees is accepted: at 60 cm that is %.0f cm on the screen, more than most areas of interest", g.AcceptDeg, g.AcceptDeg*1.05)
	}
	if v.NeedsGaze && v.GazeMinHz > 0 && v.GazeMinHz < slowestGaze {
		l.note("devices.gaze.min_hz", "at %v Hz short looks are missed; 30 Hz and more are usual", v.GazeMinHz)
	}
	if v.NeedsEDA && v.EDAMinHz > 0 && v.EDAMinHz < slowestEDA {
		l.note("devices.eda.min_hz", "at %v Hz the rise of a skin conductance response is missed; 4 Hz and more are usual", v.EDAMinHz)
	}
}

func (l *linter) thresholds() {
	r := l.d.rules
	if r.Reshow > r.UsableShare {
		l.warn("thresholds.reshow_if_below", "a stimulus is shown again below %v of usable time, but counts as usable only from %v: swap the two", r.Reshow, r.UsableShare)
	}
	if r.UsableShare < .5 {
		l.warn("thresholds.usable_seconds", "a stimulus counts although up to %.0f %% of its time was lost", 100*(1-r.UsableShare))
	}
	if n := len(l.clips()); r.MaxUnusable >= n {
		l.warn("thresholds.max_unusable", "%d stimuli of %d may be unusable, so every session is usable", r.MaxUnusable, n)
	}
}

// clips are the stimuli that are analysed.
func (l *linter) clips() []listing {
	return slices.DeleteFunc(slices.Clone(l.d.stimuli), func(s listing) bool { return s.filler || !l.over(s.id) })
}

// over tells whether some block puts a stimulus in order.
func (l *linter) over(id string) bool {
	return slices.ContainsFunc(l.s.Blocks(), func(b BlockPart) bool { return slices.Contains(b.Over, id) })
}

func (l *linter) stimuli() {
	for i, s := range l.d.stimuli {
		at := fmt.Sprintf("stimuli.list[%d]", i+1)
		inserted := slices.ContainsFunc(l.s.Blocks(), func(b BlockPart) bool { return b.Filler == s.id })
		switch {
		case inserted && !s.filler:
			l.warn(at, "%s is inserted between the others as a filler, but its role does not say so. Add  role: filler", s.id)
		case s.filler && !inserted:
			l.warn(at, "%s is a filler, but no block inserts it: it is never shown. Add  insert: {filler: %s, every: 2}  to a block", s.id, s.id)
		case !s.filler && !l.over(s.id):
			l.warn(at, "%s is never shown: it stands in no block's order.over", s.id)
		}
		for _, other := range l.s.Stimuli[:min(i, len(l.s.Stimuli))] {
			if other.SHA256 == l.s.Stimuli[i].SHA256 {
				l.warn(at, "%s and %s are the same video", other.ID, s.id)
				break
			}
		}
	}
}

func (l *linter) scales() {
	used := map[string]bool{}
	for _, b := range l.s.Blocks() {
		for _, t := range b.Trial {
			for _, sheet := range t.Sheets {
				used[strings.TrimPrefix(sheet, ratePrefix)] = true
			}
		}
	}
	for _, s := range l.d.scales {
		if !used[s.id] {
			l.warn("scales."+s.id, "the scale %q is never used: no trial rates with it. Add  rate: [%s]  to a trial, or take it out", s.id, s.id)
		}
	}
}

func (l *linter) flow() {
	conflicts := l.conflicts()
	block := false
	calibrated := false
	_ = l.d.walk(l.d.flow, "flow", func(p Part, at string) error {
		switch {
		case p.Block != nil:
			block = true
			l.block(*p.Block, at+".block")
		case p.Baseline != nil && block:
			l.warn(at, "the baseline comes after a block: what the videos have left behind is then taken for rest. Put it before the first block")
		case p.Action == Calibrate && block && !calibrated:
			l.warn(at, "the eye tracker is calibrated only after a block, which is then without a usable gaze. Put it before the first block")
		case p.Action == Validate && !calibrated:
			l.warn(at, "the gaze is validated, but it has not been calibrated before: there is nothing to validate")
		}
		calibrated = calibrated || p.Action == Calibrate
		return nil
	})
	for _, id := range sortedKeys(conflicts) {
		l.warn("flow", "%s is shown in several blocks (%s): who sees it again reacts less, and that cannot be told from the effect of the block", id, conflicts[id])
	}
	largest := 0
	for _, b := range l.s.Blocks() {
		largest = max(largest, order.Rows(b.method(), len(b.Over)))
	}
	if rows := l.s.Rows(); len(l.s.Blocks()) > 1 && rows > 0 && rows == largest {
		for _, b := range l.s.Blocks() {
			if r := order.Rows(b.method(), len(b.Over)); r > 0 && rows%r != 0 {
				l.warn("flow", "the orders of the blocks have no number of people in common below %d: the block %q is not balanced", maxRows, b.Name)
			}
		}
	}
}

// conflicts are the stimuli that several blocks show, with the blocks' names.
func (l *linter) conflicts() map[string]string {
	in := map[string][]string{}
	for _, b := range l.s.Blocks() {
		for _, id := range b.Over {
			in[id] = append(in[id], b.Name)
		}
	}
	several := map[string]string{}
	for id, blocks := range in {
		if len(blocks) > 1 {
			several[id] = strings.Join(blocks, ", ")
		}
	}
	return several
}

func (l *linter) block(b BlockPart, at string) {
	n := len(b.Over)
	if b.Filler != "" && b.Every >= n*max(b.Repeats, 1) {
		l.warn(at+".insert", "a filler comes after every %d stimuli, but there are only %d: it is never shown", b.Every, n*max(b.Repeats, 1))
	}
	if b.method() == order.Fixed && n > 1 {
		l.warn(at+".order", "everybody sees the %d stimuli of %q in the same order, so that what comes late always meets a tired audience. Use random, or williams", n, b.Name)
	}
	if b.method() == order.Williams {
		l.neighbours(b, at)
	}
	if b.Repeats > 1 {
		l.note(at+".repeat", "each stimulus is shown %d times: second reactions are weaker than first ones", b.Repeats)
	}
	if l.d.devices.NeedsEDA && b.quiet() < responseTime {
		l.quiet(b, at)
	}
	if i := slices.IndexFunc(b.Trial, func(t TrialPart) bool { return t.Skippable }); i >= 0 && !slices.Contains(l.d.analysis.Primary, "RET") {
		l.note(fmt.Sprintf("%s.trial[%d]", at, i+1), "stimuli may be swiped away, but RET, which says when that happens, is not among the primary indicators: it will count as exploratory")
	}
}

// quiet says that a stimulus comes too soon after the one before.
func (l *linter) quiet(b BlockPart, at string) {
	between := "nothing lies"
	if b.quiet() > 0 {
		between = fmt.Sprintf("only %s lie", b.quiet())
	}
	between += " between the end of one stimulus and the next"
	if slices.ContainsFunc(b.Trial, func(t TrialPart) bool { return t.Action == Fill }) {
		between += " for certain, besides the pages of ratings, which some answer at once"
	}
	mend := "Add  rest: 4s  or more"
	if i := slices.IndexFunc(b.Trial, func(t TrialPart) bool { return t.Action == Rest }); i >= 0 {
		mend = fmt.Sprintf("Make the rest, now %s, %s or more", b.Trial[i].Duration, b.Trial[i].Duration+responseTime-b.quiet())
	}
	l.warn(at+".trial", "skin conductance is required, but %s: it responds for up to 5 seconds, and those responses would count for the next one. %s", between, mend)
}

// quiet is for how long nothing is shown between two stimuli.
func (b BlockPart) quiet() time.Duration {
	var d time.Duration
	for _, t := range b.Trial {
		d += t.Duration
	}
	return d
}

// neighbours says that a Williams square cannot keep stimuli of one brand apart.
func (l *linter) neighbours(b BlockPart, at string) {
	count := map[string]int{}
	same := 0
	for _, id := range b.Over {
		m, _ := l.s.Stimulus(id)
		if m.Brand != "" {
			same += 2 * count[m.Brand]
			count[m.Brand]++
		}
	}
	if n := len(b.Over); same > 0 {
		l.note(at+".order", "in a Williams square each stimulus follows each other one equally often, so two of one brand follow each other too: %d of %d neighbours. That is balanced, and cannot be avoided", same, n*(n-1))
	}
}

func (l *linter) length() {
	clips, long := 0, l.plan.Duration()
	for _, s := range l.plan.Steps {
		switch {
		case s.Aside || s.Again || s.If != "":
			continue
		case s.Action == Fill && s.Stimulus != "":
			long += ratingTime
		case s.Action == Fill:
			long += pageTime
		case s.Action == Calibrate, s.Action == Validate, s.Action == Breath, s.Action == Camera:
			long += calibrationTime
		case s.Action == Play && !s.Filler:
			clips++
		}
	}
	if clips > mostClips {
		l.warn("flow", "%d stimuli are shown to one person; beyond %d, people tire and react less. Show each person a part of them", clips, mostClips)
	}
	if long > longestSession {
		l.warn("flow", "a session takes about %d minutes; beyond %d, attention wanes. Shorten it, or split it in two", int(long.Minutes()), int(longestSession.Minutes()))
	}
}
