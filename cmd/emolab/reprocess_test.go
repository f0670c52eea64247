package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/capture/face"
	"emolab/fusion/expression"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/store"
)

// reprocess derives the demo's session again, from its landmarks and from the
// video that its simulated participant allowed, then takes the consent back.
func reprocess(t *testing.T, dir, id string) {
	t.Helper()
	for _, c := range []struct {
		args    string
		name    string // of the new derivation
		face    string // the stream it is made from
		aligned bool
	}{
		{"--align", "final-2", "face", true},
		{"--neutral 12-16", "final-3", "face", false},
		{"--video --align --current --name again", "again", "face-2", true},
	} {
		code, out, errOut := program(t, append([]string{"session", "reprocess", id, "--data", dir, "--json"}, strings.Fields(c.args)...)...)
		var got struct {
			Name        string
			Streams     []store.Realigned
			Derivations []store.Derivation
		}
		if err := json.Unmarshal([]byte(out), &got); code != exitFine || err != nil {
			t.Fatalf("reprocess %s: exit %d, %v\n%s%s", c.args, code, err, out, errOut)
		}
		k := slices.IndexFunc(got.Derivations, func(v store.Derivation) bool { return v.Name == got.Name })
		if got.Name != c.name || k < 0 || got.Derivations[k].FaceStream != c.face {
			t.Errorf("reprocess %s: %+v", c.args, got)
		}
		if c.aligned != (len(got.Streams) >= 4) {
			t.Errorf("reprocess %s: %d streams were aligned", c.args, len(got.Streams))
		}
		for _, v := range got.Streams {
			if !v.Same() || v.Samples == 0 && v.Stream != session.MarksID { // events only
				t.Errorf("reprocess %s: sealed and aligned again by one program, %s is not the same: %+v", c.args, v.Stream, v)
			}
		}
	}
	if code, _, errOut := program(t, "session", "reprocess", id, "--data", dir, "--show", "final", "--align"); code != exitUsage || !strings.Contains(errOut, "--current") {
		t.Errorf("showing and aligning at once: exit %d\n%s", code, errOut)
	}
	if code, out, _ := program(t, "session", "reprocess", id, "--data", dir, "--show", "final"); code != exitFine || !strings.Contains(out, "shows the derivation final") {
		t.Errorf("back to the first derivation: exit %d\n%s", code, out)
	}
	// What the nets see in the kept video is what they saw live.
	live, again := expressionsOf(t, dir, "face"), expressionsOf(t, dir, "face-2")
	same := 0
	for seq, top := range again {
		if live[seq] == top {
			same++
		}
	}
	if len(again) < len(live)*9/10 || same < len(again)*95/100 {
		t.Errorf("%d frames live, %d in the video, %d of them with the same expression", len(live), len(again), same)
	}

	if code, _, errOut := program(t, "session", "withdraw", id, "--face-video", "--yes", "--data", dir); code != exitFine {
		t.Fatalf("withdraw: exit %d: %s", code, errOut)
	}
	if code, _, errOut := program(t, "session", "withdraw", id, "--face-video", "--yes", "--data", dir); code != exitFailed || !strings.Contains(errOut, "no yes to take back") {
		t.Errorf("withdrawn twice: exit %d: %s", code, errOut)
	}
	if _, err := os.Stat(videoDir(dir, id)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the video is still there: %v", err)
	}
	if code, _, errOut := program(t, "session", "reprocess", id, "--video", "--data", dir); code != exitFailed || !strings.Contains(errOut, "not allowed") {
		t.Errorf("video of a consent that was taken back: exit %d, %s", code, errOut)
	}
}

func TestPrintRealigned(t *testing.T) {
	made := store.Rederived{Name: "final-2", Streams: []store.Realigned{{Stream: "eda", Samples: 9}}}
	said := func() string {
		var out strings.Builder
		if err := printRealigned(&out, made, false); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if text := said(); !strings.Contains(text, "the same to the nanosecond") || strings.Contains(text, "keep their instants") {
		t.Errorf("of the same instants it says\n%s", text)
	}
	made.Streams = append(made.Streams, store.Realigned{Stream: "gaze", Samples: 9, Moved: 2, Furthest: 3 * time.Millisecond, Rebound: 4})
	if text := said(); !strings.Contains(text, "2 differ, by 3ms at most") || !strings.Contains(text, "the clocks of final-2 have the new ones") {
		t.Errorf("of other instants it says\n%s", text)
	}
}

// expressionsOf reads the likeliest expression of each frame of a face stream in
// the only session of a data folder.
func expressionsOf(t *testing.T, dir, streamID string) map[int64]int {
	t.Helper()
	s, session := onlySession(t, dir)
	info := stream.Info{Kind: stream.Face, Channels: face.Channels()}
	tops := map[int64]int{}
	for row, err := range s.Samples(t.Context(), session, streamID) {
		if err != nil {
			t.Fatal(err)
		}
		var p expression.Probabilities
		copy(p[:], row.Values[info.Index("p_neutral"):])
		tops[row.Seq] = p.Top()
	}
	return tops
}
