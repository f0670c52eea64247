//go:build !nocv

package record

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/capture/frame"
	"emolab/fusion/instant"
)

const (
	testWidth, testHeight = 320, 240
	// bits of a frame's number are drawn as fields of 20 px in its first row of
	// fields, black or white, which no encoder takes for one another.
	bits, field = 16, 20
)

// picture is a grey frame that shows its number, and what changes from one to the
// next as in a real picture.
func picture(n int64) frame.Frame {
	f := frame.Frame{Seq: n, Width: testWidth, Height: testHeight, Pix: make([]byte, 3*testWidth*testHeight)}
	for y := range testHeight {
		for x := range testWidth {
			v := byte(90 + (x+int(3*n))%64 + y%32)
			if y < field && x < bits*field {
				v = 20 + 200*byte(n>>(x/field)&1)
			}
			for c := range 3 {
				f.Pix[3*(y*testWidth+x)+c] = v
			}
		}
	}
	return f
}

// number reads what picture drew.
func number(f frame.Frame) (n int64) {
	for b := range bits {
		if f.Pix[3*(field/2*f.Width+b*field+field/2)] > 120 {
			n |= 1 << b
		}
	}
	return n
}

// roll is a camera that delivers the frames it is given, then ends with err.
type roll struct {
	frames <-chan frame.Frame
	err    error
}

func (r roll) Run(ctx context.Context, out chan<- frame.Frame) error {
	for f := range r.frames {
		select {
		case out <- f:
		case <-ctx.Done():
			return nil
		}
	}
	return r.err
}

// shoot lets frames pass through the tap, each when the one before has been
// encoded, and returns what came out.
func shoot(t *testing.T, tap *Tap, err error, frames ...frame.Frame) []frame.Frame {
	t.Helper()
	in, out := make(chan frame.Frame), make(chan frame.Frame)
	ended := make(chan error, 1)
	go func() {
		ended <- tap.Over(roll{in, err}).Run(t.Context(), out)
		close(out)
	}()
	var got []frame.Frame
	for _, f := range frames {
		in <- f
		got = append(got, <-out)
		settle(tap)
	}
	close(in)
	for f := range out {
		got = append(got, f)
	}
	if e := <-ended; !errors.Is(e, err) {
		t.Errorf("the camera ended with %v, the tap says %v", err, e)
	}
	return got
}

// settle waits until the encoder has room again, as it has between the frames of
// a real camera.
func settle(tap *Tap) {
	tap.mu.Lock()
	r := tap.reel
	tap.mu.Unlock()
	if r == nil {
		return
	}
	late := time.After(30 * time.Second)
	look := time.NewTicker(200 * time.Microsecond)
	defer look.Stop()
	for len(r.queue) > waiting/2 {
		select {
		case <-look.C:
		case <-late:
			return // the test will see dropped frames
		}
	}
}

// dropped is how many frames the recording under way has not got.
func dropped(tap *Tap) int64 {
	tap.mu.Lock()
	defer tap.mu.Unlock()
	return tap.reel.dropped
}

// film returns n frames at 30 Hz, numbered from first.
func film(first, n int64) []frame.Frame {
	var frames []frame.Frame
	for i := range n {
		f := picture(first + i)
		f.Seq = i
		f.At = instant.Instant(time.Second) + instant.Instant(first+i)*instant.Instant(33_333_334)
		f.Arrival = f.At + 5_000_000
		frames = append(frames, f)
	}
	return frames
}

// all reads a folder.
func all(t *testing.T, dir string) []Kept {
	t.Helper()
	var kept []Kept
	for k, err := range Read(dir) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, k)
	}
	return kept
}

