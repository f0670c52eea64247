package study

import (
	"fmt"
	"slices"
	"strings"
)

const (
	// showFrom, compareFrom and rankFrom are the numbers of usable people from which
	// values of a group, comparisons and ranks can be trusted.
	showFrom, compareFrom, rankFrom = 10, 20, 30
	// videosOfABrand are needed before something is said about the brand, and not only
	// about its videos.
	videosOfABrand = 3
)

func (l *linter) analysis() {
	a := l.d.analysis
	if len(a.Primary) == 0 {
		l.note("analysis.primary", "no indicator is primary: whatever is found will count as exploratory. Name up to %d under analysis.primary, such as [NET, ARO]", maxPrimary)
	}
	for _, code := range a.Primary {
		if why := l.missing(code); why != "" {
			l.warn("analysis.primary", "%s is primary, but %s", code, why)
		}
	}
	for _, m := range []struct {
		key        string
		got, least int
		why        string
	}{
		{"show", a.Show, showFrom, "in a smaller group single people can be recognised"},
		{"compare", a.CompareN, compareFrom, "with fewer people a difference is hardly ever found, and often wrong"},
		{"rank", a.Rank, rankFrom, "with fewer people ranks are a matter of chance"},
	} {
		if m.got < m.least {
			l.warn("analysis.min_n."+m.key, "%s is %d; it should not be below %d: %s", m.key, m.got, m.least, m.why)
		}
	}
	if a.Show > a.CompareN || a.CompareN > a.Rank {
		l.warn("analysis.min_n", "min_n should grow from show (%d) over compare (%d) to rank (%d)", a.Show, a.CompareN, a.Rank)
	}
	l.comparison()
}

// missing says what the study does not have that an indicator is made of; "" for nothing.
func (l *linter) missing(code string) string {
	v := l.d.devices
	some := func(has func(listing) bool) bool { return slices.ContainsFunc(l.clips(), has) }
	rated := func(keys ...string) bool {
		return slices.ContainsFunc(l.d.scales, func(s scale) bool { return slices.Contains(keys, string(s.kind)) })
	}
	switch code {
	case "BRAND":
		if !some(func(s listing) bool { return s.aois != "" || s.moments != nil }) {
			return "no stimulus says where or when its brand is to be seen. Add brand_moments or aois to the stimuli"
		}
	case "SAY":
		if l.d.scales == nil {
			return "nothing is rated. Add scales, and  rate  to the trial"
		}
	case "AGREE":
		if !rated(string(SAM), string(AffectGrid)) {
			return "valence and arousal are not rated. Add a scale of type sam or affect_grid"
		}
	case "NET", "PEAK", "END", "REACH":
		if !v.NeedsCamera {
			return "the camera is not required: sessions without a face would count. Add  camera: {required: true}  under devices"
		}
	case "ARO", "SYNC":
		if !v.NeedsEDA {
			return "skin conductance is not required: sessions without it would count. Add  eda: {required: true}  under devices"
		}
	case "ATT", "CAP", "FOCUS":
		if !v.NeedsGaze {
			return "the gaze is not required: sessions without it would count. Add  gaze: {required: true}  under devices"
		}
	}
	return ""
}

func (l *linter) comparison() {
	clips := l.clips()
	switch l.d.analysis.Compare {
	case "brand":
		count := map[string]int{}
		var none []string
		for _, s := range clips {
			if s.brand == "" {
				none = append(none, s.id)
				continue
			}
			count[s.brand]++
		}
		switch {
		case len(count) == 0 && l.d.lines["analysis.compare"] == 0: // not asked for
		case len(count) < 2:
			l.warn("analysis.compare", "brands are to be compared, but the stimuli have %s. Give each its brand, or compare: stimulus", counted(len(count), "brand"))
		case len(none) > 0:
			l.warn("analysis.compare", "brands are to be compared, but %s without one", strings.Join(none, ", ")+isAre(len(none)))
		}
		few := slices.DeleteFunc(sortedKeys(count), func(b string) bool { return count[b] >= videosOfABrand })
		if len(count) > 1 && len(few) > 0 {
			l.note("analysis.compare", "%s fewer than %d videos: what is found holds for the videos, not for the brand", strings.Join(few, ", ")+hasHave(len(few)), videosOfABrand)
		}
	case "tag":
		if !slices.ContainsFunc(clips, func(s listing) bool { return s.tags != nil }) {
			l.warn("analysis.compare", "tags are to be compared, but no stimulus has one")
		}
	}
}

func counted(n int, thing string) string {
	switch n {
	case 0:
		return "no " + thing
	case 1:
		return "only one " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func isAre(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

func hasHave(n int) string {
	if n == 1 {
		return " has"
	}
	return " have"
}
