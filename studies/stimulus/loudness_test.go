package stimulus

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A sine of 997 Hz at full scale in both channels has 0 LUFS (EBU Tech 3341, which
// asks for 0.1 LU of whoever measures), and in one of two 3 less.
func TestLoudness(t *testing.T) {
	tool := tools(t)
	for _, c := range []struct {
		name, sound string
		args        []string
		lufs, peak  float64
	}{
		{"-23 dB in both channels", "sine=frequency=997:d=5,volume=8,pan=stereo|c0=0.0708*c0|c1=0.0708*c0", nil, -23, -23},
		{"one channel, as heard from two", "sine=frequency=997:d=5,volume=8,pan=mono|c0=0.0708*c0", nil, -23, -23},
		{"on the left only", "sine=frequency=997:d=5,volume=8,pan=stereo|c0=0.0708*c0|c1=0*c0", nil, -26, -23},
		{"silence", "anullsrc=d=2", nil, -70, math.Inf(-1)},
		{"shorter than a measurement", "sine=frequency=997:d=0.2,volume=8", nil, -70, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := makeVideo(t, "loud.mkv", "color=s=32x32:r=5:d=1", c.sound, "-c:v", "libx264", "-c:a", "pcm_f32le")
			got, err := tool.Loudness(t.Context(), file)
			if err != nil || math.Abs(got.Integrated-c.lufs) > .15 || !(got.TruePeak == c.peak || math.Abs(got.TruePeak-c.peak) < .3) {
				t.Errorf("%+v, %v; want %g LUFS, %g dBTP", got, err, c.lufs, c.peak)
			}
			if got.Silent() != (c.lufs == -70) {
				t.Errorf("silent: %v", got.Silent())
			}
		})
	}
}

func TestLoudnessOfWhatHasNone(t *testing.T) {
	t.Parallel()
	tool := tools(t)
	dumb := makeVideo(t, "dumb.mp4", testPicture, "", h264...)
	text := filepath.Join(t.TempDir(), "text.mp4")
	if err := os.WriteFile(text, []byte("Summary:\n I: -5 LUFS\n Peak: -1 dBFS\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{dumb, text, dumb + ".none"} {
		if l, err := tool.Loudness(t.Context(), file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %+v, %v", file, l, err)
		}
	}
}

const summary = `[Parsed_ebur128_0 @ 0x5581] Summary:

  Integrated loudness:
    I:         -21.5 LUFS
    Threshold: -31.6 LUFS

  Loudness range:
    LRA:         3.3 LU
    Threshold: -41.6 LUFS
    LRA low:   -23.9 LUFS
    LRA high:  -20.6 LUFS

  True peak:
    Peak:       -5.0 dBFS
`

func TestParseLoudness(t *testing.T) {
	// What a file says of itself comes before, and is not believed.
	if l, err := parseLoudness("title: Summary:\n I: 5 LUFS\n" + summary); err != nil || l != (Loudness{-21.5, -5}) {
		t.Errorf("%+v, %v", l, err)
	}
	for _, said := range []string{"", "Summary:", strings.ReplaceAll(summary, "Peak: ", "Pike: "), strings.ReplaceAll(summary, "-21.5", "nan"), strings.ReplaceAll(summary, "-21.5", "+Inf")} {
		if l, err := parseLoudness(said); err == nil {
			t.Errorf("%q: %+v", said, l)
		}
	}
}

func FuzzLoudness(f *testing.F) {
	f.Add(summary)
	f.Add("Summary:\nI: -70.0 LUFS\nPeak: -inf dBFS\n")
	f.Fuzz(func(t *testing.T, said string) {
		l, err := parseLoudness(said)
		if err == nil && (!(l.Integrated >= silence && l.Integrated < 100) || math.IsNaN(l.TruePeak) || l.TruePeak > 100) {
			t.Fatalf("%+v", l)
		}
	})
}

func FuzzProbe(f *testing.F) {
	f.Add([]byte(`{"streams":[{"codec_type":"video","codec_name":"hevc","pix_fmt":"yuv420p","width":160,"height":120,"sample_aspect_ratio":"1:1","r_frame_rate":"30000/1001","avg_frame_rate":"25/1","disposition":{"attached_pic":0}},{"codec_type":"audio","codec_name":"aac","channels":2}],"format":{"duration":"1.5"}}`))
	f.Add([]byte(`{"streams":[{"codec_type":"video","width":1,"height":1,"r_frame_rate":"1/0","disposition":{"attached_pic":1}}]}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		p, err := parseProbe(answer)
		if err != nil {
			return
		}
		r := p.picture.rate.float()
		if p.picture.width <= 0 || p.picture.height <= 0 || !(r > 0) || r > mostRate*(1+alike) || p.duration < 0 {
			t.Fatalf("%+v", p)
		}
		for _, keep := range []bool{true, false} {
			if strings.Join(p.arguments(keep, "x"), "") == "" {
				t.Fatal("no arguments")
			}
		}
	})
}