func TestEveryFrameComesBackUnderItsNumber(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "video", "s1")
	tap := NewTap(30)
	before := film(0, 7) // nobody has agreed yet
	if got := shoot(t, tap, io.EOF, before...); len(got) != 7 {
		t.Fatalf("%d frames came through", len(got))
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("before Begin there is a folder (%v)", err)
	}

	if err := tap.Begin(dir, 0, 0); err != nil {
		t.Fatal(err)
	}
	frames := film(7, 150)
	frames[40].Seq = 41 // frame 47 was lost in the camera, and those after it count on
	for i := range frames[41:] {
		frames[41+i].Seq++
	}
	got := shoot(t, tap, nil, frames...)
	for i, f := range got {
		if f.Seq != frames[i].Seq || f.At != frames[i].At || &f.Pix[0] != &frames[i].Pix[0] {
			t.Fatalf("frame %d was touched on its way", i)
		}
	}
	if n := dropped(tap); n != 0 || tap.Err() != nil {
		t.Fatalf("dropped %d, error %v", n, tap.Err())
	}
	files, err := tap.End()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 3 { // 150 frames at 30 Hz: 2 s, 2 s and 1 s
		t.Errorf("files %+v", files)
	}
	var frameSum int64
	for _, f := range files {
		frameSum += f.Frames
		info, err := os.Stat(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() != f.Bytes || len(f.SHA256) != 64 || info.Mode().Perm() != fileMode || f.Until.Sub(f.From) >= maxLength {
			t.Errorf("file %+v, %d bytes, mode %s", f, info.Size(), info.Mode())
		}
	}
	if frameSum != 150 {
		t.Errorf("%d frames in the files", frameSum)
	}
	for _, path := range []string{dir, tablePath(dir, 0)} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %s", path, info.Mode())
		}
	}

	kept := all(t, dir)
	if len(kept) != 150 {
		t.Fatalf("%d frames come back", len(kept))
	}
	for i, k := range kept {
		// 7 frames of the first camera stand before.
		if k.Seq != 7+frames[i].Seq || k.At != frames[i].At || k.Arrival != frames[i].Arrival || k.Epoch != 1 || k.Segment != 0 {
			t.Fatalf("frame %d comes back as %d at %d, epoch %d", i, k.Seq, k.At, k.Epoch)
		}
		if n := number(k.Frame); n != int64(7+i) {
			t.Fatalf("under number %d lies the picture of %d", k.Seq, n)
		}
	}
}

// A camera that is opened again, another picture size, and a second segment of
// the session each begin a file of their own.
func TestFilesEndWhereThePictureChanges(t *testing.T) {
	dir := t.TempDir()
	tap := NewTap(0)
	if err := tap.Begin(dir, 0, 0); err != nil {
		t.Fatal(err)
	}
	gone := errors.New("unplugged")
	shoot(t, tap, gone, film(0, 5)...)
	again := film(10, 4)
	small := frame.Frame{Seq: 4, At: again[3].At + 1, Width: 64, Height: 48, Pix: bytes.Repeat([]byte{128}, 3*64*48)}
	shoot(t, tap, nil, append(again, small)...)
	files, err := tap.End()
	if err != nil || len(files) != 3 {
		t.Fatalf("files %+v, %v", files, err)
	}
	if err := tap.Begin(dir, 0, 0); err == nil || !strings.Contains(err.Error(), "never written over") {
		t.Errorf("the same segment again: %v", err)
	}
	if err := tap.Begin(dir, 1, 0); err != nil {
		t.Fatal(err)
	}
	if err := tap.Begin(dir, 2, 0); err == nil {
		t.Error("two recordings at once")
	}
	shoot(t, tap, nil, film(20, 3)...)
	if _, err := tap.End(); err != nil {
		t.Fatal(err)
	}
	if _, err := tap.End(); err == nil {
		t.Error("End without Begin")
	}
	kept := all(t, dir)
	if len(kept) != 13 {
		t.Fatalf("%d frames come back", len(kept))
	}
	for i, want := range []struct {
		segment, epoch int
		seq            int64
	}{0: {0, 0, 0}, 4: {0, 0, 4}, 5: {0, 1, 5}, 8: {0, 1, 8}, 9: {0, 1, 9}, 10: {1, 2, 10}, 12: {1, 2, 12}} {
		if k := kept[i]; want != (struct {
			segment, epoch int
			seq            int64
		}{}) && (k.Segment != want.segment || k.Epoch != want.epoch || k.Seq != want.seq) {
			t.Errorf("frame %d is segment %d, epoch %d, seq %d; want %+v", i, k.Segment, k.Epoch, k.Seq, want)
		}
	}
	if kept[9].Width != 64 || kept[8].Width != testWidth {
		t.Errorf("widths %d, %d", kept[8].Width, kept[9].Width)
	}
}

