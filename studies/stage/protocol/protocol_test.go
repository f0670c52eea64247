package protocol

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emolab/studies/session"
	"emolab/studies/study"
)

func TestMessagesReadBack(t *testing.T) {
	fromPage := []Message{
		&Hello{Version: 1, Epoch: "e", Agent: "a", Simulated: true, ScreenW: 1920, ScreenH: 1080, PixelRate: 2, RefreshHz: 59.9, Isolated: true, TakeOver: true},
		&Pong{ID: 3, Rx: 10, Tx: 12}, &Ready{Run: 1}, &Waiting{Run: 1}, &StepBegan{Run: 1, Step: 2, Tick: 3}, &StepEnded{Run: 1, Step: 2, Tick: 3, Dropped: 4},
		&StepBegan{Run: 1, Step: 2, Tick: 3, Place: &Place{.5, .25}}, &Shown{Run: 1, Step: 2, ID: 3, Tick: 4, Place: &Place{.1, .9}}, &Shown{Run: 1, Step: 2, ID: 4, Tick: 4},
		&Reply{Run: 1, Step: BeforeFirst, ID: 5, Value: "yes", Tick: 6}, &Reply{Run: 1, Step: 2, ID: 6, Value: "3", Audio: "running", Simulated: true, Tick: 7},
		&StepEnded{Run: 1, Step: 2, Tick: 3, Swiped: true, Media: 1_500_000},
		&Answer{
			Run: 1, Step: 1, Sheet: "rate.sam", Language: "en", TextSHA256: strings.Repeat("a", 64),
			Values: study.Answers{"sam.valence": "5"}, ResponseMs: map[string]float64{"sam.valence": 812.5}, Declined: true, Simulated: true, Tick: 7,
		},
		&Paused{Run: 1, Step: 2, Tick: 3}, &Resumed{Run: 1, Step: 2, Tick: 4}, &Leave{Run: 1, Step: 2, Tick: 5},
		&Frames{Run: 1, Presentation: 2, Stimulus: "s", Rect: [4]float64{.1, .2, .3, .4}, Frames: []Frame{{1, 33333, 5, 4, 3}}},
		&Blank{Run: 1, Tick: 9}, &Unknown{Run: 1, Tick: 9}, &Remark{Run: 1, What: "paused", Tick: 9, Presentation: 2, Media: 1500}, &Stopped{Run: 1}, &Fault{Run: 1, Text: "t", Fatal: true},
	}
	fromServer := []Message{
		&Ping{ID: 7}, &Library{Clips: []Clip{{"a", "/u", "00", 9, 16, 1.5}}, Corner: "top-left", Languages: []string{"fr", "en"}},
		&Plan{
			Run: 1, From: 2, Clips: []Clip{{ID: "a"}}, Corner: "top-left", Languages: []string{"fr"}, Skip: []int{1, 3}, PhoneFrame: true, Conducted: true,
			Steps: []Step{
				{Index: 0, Action: study.Play, DurationMs: 8, Stimulus: "a", Presentation: 1, Skippable: true},
				{Index: 1, Action: study.Fill, Sheet: "consent"},
			},
			Sheets: []Sheet{{
				Sheet: study.Sheet{ID: "consent", Kind: study.ConsentSheet, Heading: study.Text{"fr": "h"}, Body: map[string][]string{"fr": {"p"}},
					Fields: []study.Field{{ID: "traces", Type: study.ScopeField, Ask: study.Text{"fr": "?"}, Required: true}}, Go: study.Text{"fr": "oui"}, No: study.Text{"fr": "non"}},
				Hashes: map[string]string{"fr": "00"},
			}},
		},
		&Go{Run: 1, Step: 2, Skip: []int{4}}, &Again{Run: 1, Step: 2, Reason: "r"}, &Left{Run: 1, Skip: []int{0, 1}},
		&Conduct{Run: 1, Step: 2, AfterMs: 3, Answer: true, Fill: study.Answers{"k": "v"}, No: true, Leave: true, Swipe: true, PauseMs: 4, Language: "fr"},
		&Receipt{Run: 1, Step: 2, QR: [][]bool{{true, false}}, Receipt: session.Receipt{
			Code: "c", Study: "s", Session: "i", Scopes: []string{"traces"}, Until: []session.Limit{{Class: "traces", Until: time.Unix(1e9, 0).UTC()}}}},
		&Target{Run: 1, Step: 2, ID: 3, Place: Place{.1, .9}}, &Cue{Run: 1, Step: 2, ID: 3, Key: "look"}, &Cue{Run: 1, Step: 2, ID: 3, Key: "begin", Code: "P-7K2"}, &Ask{Run: 1, Step: BeforeFirst, ID: 4, Kind: "code", Code: "P-7K2", Tries: 1},
		&Ask{Run: 1, Step: 2, ID: 5, Kind: "sound", Tones: 3}, &Finish{Run: 1, Step: 2, Skip: []int{4, 5}},
		&Begin{Run: 1}, &Stop{Run: 1}, &Over{Run: 1, Outcome: OverLeft}, &Refused{Busy: true, Reason: "r"},
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

// answer is an answer with one more key, which wins over those before.
func answer(key string) string {
	return `{"type":"answer","run":1,"sheet":"screening","language":"en","text_sha256":"` + strings.Repeat("a", 64) + `",` + key + `}`
}

// many is an object of so many keys with one value.
func many(n int, value string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":%s`, i, value)
	}
	return "{" + b.String()[1:] + "}"
}

// What is wrong with an answer is said without the answer: it stands in the recording.
func TestErrorsQuoteNoAnswer(t *testing.T) {
	for _, key := range []string{
		`"values":{"salary":90210}`, `"values":{"salary":["90210"]}`, `"values":{"salary":"90210","":"90210"}`,
		`"values":"90210"`, `"values":{"salary":"90210"},"tick":-1`, `"values":{"salary":"90210` + strings.Repeat("x", 9000) + `"}`,
		`"values":{"salary":"90210"},"language":""`, `"values":{"salary":"90210`,
	} {
		_, err := DecodePage([]byte(answer(key)))
		if err == nil || strings.Contains(err.Error(), "90210") {
			t.Errorf("%.60s: %v", key, err)
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
		`{"type":"answer","run":1,"values":{}}`,
		answer(`"text_sha256":"ab"`),
		answer(`"sheet":""`),
		answer(`"sheet":"` + strings.Repeat("s", 201) + `"`),
		answer(`"language":""`),
		answer(`"language":"` + strings.Repeat("l", 36) + `"`),
		answer(`"values":{"age":34}`),
		answer(`"values":["34"]`),
		answer(`"values":{"":"34"}`),
		answer(`"values":{"` + strings.Repeat("k", 201) + `":"34"}`),
		answer(`"values":{"age":"` + strings.Repeat("3", 4*study.MaxText+1) + `"}`),
		answer(`"values":` + many(201, `"v"`)),
		answer(`"response_ms":{"age":-1}`),
		answer(`"response_ms":{"age":1e9}`),
		answer(`"response_ms":{"age":null,"b":"1"}`),
		answer(`"response_ms":` + many(201, "1")),
		answer(`"declined":"yes"`),
		answer(`"tick":-1`),
		`{"type":"paused","tick":-1}`,
		`{"type":"resumed","tick":-1}`,
		`{"type":"leave","tick":9007199254740993}`,
		`{"type":"step-ended","tick":1,"media":-1}`,
		`{"type":"step-ended","tick":1,"media":86400000001}`,
		`{"type":"step-ended","tick":1,"dropped":-1}`,
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
	for _, text := range []string{
		`{"type":"ready","run":1,"colour":"grey"}`, // a key of a later version
		answer(`"values":` + many(200, `"v"`)),
		answer(`"values":{"why":"` + strings.Repeat("\U0001F642", study.MaxText) + `"}`),
		answer(`"response_ms":{"age":86400000}`),
	} {
		if _, err := DecodePage([]byte(text)); err != nil {
			t.Errorf("%.80s: %v", text, err)
		}
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
	f.Add([]byte(answer(`"values":{"sam.valence":"5"},"response_ms":{"sam.valence":812.5},"declined":false,"tick":7`)))
	f.Add([]byte(`{"type":"step-ended","run":1,"step":2,"tick":6,"swiped":true,"media":7}`))
	f.Add([]byte(`{"type":"leave","run":1,"step":2,"tick":6}`))
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
	for i := range 6000 {
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
