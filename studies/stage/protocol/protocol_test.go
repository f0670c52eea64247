package protocol

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"emolab/studies/study"
)

func TestMessagesReadBack(t *testing.T) {
	fromPage := []Message{
		&Hello{Version: 1, Epoch: "e", Agent: "a", Simulated: true, ScreenW: 1920, ScreenH: 1080, PixelRate: 2, RefreshHz: 59.9, Isolated: true, TakeOver: true},
		&Pong{ID: 3, Rx: 10, Tx: 12}, &Ready{Run: 1}, &Waiting{Run: 1}, &StepBegan{Run: 1, Step: 2, Tick: 3}, &StepEnded{Run: 1, Step: 2, Tick: 3, Dropped: 4},
		&StepBegan{Run: 1, Step: 2, Tick: 3, Place: &Place{.5, .25}}, &Shown{Run: 1, Step: 2, ID: 3, Tick: 4, Place: &Place{.1, .9}}, &Shown{Run: 1, Step: 2, ID: 4, Tick: 4},
		&Answer{Run: 1, Step: 0, Scope: "face_video", Granted: true, TextSHA256: strings.Repeat("a", 64), Language: "en", Simulated: true, Tick: 7},
		&Frames{Run: 1, Presentation: 2, Stimulus: "s", Rect: [4]float64{.1, .2, .3, .4}, Frames: []Frame{{1, 33333, 5, 4, 3}}},
		&Blank{Run: 1, Tick: 9}, &Unknown{Run: 1, Tick: 9}, &Remark{Run: 1, What: "paused", Tick: 9, Presentation: 2, Media: 1500}, &Stopped{Run: 1}, &Fault{Run: 1, Text: "t", Fatal: true},
	}
	fromServer := []Message{
		&Ping{ID: 7}, &Library{Clips: []Clip{{"a", "/u", "00", 9, 16, 1.5}}, Corner: "top-left"},
		&Plan{Run: 1, From: 2, Steps: []Step{{Index: 0, Action: study.Play, DurationMs: 8, Stimulus: "a", Presentation: 1}, {Action: study.Consent, Scope: "s", Texts: []Text{{"en", "h", []string{"b"}, "y", "n", "k", "00"}}}}, Clips: []Clip{{ID: "a"}}, Corner: "top-left"},
		&Target{Run: 1, Step: 2, ID: 3, Place: Place{.1, .9}}, &Cue{Run: 1, Step: 2, ID: 3, Key: "look"}, &Finish{Run: 1, Step: 2},
		&Begin{Run: 1}, &Stop{Run: 1}, &Over{Run: 1}, &Refused{Busy: true, Reason: "r"},
	}
	for _, side := range []struct {
		decode func([]byte) (Message, error)
		list   []Message
	}{{DecodePage, fromPage}, {DecodeServer, fromServer}} {
		for _, m := range side.list {
			b, err := Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(b), `{"type":"`+m.Type()+`",`) {
				t.Errorf("%s is written as %s", m.Type(), b)
			}
			got, err := side.decode(b)
			if err != nil {
				t.Errorf("%s: %v", b, err)
			} else if diff := cmp.Diff(m, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", b, diff)
			}
		}
	}
}

