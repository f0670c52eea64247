package outlook

import (
	"fmt"
	"math"

	"emolab/studies/power"
	"emolab/studies/study/order"
)

// Words says the outlook in sentences, a line each: time, balance, power.
func (o Outlook) Words() []string {
	all := o.Length.words(o.Days, len(o.People))
	for _, e := range o.Blocks {
		all = append(all, e.words(len(o.People), order.Rows(e.Method, e.Stimuli)))
	}
	if o.Power == nil {
		return append(all, "Power: there is only one group of videos; nothing is compared. Give the videos brands, or compare: stimulus.")
	}
	return append(all, o.Power.words()...)
}

func (l Length) words(d Days, people int) []string {
	length := fmt.Sprintf("Length: about %s per person, of which %s are recorded.", minutes(l.IntakeS+l.RecordedS), minutes(l.RecordedS))
	if l.DependsS >= 1 {
		length += fmt.Sprintf(" Up to %s more, depending on the answers.", minutes(l.DependsS))
	}
	invite := fmt.Sprintf("Invite about %d for %d usable sessions: one in five turns out not to be usable.", d.Invite, d.Usable)
	if d.Usable < people {
		invite += fmt.Sprintf(" The quota is %d; what is planned beyond it is only for those who are not usable.", d.Usable)
	}
	return []string{length,
		fmt.Sprintf("Days: appointments every %.0f minutes, %d a day, %s for %s.", d.SlotMinutes, d.ADay, many(d.Days, "day", "days"), many(people, "person", "people")),
		invite}
}

func (e Even) words(people, rows int) string {
	s := fmt.Sprintf("Block %s (%s, %s): ", e.Block, e.Method, many(e.Stimuli, "video", "videos"))
	if e.Stimuli < 2 {
		return s + "nothing to put in order."
	}
	s += fmt.Sprintf("each video is %s at each place, and %s straight after each other one.", times(e.PlaceLeast, e.PlaceMost), times(e.AfterLeast, e.AfterMost))
	if e.SameBrand > 0 {
		s += fmt.Sprintf(" %.0f %% of neighbours are of the same brand.", 100*e.SameBrand)
	}
	switch {
	case rows > 0 && people%rows != 0:
		s += fmt.Sprintf(" It is even after every %d people; plan a multiple of that.", rows)
	case e.Method == order.Fixed:
		s += " Everybody sees the same order, so that what comes first cannot be told from what is liked."
	case e.Method == order.Latin:
		s += " A Williams square balances neighbours too."
	}
	return s
}

func (p Power) words() []string {
	all := []string{
		fmt.Sprintf("Power with %d usable people, %s (%s, %s), false discovery rate %.3g %%, a third of the differences real:",
			p.Usable, many(p.Tests, "comparison", "comparisons"), many(p.Groups, groupWord(p.Compare), groupWord(p.Compare)+"s"),
			many(p.Indicators, "indicator", "indicators"), 100*p.FDR),
		fmt.Sprintf("  a medium difference (d = %.1f) is found in %s, a large one (d = %.1f) in %s: %s", mediumEffect, percent(p.Medium), largeEffect, percent(p.Large), p.verdict()),
	}
	if p.Shared != nil {
		all = append(all, fmt.Sprintf("  a reaction that people share (%.0f %% of skin conductance, clips of %.0f s) is found in %s", 100*sharedVariance, p.ClipS, percent(*p.Shared)))
	}
	all = append(all, fmt.Sprintf("  a moment at which %.0f in 100 more people show an expression is found in %s; a peak of %.0f %% comes about when nothing happens", 100*momentMore, percent(p.Moment), 100*p.RawPeak))
	return all
}

// verdict says in words what the power for medium differences means.
func (p Power) verdict() string {
	switch {
	case p.Medium.Power >= wantedPower:
		return "enough."
	case p.For80 == 0:
		return fmt.Sprintf("too little, and still with %d people. Compare less: fewer groups or indicators.", tried[len(tried)-1])
	case p.Medium.Power >= .5:
		return fmt.Sprintf("some will be missed; about %d usable people would find four in five.", p.For80)
	}
	return fmt.Sprintf("most medium ones will be missed; about %d usable people would find four in five, or compare less.", p.For80)
}

func groupWord(compare string) string {
	if compare == "stimulus" || compare == "" {
		return "video"
	}
	return compare
}

func percent(e power.Estimate) string {
	p := 100 * e.Power
	switch {
	case p > 99:
		return "over 99 %"
	case p < 1:
		return "under 1 %"
	case e.AtLeast:
		return fmt.Sprintf("at least %.0f %%", math.Floor(p))
	}
	return fmt.Sprintf("%.0f %%", p)
}

func times(least, most int) string {
	if least == most {
		return many(least, "time", "times")
	}
	return fmt.Sprintf("%d to %d times", least, most)
}

func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// minutes says a length as people do.
func minutes(s float64) string {
	switch {
	case s < 90:
		return fmt.Sprintf("%.0f seconds", s)
	case s < 600:
		return fmt.Sprintf("%.1f minutes", s/60)
	}
	return fmt.Sprintf("%.0f minutes", s/60)
}
