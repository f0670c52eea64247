package bundle

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// What is written behind comes out whole and in order, also when the caller uses its
// buffer again.
func TestWriteBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want, got bytes.Buffer
		b := writeBehind(&got)
		scratch := make([]byte, 0, 64)
		for range rapid.IntRange(0, 20).Draw(t, "writes") {
			scratch = append(scratch[:0], rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "bytes")...)
			want.Write(scratch)
			if n, err := b.Write(scratch); n != len(scratch) || err != nil {
				t.Fatalf("%d of %d bytes, %v", n, len(scratch), err)
			}
		}
		if err := b.wait(); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("%q, %v, want %q", got.Bytes(), err, want.Bytes())
		}
	})
}

// full is a disk that takes so many writes.
type full struct{ left int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if f.left == 0 {
		return 0, errFull
	}
	f.left--
	return len(p), nil
}

func TestWriteBehindTellsOfAFullDisk(t *testing.T) {
	b := writeBehind(&full{left: 2})
	told := false
	for range 2 + 2*behindBlocks {
		if _, err := b.Write([]byte("row\n")); err != nil {
			if !errors.Is(err, errFull) {
				t.Fatal(err)
			}
			told = true
		}
	}
	if !told {
		t.Error("nobody who goes on writing is told")
	}
	if err := b.wait(); !errors.Is(err, errFull) {
		t.Errorf("in the end: %v", err)
	}
}