func TestWhatNoPageSends(t *testing.T) {
	for _, text := range []string{
		``, `[]`, `{}`, `{"type":"dance"}`, `{"type":"plan"}`, `{"type":"pong","id":"x"}`,
		`{"type":"hello","version":1}`,
		`{"type":"hello","version":1,"epoch":"e","screen_w":-1}`,
		`{"type":"pong","id":1,"rx":5,"tx":4}`,
		`{"type":"pong","id":1,"rx":-5,"tx":4}`,
		`{"type":"blank","tick":9007199254740993}`,
		`{"type":"blank","tick":1.5}`,
		`{"type":"frames","presentation":1,"frames":[]}`,
		`{"type":"frames","presentation":0,"frames":[{"presented":1}]}`,
		`{"type":"frames","presentation":1,"frames":[{"presented":0}]}`,
		`{"type":"frames","presentation":1,"frames":[{"presented":1,"media":-1}]}`,
		`{"type":"frames","presentation":1,"rect":[0,0,0,1e9],"frames":[{"presented":1}]}`,
		`{"type":"answer","run":1,"granted":true}`,
		`{"type":"answer","run":1,"scope":"face_video","granted":true,"language":"en","text_sha256":"ab"}`,
		`{"type":"answer","run":1,"scope":"face_video","granted":"yes","language":"en","text_sha256":"` + strings.Repeat("a", 64) + `"}`,
		`{"type":"answer","run":1,"scope":"face_video","granted":true,"language":"en","tick":-1,"text_sha256":"` + strings.Repeat("a", 64) + `"}`,
		`{"type":"unknown","tick":-1}`,
		`{"type":"shown","run":1,"id":1,"tick":-1}`,
		`{"type":"shown","run":1,"id":1,"tick":1,"place":{"x":1e9,"y":0}}`,
		`{"type":"shown","run":1,"id":1,"tick":1,"place":{"x":null,"y":"0"}}`,
		`{"type":"step-began","run":1,"tick":1,"place":{"x":0,"y":-101}}`,
		`{"type":"remark","what":"","tick":1}`,
		`{"type":"remark","what":"exploded","tick":1}`,
		`{"type":"remark","what":"paused","tick":-1}`,
		`{"type":"remark","what":"paused","tick":1,"media":-1}`,
		`{"type":"remark","what":"paused","tick":1,"presentation":-1}`,
		`{"type":"remark","what":"paused","tick":1,"media":86400000001}`,
		`{"type":"fault","text":"` + strings.Repeat("x", 501) + `"}`,
		`{"type":"fault","text":"` + strings.Repeat("x", MaxMessage) + `"}`,
	} {
		if m, err := DecodePage([]byte(text)); err == nil {
			t.Errorf("%.80s: accepted as %+v", text, m)
		}
	}
	if _, err := DecodePage([]byte(`{"type":"ready","run":1,"colour":"grey"}`)); err != nil {
		t.Errorf("a key of a later version: %v", err)
	}
}

// The page says what the protocol knows.
func TestThePageKnowsEveryHappening(t *testing.T) {
	types, err := os.ReadFile("../web/protocol.js")
	if err != nil {
		t.Fatal(err)
	}
	for what := range happenings {
		if !strings.Contains(string(types), "'"+what+"'") {
			t.Errorf("protocol.js has no happening %q", what)
		}
	}
}

func FuzzDecodePage(f *testing.F) {
	f.Add([]byte(`{"type":"pong","id":1,"rx":5,"tx":6}`))
	f.Add([]byte(`{"type":"frames","run":1,"presentation":1,"stimulus":"a","rect":[0,0,1,1],"frames":[{"presented":1,"media":0,"expected":1,"submitted":1,"callback":1}]}`))
	f.Add([]byte(`{"type":"hello","version":1,"epoch":"e","refresh_hz":60}`))
	f.Add([]byte(`{"type":"answer","run":1,"scope":"s","granted":true,"language":"en","text_sha256":"` + strings.Repeat("a", 64) + `"}`))
	f.Add([]byte(`{"type":"unknown","run":1,"tick":6}`))
	f.Add([]byte(`{"type":"shown","run":1,"step":2,"id":3,"tick":6,"place":{"x":0.1,"y":0.9}}`))
	f.Add([]byte(`{"type":"step-began","run":1,"step":2,"tick":6,"place":{"x":0.5,"y":0.5}}`))
	f.Add([]byte(`{"type":"remark","run":1,"what":"paused","tick":6,"presentation":1,"media":7}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := DecodePage(b)
		if err != nil {
			return
		}
		if r, ok := m.(*Remark); ok && r.String() == "" {
			t.Fatalf("%+v has no words", m)
		}
		again, err := Encode(m)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", m, err)
		}
		back, err := DecodePage(again)
		if len(again) <= MaxMessage && err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if err == nil && !cmp.Equal(m, back) {
			t.Fatalf("%+v became %+v", m, back)
		}
	})
}

// A page's messages are bounded, the server's are not: a plan of 1,000 trials is
// ten times longer than anything that a page says.
func TestALongPlan(t *testing.T) {
	plan := &Plan{Run: 1, Clips: []Clip{}}
	for i := range 3000 {
		plan.Steps = append(plan.Steps, Step{Index: i, Action: study.Rest, DurationMs: 4000, Stimulus: "a"})
	}
	b, err := Encode(plan)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) <= MaxMessage {
		t.Fatalf("a plan of %d bytes tests nothing", len(b))
	}
	got, err := DecodeServer(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plan, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := DecodePage(b); err == nil {
		t.Error("a message of such length was taken from a page")
	}
}
