package stimulus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emolab/studies/study"
)

// tools finds ffmpeg, or skips the test.
func tools(t testing.TB) *FFmpeg {
	t.Helper()
	f, err := FindFFmpeg()
	if err != nil {
		t.Skip(err)
	}
	return f
}

// The picture and the sound of most test files: a bit more than half a second of each.
const (
	testPicture = "testsrc2=s=160x120:r=25:d=0.6,format=yuv420p"
	testSound   = "sine=frequency=440:d=0.6"
)

// makeVideo makes a video of a picture and a sound ("" = none) in a new folder. It skips the
// test where this ffmpeg has not got the codec.
func makeVideo(t testing.TB, name, picture, sound string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	all := []string{"-v", "error", "-f", "lavfi", "-i", picture}
	if sound != "" {
		all = append(all, "-f", "lavfi", "-i", sound)
	}
	out, err := exec.Command("ffmpeg", append(append(all, args...), "file:"+file)...).CombinedOutput()
	if strings.Contains(string(out), "Unknown encoder") {
		t.Skipf("this ffmpeg cannot make the file: %s", out)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return file
}

var (
	h264 = []string{"-c:v", "libx264", "-preset", "ultrafast"}
	hevc = []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error"}
	// lossless is quick to make, and no browser plays it.
	lossless = []string{"-c:v", "ffv1"}
)

func with(args []string, more ...string) []string {
	return append(append([]string{}, args...), more...)
}

func TestConvert(t *testing.T) {
	tool := tools(t)
	for _, c := range []struct {
		name    string // of the file
		picture string
		sound   string
		args    []string
		kept    bool
		size    [2]int
		frames  int
		codec   string
		coded   string // of the sound
		note    string
	}{
		{"hevc.mp4", testPicture, testSound, hevc, false, [2]int{160, 120}, 15, "H.264", "AAC", ""},
		{"prores.mov", testPicture, testSound, []string{"-c:v", "prores_ks", "-c:a", "pcm_s16le"}, false, [2]int{160, 120}, 15, "H.264", "AAC", ""},
		{"ten bits.mp4", testPicture, "", with(h264, "-pix_fmt", "yuv420p10le"), false, [2]int{160, 120}, 15, "H.264", "", ""},
		{"old.avi", testPicture, testSound, []string{"-c:v", "mpeg4", "-c:a", "libmp3lame"}, false, [2]int{160, 120}, 15, "H.264", "AAC", ""},
		{"vp8.webm", testPicture, testSound, []string{"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libvorbis"}, false, [2]int{160, 120}, 15, "H.264", "AAC", ""},
		{"loop.gif", "testsrc2=s=160x120:r=10:d=0.6", "", nil, false, [2]int{160, 120}, 6, "H.264", "", ""},
		{"vp9.webm", testPicture, testSound, []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"}, true, [2]int{160, 120}, 15, "VP9", "Opus", ""},
		{"fragments.mp4", testPicture, testSound, with(h264, "-movflags", "frag_keyframe+empty_moov"), true, [2]int{160, 120}, 15, "H.264", "AAC", ""},
		{"dolby.mp4", testPicture, testSound, with(h264, "-c:a", "ac3"), true, [2]int{160, 120}, 15, "H.264", "AAC", ""},
		{"film.mkv", testPicture, testSound, with(h264, "-bf", "3", "-c:a", "flac"), true, [2]int{160, 120}, 15, "H.264", "AAC", ""},
		{"odd.mkv", "testsrc2=s=161x121:r=25:d=0.6,format=yuv444p", "", h264, false, [2]int{160, 120}, 15, "H.264", "", ""},
		{"wide pixels.mkv", "testsrc2=s=160x120:r=25:d=0.6,setsar=2,format=yuv420p", "", h264, false, [2]int{320, 120}, 15, "H.264", "", ""},
		{"television.mpg", "testsrc2=s=160x120:r=50:d=0.6,tinterlace=interleave_top,format=yuv420p", "", []string{"-c:v", "mpeg2video", "-flags", "+ilme+ildct"}, false, [2]int{160, 120}, 15, "H.264", "", "half-pictures"},
		{"uneven.mov", "testsrc2=s=160x120:r=30:d=2,select='not(eq(mod(n,5),1))',format=yuv420p", "", []string{"-c:v", "prores_ks", "-fps_mode", "vfr"}, false, [2]int{160, 120}, 48, "H.264", "", "uneven"},
		{"ntsc.mov", "testsrc2=s=160x120:r=30000/1001:d=0.6", "", []string{"-c:v", "prores_ks"}, false, [2]int{160, 120}, 18, "H.264", "", ""},
		{"six channels.mkv", testPicture, "sine=d=0.6,pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0", with(lossless, "-c:a", "flac"), false, [2]int{160, 120}, 15, "H.264", "AAC", "6 channels"},
		{"hdr.mov", "testsrc2=s=160x120:r=25:d=0.6,format=yuv420p10le", "", with(hevc, "-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc"), false, [2]int{160, 120}, 15, "H.264", "", "HDR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := makeVideo(t, c.name, c.picture, c.sound, c.args...)
			if _, err := study.Measure(in); err == nil {
				t.Fatal("it plays already")
			}
			out := filepath.Join(t.TempDir(), "out.mp4")
			last := -1.
			got, err := tool.Convert(t.Context(), in, out, func(share float64) {
				if share < 0 || share > 1 {
					t.Errorf("%v done after %v", share, last)
				}
				last = share
			})
			if err != nil {
				t.Fatal(err)
			}
			again, err := study.Measure(out)
			if err != nil || again.SHA256 != got.SHA256 || got.File != out {
				t.Errorf("read back: %v", err)
			}
			if got.Kept != c.kept || got.Width != c.size[0] || got.Height != c.size[1] || got.Codec != c.codec || got.Sound != c.coded {
				t.Errorf("kept %v, %d x %d, %s, %q", got.Kept, got.Width, got.Height, got.Codec, got.Sound)
			}
			if n := len(got.FrameTimes); n < c.frames-1 || n > c.frames+1 {
				t.Errorf("%d frames, want %d", n, c.frames)
			}
			if !c.kept && !got.Even() {
				t.Error("its frames come at uneven times")
			}
			if notes := strings.Join(got.Notes, "; "); (c.note == "") != (notes == "") || !strings.Contains(notes, c.note) {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
			if last < 0 {
				t.Error("no progress was told")
			}
		})
	}
}

// A conversion does not shift the colours, whatever matrix the file names or not. What is
// compared is the mean of the picture in RGB, as a browser would decode either file.
func TestConvertKeepsColours(t *testing.T) {
	tool := tools(t)
	mean := func(file, matrix string) [3]float64 {
		out, err := exec.Command("ffmpeg", "-v", "error", "-i", file, "-vf", "scale=1:1:flags=area:in_color_matrix="+matrix, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-").Output()
		if err != nil || len(out) != 3 {
			t.Fatal(err, len(out))
		}
		return [3]float64{float64(out[0]), float64(out[1]), float64(out[2])}
	}
	for _, c := range []struct{ name, size, tag, matrix string }{
		{"low, says nothing", "320x240", "", "bt601"},
		{"high, says nothing", "960x720", "", "bt709"},
		{"low, BT.709", "320x240", "bt709", "bt709"},
		{"high, BT.601", "960x720", "smpte170m", "bt601"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := with(lossless)
			if c.tag != "" {
				args = append(args, "-colorspace", c.tag)
			}
			in := makeVideo(t, "in.mkv", fmt.Sprintf("color=0xc04020:s=%s:r=25:d=0.2,format=yuv420p", c.size), "", args...)
			out := filepath.Join(t.TempDir(), "out.mp4")
			got, err := tool.Convert(t.Context(), in, out, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.BT709 != (c.matrix == "bt709") {
				t.Errorf("BT.709 is %v", got.BT709)
			}
			a, b := mean(in, c.matrix), mean(out, c.matrix)
			for i := range a {
				if math.Abs(a[i]-b[i]) > 3 {
					t.Errorf("%v became %v", a, b)
				}
			}
		})
	}
}

func TestTurnedVideoStaysUpright(t *testing.T) {
	t.Parallel()
	tool := tools(t)
	flat := makeVideo(t, "flat.mp4", testPicture, "", hevc...)
	turned := filepath.Join(t.TempDir(), "turned.mov")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-display_rotation", "90", "-i", flat, "-c", "copy", turned).CombinedOutput(); err != nil {
		// Older ones have it as a note on the stream.
		if out2, err := exec.Command("ffmpeg", "-v", "error", "-i", flat, "-c", "copy", "-metadata:s:v", "rotate=90", turned).CombinedOutput(); err != nil {
			t.Skipf("this ffmpeg cannot make the file: %s %s", out, out2)
		}
	}
	got, err := tool.Convert(t.Context(), turned, filepath.Join(t.TempDir(), "out.mp4"), nil)
	if err != nil || got.Width != 120 || got.Height != 160 {
		t.Errorf("%d x %d, %v", got.Width, got.Height, err)
	}
}

// The same file makes the same file again, so that its hash can be compared.
func TestConvertIsRepeatable(t *testing.T) {
	t.Parallel()
	tool := tools(t)
	in := makeVideo(t, "in.mkv", testPicture, testSound, lossless...)
	var sums []string
	for range 2 {
		got, err := tool.Convert(t.Context(), in, filepath.Join(t.TempDir(), "out.mp4"), nil)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, got.SHA256)
	}
	if sums[0] != sums[1] {
		t.Errorf("%s, then %s", sums[0], sums[1])
	}
}

// A file's name is a name, whatever it looks like.
func TestHostileNames(t *testing.T) {
	tool := tools(t)
	source := makeVideo(t, "in.mkv", testPicture, testSound, lossless...)
	whole, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"-i.mp4", "concat:a|b.mp4", "http:example.mp4", "a;touch pwned.mp4", "$(touch pwned).mp4", "new\nline.mp4", "per%cent%03d.mp4", "pipe:0", "\xff\xfe.mp4", "[0:v].mp4"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in, out := filepath.Join(dir, name), filepath.Join(dir, "out-"+name+".mp4")
			if err := os.WriteFile(in, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := tool.Convert(t.Context(), in, out, nil); err != nil {
				t.Error(err)
			}
			if _, err := tool.Loudness(t.Context(), in); err != nil {
				t.Error(err)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 2 {
				t.Errorf("the folder holds %v, %v", entries, err)
			}
		})
	}
}