// A reader may stop early.
func TestReadingStops(t *testing.T) {
	dir := t.TempDir()
	tap := NewTap(30)
	if err := tap.Begin(dir, 0, 0); err != nil {
		t.Fatal(err)
	}
	shoot(t, tap, nil, film(0, 5)...)
	if _, err := tap.End(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range Read(dir) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d frames", n)
	}
	for k, err := range Read(filepath.Join(dir, "absent")) {
		t.Errorf("a folder that is not there gave %+v, %v", k, err)
	}
}

func TestATornLastFile(t *testing.T) {
	record := func(t *testing.T) string {
		dir := t.TempDir()
		tap := NewTap(30)
		if err := tap.Begin(dir, 0, 0); err != nil {
			t.Fatal(err)
		}
		shoot(t, tap, nil, film(0, 130)...) // 60 + 60 + 10
		if _, err := tap.End(); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	cut := func(path string, share float64) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, int64(float64(info.Size())*share))
	}
	for name, c := range map[string]struct {
		damage   func(dir string) error
		min, max int
		err      string
	}{
		"empty last file":   {func(dir string) error { return cut(videoPath(dir, 0, 2), 0) }, 120, 120, ""},
		"head only":         {func(dir string) error { return os.Truncate(videoPath(dir, 0, 2), 20) }, 120, 120, ""},
		"half a last file":  {func(dir string) error { return cut(videoPath(dir, 0, 2), .5) }, 120, 129, ""},
		"torn table":        {func(dir string) error { return cut(tablePath(dir, 0), .999) }, 129, 129, ""},
		"head of the table": {func(dir string) error { return os.Truncate(tablePath(dir, 0), 9) }, 0, 0, ""},
		"file gone":         {func(dir string) error { return os.Remove(videoPath(dir, 0, 1)) }, 60, 60, "no such file"},
		"half in between":   {func(dir string) error { return cut(videoPath(dir, 0, 1), .5) }, 60, 119, "its table says 60"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := record(t)
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			n := 0
			var failure error
			for k, err := range Read(dir) {
				if err != nil {
					failure = err
					break
				}
				if number(k.Frame) != k.Seq {
					t.Fatalf("under number %d lies the picture of %d", k.Seq, number(k.Frame))
				}
				n++
			}
			if n < c.min || n > c.max {
				t.Errorf("%d frames come back, want %d to %d", n, c.min, c.max)
			}
			if c.err == "" && failure != nil || c.err != "" && (failure == nil || !strings.Contains(failure.Error(), c.err)) {
				t.Errorf("error %v, want %q", failure, c.err)
			}
		})
	}
}

// A frame that is no picture ends the video, loudly, and not the analysis.
func TestABrokenFrameEndsTheVideoOnly(t *testing.T) {
	dir := t.TempDir()
	tap := NewTap(30)
	if err := tap.Begin(dir, 0, 0); err != nil {
		t.Fatal(err)
	}
	frames := film(0, 8)
	frames[4].Pix = frames[4].Pix[:5]
	if got := shoot(t, tap, nil, frames...); len(got) != 8 {
		t.Errorf("%d frames came through", len(got))
	}
	files, err := tap.End()
	if err == nil || !strings.Contains(err.Error(), "frame 4: 5 bytes are no 320x240 picture") {
		t.Errorf("End returns %v", err)
	}
	if len(files) != 1 || files[0].Frames != 4 {
		t.Errorf("files %+v", files)
	}
	if kept := all(t, dir); len(kept) != 4 {
		t.Errorf("%d frames come back", len(kept))
	}
}

// slow is an encoder that takes a frame only when it is let.
type slow struct{ let chan struct{} }

func (s slow) write(frame.Frame) error { <-s.let; return nil }
func (s slow) close() error            { return nil }

