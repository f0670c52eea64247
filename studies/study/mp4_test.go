package study

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// box builds an MP4 box.
func box(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(append(b, kind...), body...)
}

// words are big-endian numbers of 32 bits.
func words(v ...int64) []byte {
	var b []byte
	for _, w := range v {
		b = binary.BigEndian.AppendUint32(b, uint32(w))
	}
	return b
}

// film is what a test file is made from.
type film struct {
	matrix [9]int64
	size   [2]int64
	codec  string
	scale  int64
	stts   []int64 // count, delta, ...
	ctts   []int64 // count, offset, ...
	elst   []int64 // length, from, rate, ...; movie units are milliseconds
	mvex   bool
	tracks int
	entry  []byte // of the sample description, after its codec
	sound  []byte // a track of sound, whole
}

func (f film) bytes() []byte {
	table := func(kind string, columns int, v []int64) []byte {
		if v == nil {
			return nil
		}
		return box(kind, words(0, int64(len(v)/columns)), words(v...))
	}
	var edts []byte
	if f.elst != nil {
		edts = box("edts", table("elst", 3, f.elst))
	}
	trak := box("trak",
		box("tkhd", words(0, 0, 0, 1, 0, 0, 0, 0, 0, 0), words(f.matrix[:]...), words(f.size[0]<<16, f.size[1]<<16)),
		edts,
		box("mdia",
			box("mdhd", words(0, 0, 0, f.scale, 0, 0)),
			box("hdlr", words(0, 0), []byte("vide"), words(0, 0, 0)),
			box("minf", box("stbl",
				box("stsd", words(0, 1, int64(8+len(f.entry))), []byte(f.codec), f.entry),
				table("stts", 2, f.stts), table("ctts", 2, f.ctts))),
		))
	moov := [][]byte{box("mvhd", words(0, 0, 0, 1000, 0))}
	for range f.tracks {
		moov = append(moov, trak)
	}
	if f.sound != nil {
		moov = append(moov, f.sound)
	}
	if f.mvex {
		moov = append(moov, box("mvex"))
	}
	return slices.Concat(box("ftyp", []byte("isom")), box("mdat", make([]byte, 100)), box("moov", moov...))
}

func plainFilm() film {
	return film{
		matrix: [9]int64{1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30},
		size:   [2]int64{360, 640}, codec: "avc1", scale: 1000, tracks: 1,
		stts: []int64{4, 40},
	}
}

func parseFilm(b []byte) (video, error) { return readMP4(bytes.NewReader(b), int64(len(b))) }

func ms(v ...int) []time.Duration {
	d := make([]time.Duration, len(v))
	for i := range v {
		d[i] = time.Duration(v[i]) * time.Millisecond
	}
	return d
}

// By which matrix a browser takes the colours: as the file says, and by its height
// where it says nothing.
func TestColourMatrix(t *testing.T) {
	colr := func(kind string, matrix byte) []byte {
		return slices.Concat(make([]byte, 78), box("pasp", words(1, 1)), box("colr", []byte(kind), []byte{0, 1, 0, 1, 0, matrix, 0}))
	}
	for _, c := range []struct {
		name   string
		entry  []byte
		height int64
		bt709  bool
	}{
		{"says BT.709", colr("nclx", 1), 640, true},
		{"says BT.601", colr("nclx", 6), 1080, false},
		{"QuickTime", colr("nclc", 1), 640, true},
		{"unspecified and low", colr("nclx", 2), 640, false},
		{"unspecified and high", colr("nclx", 2), 1080, true},
		{"a profile", colr("prof", 1), 640, false},
		{"nothing, low", nil, 640, false},
		{"nothing, high", nil, 720, true},
		{"cut short", colr("nclx", 1)[:100], 640, false},
	} {
		f := plainFilm()
		f.entry, f.size[1] = c.entry, c.height
		v, err := parseFilm(f.bytes())
		if err != nil || v.bt709() != c.bt709 {
			t.Errorf("%s: BT.709 %v, %v", c.name, v.bt709(), err)
		}
	}
}

