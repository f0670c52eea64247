package session

import "strings"

// turned says why nothing was recorded, by what the reason of a declined session begins
// with.
var turned = []struct{ begins, words string }{
	{"screening", "screened out"}, {"quota", "quota full"}, {"consent", "did not agree"}, {"left", "left before the recording"},
	{"stopped", "stopped before the recording"}, {"cut off", "cut off before the recording"},
}

// Standing says in words where a session stands: of one of which nothing was recorded,
// why.
func (s Summary) Standing() string {
	if s.State != Declined {
		return string(s.State)
	}
	for _, t := range turned {
		if strings.HasPrefix(s.Reason, t.begins) {
			return t.words
		}
	}
	return "not recorded"
}

// Briefly is the word by which a reason is counted, without what else it says of the
// participant; "" when it has none.
func Briefly(reason string) string {
	for _, t := range turned {
		if strings.HasPrefix(reason, t.begins) {
			return t.begins
		}
	}
	return ""
}
