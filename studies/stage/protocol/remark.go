package protocol

import (
	"fmt"
	"time"
)

// Moved is the Remark of a page that is on another screen than it said.
const Moved = "moved"

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
	Moved:              "the page is on another screen than before, or was zoomed",
	"paused":           "was paused, not by this page: its frame stays",
	"waiting":          "waits for its decoder: its frame stays",
	"seeking":          "was sent to another place, not by this page",
	"seeked":           "has come to that place",
	"playing":          "plays on",
}

// String is the remark in words.
func (m *Remark) String() string {
	words := happenings[m.What]
	if m.Presentation == 0 {
		return words
	}
	return fmt.Sprintf("the clip of presentation %d %s (at %.3f s of its time)",
		m.Presentation, words, (time.Duration(m.Media) * time.Microsecond).Seconds())
}
