package session

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// MarkKind says what somebody says of the recording.
type MarkKind string

// The kinds of mark.
const (
	PlainMark   MarkKind = "marker"      // something happened now
	NoteMark    MarkKind = "note"        // in words
	Distraction MarkKind = "distraction" // a phone, a visitor, a cough
	Technical   MarkKind = "technical"   // something with the devices
	External    MarkKind = "external"    // another program says so

	// What the program itself says, and nobody can by Mark.
	AlarmMark MarkKind = "alarm" // an alarm was raised, acknowledged, shelved, cleared
	BlindMark MarkKind = "blind" // what the console shows was hidden, or shown again
)

const (
	// MarksID is the stream of the marks, which has events only.
	MarksID = "marks"
	// ownSource is the source of what the program itself says.
	ownSource = "emolab"

	// maxMarkText and maxMarkSource bound a mark, bytes.
	maxMarkText   = 500
	maxMarkSource = 40
	// maxMarkAge is how late a mark may be: as long as somebody takes to write a note.
	maxMarkAge = 10 * time.Minute
	// shownMarks is how many marks a Status has.
	shownMarks = 50
)

// Known tells whether it is a kind of mark that somebody may make.
func (k MarkKind) Known() bool {
	switch k {
	case PlainMark, NoteMark, Distraction, Technical, External:
		return true
	}
	return false
}

// Mark is something said of the recording that runs.
type Mark struct {
	Kind   MarkKind `json:"kind"`
	Text   string   `json:"text"`
	Source string   `json:"source"` // who or what says so: "console", "psychopy"
	AgeMs  float64  `json:"age_ms"` // how long ago it happened; of a mark that is made, by how much it is late
}

var (
	// ErrNothingRecorded is returned by Mark for what happened while nothing was recorded.
	ErrNothingRecorded = errors.New("nothing is being recorded: a mark would have nowhere to go")
	// errLateMark is returned where the recording has ended by now.
	errLateMark = fmt.Errorf("%w. The recording has ended: write it as an annotation in replay, once the session is sealed", ErrNothingRecorded)
)

// marksInfo is the stream of the marks.
func marksInfo() stream.Info {
	return stream.Info{ID: MarksID, Kind: stream.Mark, Device: "what people and programs say of the recording",
		Clock: stream.HostClock, TickHz: float64(time.Second), Channels: []stream.Channel{}}
}

// streams are those that a session records: the lab's, and the marks.
func (m *Manager) streams() []stream.Info { return append(slices.Clip(m.o.Lab.Streams()), marksInfo()) }

// source is what a mark's source may be called: it stands before the colon of a label.
var source = regexp.MustCompile(`^[\pL\pN][\pL\pN ._/-]*$`)

// check refuses what is no mark that somebody may make, and gives it on one line.
func (k Mark) check() (Mark, error) {
	switch says := k.Kind == NoteMark || k.Kind == External; {
	case !k.Kind.Known():
		return k, fmt.Errorf("%.20q is no kind of mark: %s, %s, %s, %s or %s", k.Kind, PlainMark, NoteMark, Distraction, Technical, External)
	case says && strings.TrimSpace(k.Text) == "":
		return k, fmt.Errorf("a mark of kind %s says something: its text is missing", k.Kind)
	case !utf8.ValidString(k.Text) || len(k.Text) > maxMarkText:
		return k, fmt.Errorf("the text of a mark is UTF-8 of at most %d bytes", maxMarkText)
	case len(k.Source) > maxMarkSource || !source.MatchString(k.Source) || k.Source == ownSource:
		return k, fmt.Errorf("%.50q cannot be the source of a mark: use letters, digits, blanks and . _ / - (at most %d bytes), and not %s", k.Source, maxMarkSource, ownSource)
	case !(k.AgeMs >= 0 && k.AgeMs <= inMs(maxMarkAge)):
		return k, fmt.Errorf("age_ms of a mark is 0 to %.0f: say it sooner, or annotate the session when it is sealed", inMs(maxMarkAge))
	}
	k.Text = strings.Join(strings.Fields(k.Text), " ")
	return k, nil
}

// Label is how a mark stands in the recording: "distraction from console: a phone rang".
func (k Mark) Label() string {
	label := string(k.Kind) + " from " + k.Source
	if k.Text != "" {
		label += ": " + k.Text
	}
	return label
}

// labelled is what Label makes.
var labelled = regexp.MustCompile(`^([a-z]+) from ([^:]+)(?:: (.*))?$`)

// ReadMark reads a Label. ok is false for words that are none.
func ReadMark(label string) (k Mark, ok bool) {
	part := labelled.FindStringSubmatch(label)
	if part == nil {
		return Mark{}, false
	}
	return Mark{Kind: MarkKind(part[1]), Source: part[2], Text: part[3]}, true
}

// kept is a mark that is on the record.
type kept struct {
	Mark
	at instant.Instant
}

// Mark keeps a mark with the recording: when it returns nil, a killed process does not
// lose it. It happened AgeMs ago, but not before the recording began. What happened while it
// ran is kept also after it has ended, until the session is closed: words take time.
func (m *Manager) Mark(k Mark) error {
	now := m.o.Clock.Now()
	k, err := k.check()
	if err != nil {
		return err
	}
	m.mu.Lock()
	cur := m.current
	if cur == nil || cur.desk == nil || cur.live == 0 {
		m.mu.Unlock()
		return ErrNothingRecorded
	}
	at, over := max(now.Add(-time.Duration(k.AgeMs*float64(time.Millisecond))), cur.live), cur.over
	m.mu.Unlock()
	if over != 0 && at > over {
		return errLateMark
	}
	event := stream.Event{Kind: stream.Marker, At: at, Detail: k.Label()}
	err = cur.desk.keep("keep a mark", func(ctx context.Context, rec Recorder) error {
		return rec.Append(ctx, []stream.Chunk{{Stream: MarksID, Events: []stream.Event{event}}})
	})
	if err != nil { // it was closed in this moment
		return errLateMark
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	cur.marks = append(cur.marks[max(0, len(cur.marks)+1-shownMarks):], kept{k, at})
	return nil
}

// latest are the marks of a run, the last one last, with their ages.
func (r *run) latest(now instant.Instant) []Mark {
	out := []Mark{} // in JSON an empty list is not null
	for _, k := range r.marks {
		k.AgeMs = inMs(now.Sub(k.at))
		out = append(out, k.Mark)
	}
	return out
}
