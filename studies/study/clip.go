package study

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"
)

// Measure reads one video outside of any study: its hash, size, codecs, duration and
// the time of every frame. Id, brand and tags stay empty, and File is file. The error
// says why browsers would not play it, and what to do.
func Measure(file string) (Stimulus, error) {
	s := Stimulus{File: file}
	f, err := os.Open(file)
	if err != nil {
		return s, err
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err != nil {
		return s, fmt.Errorf("read %s: %w", file, err)
	}
	s.SHA256 = hex.EncodeToString(sum.Sum(nil))
	v, err := readMP4(f, size)
	switch {
	case err != nil && strings.HasSuffix(err.Error(), converter):
		return s, fmt.Errorf("%s: %w %s", file, err, ShellQuoted(file))
	case err != nil:
		return s, fmt.Errorf("%s: %w", file, err)
	}
	s.Width, s.Height = v.width, v.height
	s.BT709, s.Codec, s.Sound = v.bt709(), v.codec, v.sound
	s.Duration, s.FrameTimes = v.duration, v.times
	return s, nil
}

// ShellQuoted is a file's name as it can be typed after a command, and is no flag of it.
func ShellQuoted(file string) string {
	if strings.HasPrefix(file, "-") {
		file = "./" + file
	}
	if file == "" || strings.ContainsAny(file, " \t\n'\"()&;<>|$`\\*?[]{}!#~") {
		return "'" + strings.ReplaceAll(file, "'", `'\''`) + "'"
	}
	return file
}

// FPS is the mean rate of the frames in Hz, to a millionth, which is what times in
// nanoseconds are good for; 0 for fewer than two.
func (s Stimulus) FPS() float64 {
	n := len(s.FrameTimes)
	if n < 2 {
		return 0
	}
	return math.Round(1e6*float64(n-1)/(s.FrameTimes[n-1]-s.FrameTimes[0]).Seconds()) / 1e6
}

// unevenBy is how much longer than the shortest frame the longest may be before a
// clip's rate is called uneven: files count time in units of a millisecond or less.
const unevenBy = 2 * time.Millisecond

// Even tells whether all frames last equally long, but for the last.
func (s Stimulus) Even() bool {
	if len(s.FrameTimes) < 2 {
		return true
	}
	shortest, longest := s.Duration, time.Duration(0)
	for i := 1; i < len(s.FrameTimes); i++ {
		d := s.FrameTimes[i] - s.FrameTimes[i-1]
		shortest, longest = min(shortest, d), max(longest, d)
	}
	return longest-shortest <= unevenBy
}