func TestFrameTables(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(*film)
		times    []time.Duration
		duration time.Duration
	}{
		{"plain", func(*film) {}, ms(0, 40, 80, 120), 160 * time.Millisecond},
		{"variable rate", func(f *film) { f.stts = []int64{1, 40, 1, 80, 2, 20} }, ms(0, 40, 120, 140), 160 * time.Millisecond},
		{"reordered", func(f *film) {
			// Decoded at 0 40 80 120, displayed at 40 160 80 120.
			f.ctts, f.elst = []int64{1, 40, 1, 120, 2, 0}, []int64{160, 40, 1 << 16}
		}, ms(0, 40, 80, 120), 160 * time.Millisecond},
		{"negative offsets", func(f *film) {
			f.ctts = []int64{1, 0, 1, 80, 2, -40}
		}, ms(0, 40, 80, 120), 160 * time.Millisecond},
		{"cut at the front", func(f *film) { f.elst = []int64{80, 80, 1 << 16} }, ms(0, 40), 80 * time.Millisecond},
		{"cut at the end", func(f *film) { f.elst = []int64{80, 0, 1 << 16} }, ms(0, 40), 80 * time.Millisecond},
		{"delayed", func(f *film) { f.elst = []int64{500, -1, 1 << 16, 160, 0, 1 << 16} }, ms(500, 540, 580, 620), 660 * time.Millisecond},
		{"to the end", func(f *film) { f.elst = []int64{0, 40, 1 << 16} }, ms(0, 40, 80), 120 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := plainFilm()
			c.change(&f)
			v, err := parseFilm(f.bytes())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(v.times, c.times) || v.duration != c.duration {
				t.Errorf("frames at %v lasting %s, want %v and %s", v.times, v.duration, c.times, c.duration)
			}
		})
	}
}

func TestTurnedPicture(t *testing.T) {
	f := plainFilm()
	f.matrix = [9]int64{0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30}
	v, err := parseFilm(f.bytes())
	if err != nil || v.width != 640 || v.height != 360 {
		t.Errorf("%d x %d, %v; want 640 x 360", v.width, v.height, err)
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*film)
		want   string
	}{
		{"sound only", func(f *film) { f.tracks = 0 }, "no video track; convert it with: emolab study import"},
		{"two pictures", func(f *film) { f.tracks = 2 }, "2 video tracks"},
		{"many pictures", func(f *film) { f.tracks, f.stts = 20_000, []int64{maxFrames, 1} }, "20000 video tracks"},
		{"fragments", func(f *film) { f.mvex = true }, "in fragments"},
		{"HEVC", func(f *film) { f.codec = "hvc1" }, `HEVC (H.265), "hvc1"`},
		{"no size", func(f *film) { f.size = [2]int64{} }, "0 x 0 px"},
		{"no clock", func(f *film) { f.scale = 0 }, "timescale 0"},
		{"no frames", func(f *film) { f.stts = []int64{} }, "shows no frame"},
		{"no table", func(f *film) { f.stts = nil }, "shows no frame"},
		{"too many frames", func(f *film) { f.stts = []int64{1 << 30, 1} }, "more than 1000000 frames"},
		{"too many frames in runs", func(f *film) { f.stts = []int64{maxFrames, 1, maxFrames, 1} }, "more than 1000000 frames"},
		{"too long", func(f *film) { f.stts = []int64{100, 1 << 31} }, "lies beyond 24h"},
		{"same time", func(f *film) { f.stts = []int64{4, 0} }, "two frames at the same time"},
		{"tables disagree", func(f *film) { f.ctts = []int64{3, 0} }, "4 frames, 3 display offsets"},
		{"speed", func(f *film) { f.elst = []int64{160, 0, 2 << 16} }, "changes the speed"},
		{"two stretches", func(f *film) { f.elst = []int64{40, 0, 1 << 16, 40, 80, 1 << 16} }, "joins 2 stretches"},
		{"nothing", func(f *film) { f.elst = []int64{40, -1, 1 << 16} }, "shows nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := plainFilm()
			c.change(&f)
			v, err := parseFilm(f.bytes())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %+v, %v; want an error with %q", v, err, c.want)
			}
		})
	}
}

