package stimulus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// silence is the loudness in LUFS below which EBU R 128 counts nothing: what has none
// above it has no loudness. It is the least that is ever measured.
const silence = -70

// Loudness is how loud a video is, as EBU R 128 measures it (ITU-R BS.1770).
type Loudness struct {
	Integrated float64 // LUFS, at least -70
	TruePeak   float64 // dBTP; -Inf of pure silence
}

// Silent tells whether nothing in it is loud enough to count, or it is shorter than the
// 0.4 s that a measurement takes.
func (l Loudness) Silent() bool { return l.Integrated <= silence }

// Loudness measures the first sound of a video, the one that browsers play. Sound of one
// channel counts as it is heard, from both of two speakers.
func (t *FFmpeg) Loudness(ctx context.Context, file string) (Loudness, error) {
	args := append([]string{"-hide_banner", "-nostdin", "-nostats"}, input(file)...)
	args = append(args, "-map", "0:a:0", "-vn", "-sn", "-dn", "-filter:a", "ebur128=peak=true:dualmono=true:framelog=verbose", "-f", "null", "-")
	_, said, err := run(ctx, nil, t.ffmpeg, args...)
	if err != nil {
		return Loudness{}, fmt.Errorf("loudness of %s: %w", file, err)
	}
	l, err := parseLoudness(said)
	if err != nil {
		return Loudness{}, fmt.Errorf("loudness of %s: %w", file, err)
	}
	return l, nil
}

// parseLoudness reads the summary with which ffmpeg's filter ebur128 ends.
func parseLoudness(said string) (Loudness, error) {
	at := strings.LastIndex(said, "Summary:")
	if at < 0 {
		return Loudness{}, errors.New("ffmpeg gave no summary of it")
	}
	integrated, peak := math.NaN(), math.NaN()
	for line := range strings.Lines(said[at:]) {
		words := strings.Fields(line)
		if len(words) != 3 {
			continue
		}
		v, err := strconv.ParseFloat(words[1], 64)
		switch {
		case err != nil:
		case words[0] == "I:" && words[2] == "LUFS":
			integrated = v
		case words[0] == "Peak:" && words[2] == "dBFS":
			peak = v
		}
	}
	// Neither can be louder than this: 0 is full scale, and inter-sample peaks exceed it
	// by a few dB.
	const loudest = 100
	if !(integrated < loudest) || !(peak < loudest) {
		return Loudness{}, fmt.Errorf("ffmpeg's summary of it has no loudness and peak that make sense: %g LUFS, %g dBTP", integrated, peak)
	}
	return Loudness{Integrated: max(integrated, silence), TruePeak: peak}, nil
}
