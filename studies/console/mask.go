package console

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"emolab/studies/access"
	"emolab/studies/session"
)

// tellsEmotion tells whether a channel says something of an emotion, and is kept from a
// blind console. The level of skin conductance stays: whether the electrodes sit well is
// seen by it.
func tellsEmotion(channel string) bool {
	return strings.HasPrefix(channel, "p_") || slices.Contains([]string{"valence", "arousal", "scr_onset"}, channel)
}

// masked is a status in which no clip has a name: "clip 3" is the third of the plan,
// "block 2" its second block and "page 1" the first sheet within one. It is what everybody
// at a console is told while it is blind, so that nothing on the page, in its memory or on
// the wire names the brand that is shown. names are what the study goes by besides.
func masked(s session.Status, names []string) session.Status {
	if !s.Blind {
		return s
	}
	var clips, blocks, pages []string
	alias := func(names *[]string, what, name string) string {
		if name == "" {
			return ""
		}
		i := slices.Index(*names, name)
		if i < 0 {
			i = len(*names)
			*names = append(*names, name)
		}
		return fmt.Sprintf("%s %d", what, i+1)
	}
	s.Plan.Steps = slices.Clone(s.Plan.Steps)
	for i := range s.Plan.Steps {
		step := &s.Plan.Steps[i]
		if step.Block != "" || step.Stimulus != "" {
			step.Sheet = alias(&pages, "page", step.Sheet)
		}
		step.Stimulus = alias(&clips, "clip", step.Stimulus)
		step.Block = alias(&blocks, "block", step.Block)
		step.If = ""
	}
	s.Usable = slices.Clone(s.Usable)
	for i := range s.Usable {
		s.Usable[i].Stimulus = alias(&clips, "clip", s.Usable[i].Stimulus)
	}
	words := hide(clips, names)
	s.Busy = words(s.Busy)
	s.Marks = slices.Clone(s.Marks)
	for i := range s.Marks {
		m := &s.Marks[i]
		if m.Text = words(m.Text); m.Kind == session.External {
			m.Text = hidden // the program that says it may be the one that shows the brand
		}
	}
	s.Alarms = slices.Clone(s.Alarms)
	for i := range s.Alarms {
		s.Alarms[i].Text, s.Alarms[i].Advice = words(s.Alarms[i].Text), words(s.Alarms[i].Advice)
	}
	s.Readiness = maskedChecks(s.Readiness, words)
	s.Recovered = maskedSummaries(s.Recovered, words)
	if s.LastOutcome != nil {
		last := *s.LastOutcome
		last.Reason, last.Error = words(last.Reason), words(last.Error)
		s.LastOutcome = &last
	}
	return s
}

// maskedSummaries are sessions whose words name no clip.
func maskedSummaries(all []session.Summary, words func(string) string) []session.Summary {
	all = slices.Clone(all)
	for i := range all {
		all[i].Reason, all[i].UsableWhy = words(all[i].Reason), words(all[i].UsableWhy)
	}
	return all
}

func maskedChecks(all []session.Readiness, words func(string) string) []session.Readiness {
	all = slices.Clone(all)
	for i := range all {
		all[i].Text, all[i].Advice = words(all[i].Text), words(all[i].Advice)
	}
	return all
}

// maskedCohort has no counts by clip and by brand, which tell by their growth what was
// shown, and names no clip.
func maskedCohort(c session.Cohort, words func(string) string) session.Cohort {
	c.Videos, c.Brands = []session.Tally{}, []session.Tally{}
	c.People = slices.Clone(c.People)
	for i := range c.People {
		of := slices.Clone(c.People[i].Sessions)
		for k := range of {
			of[k].Why = words(of[k].Why)
		}
		c.People[i].Sessions = of
	}
	return c
}

// hidden stands where a name was that has no number.
const hidden = "(hidden)"

// hide returns what puts the number of a clip where a text has its name, and nothing but
// that something is hidden where it has another name of the study's, in capitals or not.
func hide(clips, names []string) func(string) string {
	known := slices.DeleteFunc(slices.Concat(clips, names), func(name string) bool { return strings.TrimSpace(name) == "" })
	if len(known) == 0 {
		return func(text string) string { return text }
	}
	// The longest first, so that "dior-2" is not hidden as "dior".
	slices.SortStableFunc(known, func(a, b string) int { return len(b) - len(a) })
	for i, name := range known {
		if known[i] = regexp.QuoteMeta(name); utf8.RuneCountInString(name) < 3 {
			known[i] = `(?-i:` + known[i] + `)\b` // or each word would be hidden that begins so
		}
	}
	// A name begins a word; how that goes on does not matter: "dior_2.mp4", "Dior's".
	pattern := regexp.MustCompile(`(?i)(^|[^\pL\pN])(` + strings.Join(known, "|") + `)`)
	return func(text string) string {
		return pattern.ReplaceAllStringFunc(text, func(found string) string {
			of := pattern.FindStringSubmatch(found)
			i := slices.IndexFunc(clips, func(clip string) bool { return strings.EqualFold(clip, of[2]) })
			if i < 0 {
				return of[1] + hidden
			}
			return fmt.Sprintf("%sclip %d", of[1], i+1)
		})
	}
}

// unnamed is a text that a blind console may be told.
func (c *Console) unnamed(text string) string {
	if !c.operator.Blinded() {
		return text
	}
	return c.words()(text)
}

// words hides what names the clips of the session that runs, and whatever else the study
// goes by.
func (c *Console) words() func(string) string {
	var clips []string
	for _, step := range c.operator.Status().Plan.Steps {
		if step.Stimulus != "" && !slices.Contains(clips, step.Stimulus) {
			clips = append(clips, step.Stimulus)
		}
	}
	return hide(clips, c.hidden)
}

// mayNotSee tells why somebody is not shown what was recorded; "" = they are. Whoever runs
// the sessions of a study that asks for blindness would carry what they learn there to the
// next participant; and a blind console that could look there were none.
func (c *Console) mayNotSee(who access.Holder) string {
	switch {
	case who.Role == access.Operator && c.operator.Status().BlindByStudy:
		return "this study keeps whoever runs its sessions blind to what they show: ask an analyst or the admin"
	case who.Role.May(access.Operate) && c.operator.Blinded():
		return "the console is blind: what was recorded is hidden too. Show it again for a reason first, or work with an analyst's address"
	}
	return ""
}

// clips serves the stimuli: to the participant's screen always, to a console unless it is
// blind.
func (c *Console) clips(w http.ResponseWriter, r *http.Request) {
	if access.Who(r.Context()).Role != "" && c.operator.Blinded() {
		writeError(w, http.StatusForbidden, "the console is blind: which clip is shown is hidden")
		return
	}
	c.stage.ServeHTTP(w, r)
}