// A file cut at any byte is an error, never a shorter film: the index comes last.
func TestCutFiles(t *testing.T) {
	whole := plainFilm().bytes()
	for n := range whole {
		if v, err := parseFilm(whole[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes: read as %+v", n, len(whole), v)
		}
	}
}

func FuzzMP4(f *testing.F) {
	f.Add(plainFilm().bytes())
	full := plainFilm()
	full.ctts, full.elst = []int64{2, 80, 2, 40}, []int64{500, -1, 1 << 16, 160, 40, 1 << 16}
	f.Add(full.bytes())
	full.entry = entry(pictureHead, box("colr", []byte("nclx"), make([]byte, 7)), box("avcC", []byte{1, 100, 0, 30}))
	sound := entry(soundHead, esds(0x40, 0xe0, true, 0, 9, 2, 'h', 'i', 0, 7))
	full.sound = box("trak", box("mdia", box("hdlr", words(0, 0), []byte("soun"), words(0, 0, 0)),
		box("minf", box("stbl", box("stsd", words(0, 1, int64(8+len(sound))), []byte("mp4a"), sound)))))
	f.Add(full.bytes())
	f.Add(append(words(1), "moov\x00\x00\x00\x00\x00\x00\x00\x10"...))
	f.Add(box("moov", box("trak", box("mdia", box("minf", box("stbl", box("stts", words(0, 1<<31-1))))))))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parseFilm(b)
		if err != nil {
			return
		}
		if len(v.times) == 0 || v.duration <= 0 || v.width <= 0 || v.height <= 0 {
			t.Fatalf("accepted an empty video: %+v", v)
		}
		for i, at := range v.times {
			if at < 0 || at > v.duration || i > 0 && at <= v.times[i-1] {
				t.Fatalf("frame %d at %s of %s after %v", i, at, v.duration, v.times[:i])
			}
		}
	})
}

// ffmpeg makes the files that a lab meets, and ffprobe says when their frames
// are shown.
func TestAgainstFFprobe(t *testing.T) {
	for _, tool := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: install the package ffmpeg to compare with it", tool)
		}
	}
	source := []string{"-f", "lavfi", "-i", "testsrc=size=64x114:rate=30:duration=1"}
	x264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"plain", x264},
		{"B-frames, index first", append(slices.Clone(x264), "-bf", "3", "-movflags", "+faststart")},
		{"NTSC", append(slices.Clone(x264), "-r", "30000/1001", "-bf", "2")},
		{"negative offsets", append(slices.Clone(x264), "-bf", "2", "-movflags", "+negative_cts_offsets")},
		{"variable rate", append(slices.Clone(x264), "-vf", "select='not(eq(mod(n,3),1))'", "-fps_mode", "vfr", "-bf", "2")},
		{"VP9", []string{"-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p", "-deadline", "realtime", "-cpu-used", "8"}},
		{"no edit list", append(slices.Clone(x264), "-use_editlist", "0")},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "clip.mp4")
			args := append(append([]string{"-loglevel", "error"}, source...), c.args...)
			if out, err := exec.Command("ffmpeg", append(args, file)...).CombinedOutput(); err != nil {
				t.Skipf("this ffmpeg cannot make the file: %s", out)
			}
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			size, err := f.Seek(0, io.SeekEnd)
			if err != nil {
				t.Fatal(err)
			}
			v, err := readMP4(f, size)
			if err != nil {
				t.Fatal(err)
			}
			want := ffprobeTimes(t, file)
			if len(v.times) != len(want) {
				t.Fatalf("%d frames, ffprobe says %d", len(v.times), len(want))
			}
			for i := range want {
				if (v.times[i] - want[i]).Abs() > time.Microsecond {
					t.Fatalf("frame %d at %s, ffprobe says %s", i, v.times[i], want[i])
				}
			}
		})
	}
}

func ffprobeTimes(t *testing.T, file string) []time.Duration {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts_time", "-of", "json", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var probe struct {
		Frames []struct {
			Time string `json:"pts_time"`
		} `json:"frames"`
	}
	if err := json.Unmarshal(out, &probe); err != nil {
		t.Fatal(err)
	}
	var times []time.Duration
	for _, f := range probe.Frames {
		s, err := strconv.ParseFloat(f.Time, 64)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Duration(s*1e9+.5))
	}
	return times
}
