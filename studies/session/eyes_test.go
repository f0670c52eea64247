package session

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// look delivers n samples of gaze at one place, at 60 Hz, with a little noise.
func look(w *watcher, at *instant.Instant, n int, x, y, valid float64) {
	for i := range n {
		w.add([]stream.Sample{{At: *at, Values: []float64{x + 1e-4*math.Sin(float64(i*i)), y, valid}}})
		*at = at.Add(time.Second / 60)
	}
}

func TestFixationsAreToldWhileTheLabRuns(t *testing.T) {
	info := stream.Info{ID: "gaze", Kind: stream.Gaze, Rate: 60, Channels: []stream.Channel{{Name: "gaze_x"}, {Name: "gaze_y"}, {Name: "gaze_valid"}}}
	w := newWatcher(info, AssumedScreen())
	w.correct = func(x, y float64) (float64, float64) { return x + .1, y }
	at := instant.Instant(5e9)
	look(w, &at, 30, .2, .3, 1)
	look(w, &at, 10, 9, 9, 0) // a blink: what an invalid sample says means nothing
	look(w, &at, 20, .6, .3, 1)
	look(w, &at, 60, .2, .8, 1)

	e := w.read(at)
	if e.Fixations != 2 || math.Abs(e.PerSecond-.2) > 1e-9 || !(e.DelayMs > 0 && e.DelayMs <= 200) {
		t.Fatalf("%+v, want two fixations: the third goes on", e)
	}
	first, second := e.Recent[0], e.Recent[1]
	if math.Abs(first.X-.3) > .01 || math.Abs(second.X-.7) > .01 || math.Abs(second.Y-.3) > .01 {
		t.Errorf("at %v and %v, want .3 and .7 across: corrected", first, second)
	}
	if math.Abs(first.DurationMs-500) > 40 || math.Abs(second.AgeMs-1000) > 40 {
		t.Errorf("%v ms long, %v ms ago, want 500 and 1000", first.DurationMs, second.AgeMs)
	}
	b, err := json.Marshal(e)
	if err != nil || !strings.Contains(string(b), `"per_second":0.2`) {
		t.Errorf("%s, %v", b, err)
	}
	if late := w.read(at.Add(time.Minute)); late.PerSecond != 0 || late.Fixations != 2 {
		t.Errorf("a minute later: %+v", late)
	}
	w.newPerson()
	if e := w.read(at); e.Fixations != 0 || len(e.Recent) != 0 {
		t.Errorf("of another person: %+v", e)
	}
}