// What is no video is refused, above all what only names others, and leaves nothing.
func TestNoVideos(t *testing.T) {
	tool := tools(t)
	secret := makeVideo(t, "secret.mp4", testPicture, testSound, h264...)
	sound := makeVideo(t, "sound.mp4", testPicture, testSound, "-map", "1:a")
	for name, text := range map[string]string{
		"empty.mp4":    "",
		"text.mp4":     "This is no video.",
		"concat.mp4":   "ffconcat version 1.0\nfile '" + secret + "'\n",
		"playlist.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + secret + "\n#EXT-X-ENDLIST\n",
		"address.mp4":  "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n#EXT-X-ENDLIST\n",
		"script.avs":   "FFmpegSource2(\"" + secret + "\")",
		"subtitle.mp4": "1\n00:00:00,000 --> 00:00:01,000\nHello\n",
	} {
		t.Run(name, func(t *testing.T) {
			in := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, tool, in, "no video that ffmpeg can read")
		})
	}
	t.Run("sound only", func(t *testing.T) { refused(t, tool, sound, "no moving picture") })
	t.Run("not there", func(t *testing.T) { refused(t, tool, secret+".none", "no such file") })
}

func refused(t *testing.T, tool *FFmpeg, in, want string) {
	t.Helper()
	dir := t.TempDir()
	_, err := tool.Convert(t.Context(), in, filepath.Join(dir, "out.mp4"), nil)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	tool := tools(t)
	in := makeVideo(t, "in.mkv", testPicture, "", lossless...)
	out := filepath.Join(t.TempDir(), "out.mp4")
	if err := os.WriteFile(out, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tool.Convert(t.Context(), in, out, nil); err == nil || !strings.Contains(err.Error(), "nothing is overwritten") {
		t.Errorf("%v", err)
	}
	if b, err := os.ReadFile(out); err != nil || string(b) != "mine" {
		t.Errorf("it holds %q, %v", b, err)
	}
}

func TestCutVideo(t *testing.T) {
	t.Parallel()
	tool := tools(t)
	in := makeVideo(t, "in.mkv", "testsrc2=s=160x120:r=25:d=8,format=yuv420p", "", lossless...)
	whole, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tool.Convert(t.Context(), in, filepath.Join(t.TempDir(), "out.mp4"), nil); err == nil || !strings.Contains(err.Error(), "can be read") {
		t.Errorf("%v", err)
	}
}

func TestConvertIsGivenUp(t *testing.T) {
	t.Parallel()
	tool := tools(t)
	in := makeVideo(t, "in.mkv", "testsrc2=s=640x480:r=25:d=20,format=yuv420p", "", lossless...)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	dir := t.TempDir()
	_, err := tool.Convert(ctx, in, filepath.Join(dir, "out.mp4"), func(float64) { stop() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