// The analysis never waits for the encoder; what the video lacks is counted.
func TestASlowEncoderHoldsNobodyUp(t *testing.T) {
	dir := t.TempDir()
	tap := NewTap(30)
	if err := tap.Begin(dir, 0, 0); err != nil {
		t.Fatal(err)
	}
	frames := film(0, 3*waiting)
	let := make(chan struct{})
	path := videoPath(dir, 0, 0)
	if err := os.WriteFile(path, []byte("x"), fileMode); err != nil {
		t.Fatal(err)
	}
	tap.reel.open = &part{encoder: slow{let}, path: path, first: shot{Frame: frames[0]}, last: shot{Frame: frames[0]}}

	in, out := make(chan frame.Frame, len(frames)), make(chan frame.Frame)
	for _, f := range frames {
		in <- f
	}
	close(in)
	ended := make(chan error, 1)
	go func() { ended <- tap.Over(roll{frames: in}).Run(t.Context(), out) }()
	for i := range frames { // with no frame encoded
		if f := <-out; f.Seq != int64(i) {
			t.Fatalf("frame %d came as %d", i, f.Seq)
		}
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	lost := dropped(tap)
	if min, max := int64(len(frames)-waiting-1), int64(len(frames)-waiting); lost < min || lost > max {
		t.Errorf("%d frames dropped, want %d or %d", lost, min, max)
	}
	close(let)
	files, err := tap.End()
	if err == nil || !strings.Contains(err.Error(), "frames are not in the video") {
		t.Errorf("End returns %v", err)
	}
	if len(files) != 1 || files[0].Frames != int64(len(frames))-lost {
		t.Errorf("files %+v, %d dropped", files, lost)
	}
}

// A reader that has gone does not hold the camera.
func TestRunEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	in := make(chan frame.Frame)
	ended := make(chan error, 1)
	go func() { ended <- NewTap(30).Over(roll{frames: in}).Run(ctx, make(chan frame.Frame)) }()
	in <- picture(0)
	stop()
	close(in)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Run does not return")
	}
}

// A picture that was on its way when the participant agreed was taken before.
func TestNothingFromBeforeTheYesIsKept(t *testing.T) {
	dir := t.TempDir()
	tap := NewTap(30)
	frames := film(0, 8)
	if err := tap.Begin(dir, 0, frames[3].At); err != nil {
		t.Fatal(err)
	}
	if got := shoot(t, tap, nil, frames...); len(got) != 8 {
		t.Fatalf("%d frames came through", len(got))
	}
	if _, err := tap.End(); err != nil {
		t.Fatal(err)
	}
	kept := all(t, dir)
	if len(kept) != 5 || kept[0].Seq != 3 || kept[0].At != frames[3].At {
		t.Errorf("%d frames are kept, the first %+v", len(kept), kept[0].Seq)
	}
}

// No frame of a pause is in the table, whenever it comes.
func TestNoFrameOfAPauseIsKept(t *testing.T) {
	dir := t.TempDir()
	tap := NewTap(30)
	frames := film(0, 9)
	if err := tap.Begin(dir, 0, 0); err != nil {
		t.Fatal(err)
	}
	in, out := make(chan frame.Frame), make(chan frame.Frame)
	ended := make(chan error, 1)
	go func() { ended <- tap.Over(roll{in, nil}).Run(t.Context(), out) }()
	for i, f := range frames {
		switch i {
		case 2: // the page said so after the frame before was taken
			tap.Pause(frames[3].At)
		case 6: // and a frame of the pause is still on its way
			tap.Resume(frames[7].At)
		}
		in <- f
		<-out
		settle(tap)
	}
	close(in)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, err := tap.End(); err != nil {
		t.Fatal(err)
	}
	var seqs []int64
	for _, k := range all(t, dir) {
		seqs = append(seqs, k.Seq)
	}
	if !slices.Equal(seqs, []int64{0, 1, 2, 7, 8}) {
		t.Errorf("the frames %v are kept", seqs)
	}
}

// Each file is named once: while the recording goes on, or at its end.
func TestFilesAreNamedAsTheyClose(t *testing.T) {
	tap := NewTap(30)
	if got := tap.Closed(); got != nil {
		t.Errorf("before Begin: %+v", got)
	}
	if err := tap.Begin(t.TempDir(), 0, 0); err != nil {
		t.Fatal(err)
	}
	shoot(t, tap, nil, film(0, 150)...) // 2 s, 2 s and 1 s
	var named []File
	late := time.After(30 * time.Second)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for len(named) < 2 {
		select {
		case <-look.C:
			named = append(named, tap.Closed()...)
		case <-late:
			t.Fatalf("after five seconds of video only %+v", named)
		}
	}
	last, err := tap.End()
	if err != nil || len(last) != 1 {
		t.Fatalf("the end names %+v, %v", last, err)
	}
	named = append(named, last...)
	for i := 1; i < len(named); i++ {
		if named[i].From <= named[i-1].Until {
			t.Errorf("file %d is out of order: %+v", i, named)
		}
	}
	if got := tap.Closed(); got != nil {
		t.Errorf("after the end: %+v", got)
	}
}
