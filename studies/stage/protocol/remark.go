package protocol

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// happenings are what a Remark can say, with the words for it. Those of a clip
// have a verb for the time within it.
var happenings = map[string]string{
	"hidden":           "the page was hidden",
	"shown":            "the page is visible again",
	"frozen":           "the browser froze the page",
	"thawed":           "the browser lets the page go on",
	"fullscreen-left":  "full screen was left",
	"fullscreen-taken": "full screen was taken",
	"resized":          "the page's window changed its size",
	"paused":           "was paused, not by this page: its frame stays",
	"waiting":          "waits for its decoder: its frame stays",
	"seeking":          "was sent to another place, not by this page",
	"seeked":           "has come to that place",
	"playing":          "plays on",
}

// Happenings are the values of Remark.What.
func Happenings() []string { return slices.Sorted(maps.Keys(happenings)) }

// String is the remark in words.
func (m *Remark) String() string {
	words := happenings[m.What]
	if m.Presentation == 0 {
		return words
	}
	return fmt.Sprintf("the clip of presentation %d %s (at %.3f s of its time)",
		m.Presentation, words, (time.Duration(m.Media) * time.Microsecond).Seconds())
}
