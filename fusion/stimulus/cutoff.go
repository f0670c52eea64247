package stimulus

// start is where in a course a presentation begins, for the first time or anew.
type start struct{ at, presentation int }

// cutOff marks, within a course, what was shown of presentations that began anew
// later. begun are their beginnings, in order; each lasts until the next one at most.
func cutOff(course []Showing, begun []start) {
	before := map[int]int{} // the latest beginning of a presentation
	for k, s := range begun {
		if i, ok := before[s.presentation]; ok {
			mark(course[begun[i].at:begun[i+1].at], s.presentation)
		}
		before[s.presentation] = k
	}
}

// MarkCutOff marks, in the courses of a session's segments in their order, what was
// shown of presentations that a later segment shows anew.
func MarkCutOff(courses ...[]Showing) {
	later := map[int]bool{}
	for g := len(courses) - 1; g >= 0; g-- {
		here := map[int]bool{}
		for i := range courses[g] {
			s := &courses[g][i]
			if s.Presentation > 0 {
				s.CutOff = s.CutOff || later[s.Presentation]
				here[s.Presentation] = true
			}
		}
		for p := range here {
			later[p] = true
		}
	}
}

func mark(course []Showing, presentation int) {
	for i := range course {
		if course[i].Presentation == presentation {
			course[i].CutOff = true
		}
	}
}
