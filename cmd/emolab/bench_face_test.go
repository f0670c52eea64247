package main

import (
	"slices"
	"testing"

	"emolab/capture/frame"
)

// Shown forth and back, neighbours stay neighbours.
func TestReelGoesForthAndBack(t *testing.T) {
	r := reel{frames: []frame.Frame{{Seq: 0}, {Seq: 1}, {Seq: 2}}}
	var got []int64
	for n := range 9 {
		got = append(got, r.at(n).Seq)
	}
	if want := []int64{0, 1, 2, 1, 0, 1, 2, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if f := (reel{frames: []frame.Frame{{Seq: 7}}}).at(5); f.Seq != 7 {
		t.Errorf("of one frame: %d", f.Seq)
	}
}

func TestResidentMemory(t *testing.T) {
	if mb, err := residentMB(); err != nil || mb < 1 || mb > 1<<20 {
		t.Errorf("%v MB, %v", mb, err)
	}
}
