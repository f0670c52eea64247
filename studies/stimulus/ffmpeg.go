// Package stimulus makes videos ready for a study: how loud they are, and what browsers
// cannot play converted to what they can. Both are the work of an installed ffmpeg,
// which reads whatever a lab is given; what a study needs to know of a file that plays,
// package study reads by itself.
package stimulus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// ErrNoFFmpeg says that ffmpeg is not installed.
var ErrNoFFmpeg = errors.New("ffmpeg is not installed, and measures loudness and converts videos: sudo apt install ffmpeg")

// FFmpeg is an installed ffmpeg with its ffprobe.
type FFmpeg struct{ ffmpeg, ffprobe string }

// FindFFmpeg finds the installed ffmpeg, or fails with ErrNoFFmpeg.
func FindFFmpeg() (*FFmpeg, error) {
	f, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, ErrNoFFmpeg
	}
	p, err := exec.LookPath("ffprobe")
	if err != nil {
		return nil, ErrNoFFmpeg
	}
	return &FFmpeg{f, p}, nil
}

const (
	// containers are the demuxers that may open a file. Others open further files that
	// the first names, or addresses: playlists, slide shows, scripts.
	containers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf,gif,apng,dv,rm,h264,hevc,ivf,nut"
	// maxAnswer and maxWords bound what is kept of a program's two outputs, in bytes.
	maxAnswer = 4 << 20
	maxWords  = 64 << 10
	// afterKill is how long a program that was stopped may take to let go of its pipes.
	afterKill = 5 * time.Second
)

// input are the arguments that open a file of any name, and nothing but that file: the
// protocol keeps ffmpeg from taking a name for an option or an address.
func input(file string) []string {
	return []string{"-protocol_whitelist", "file", "-format_whitelist", containers, "-i", "file:" + file}
}

// Version is the first words of the program's own account of itself: "ffmpeg 5.1.9".
func (t *FFmpeg) Version(ctx context.Context) (string, error) {
	out, _, err := run(ctx, nil, t.ffmpeg, "-version")
	if err != nil {
		return "", err
	}
	words := strings.Fields(string(out))
	if len(words) < 3 || words[1] != "version" {
		return "ffmpeg", nil
	}
	return "ffmpeg " + words[2], nil
}

// run runs a program without a shell and returns the beginning of what it answered and
// the end of what it said. follow, where set, reads the answer instead.
func run(ctx context.Context, follow func(io.Reader), program string, args ...string) (answer []byte, said string, err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.WaitDelay = afterKill
	words := &tail{most: maxWords}
	cmd.Stderr = words
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("start %s: %w", program, err)
	}
	var read error
	if follow != nil {
		follow(pipe)
	} else {
		answer, read = io.ReadAll(io.LimitReader(pipe, maxAnswer))
	}
	_, _ = io.Copy(io.Discard, pipe) // what is left, lest the program waits for a reader
	err = errors.Join(cmd.Wait(), read)
	switch {
	case ctx.Err() != nil:
		return nil, "", ctx.Err()
	case err != nil:
		return nil, words.String(), &failure{words: words.String(), err: err}
	}
	return answer, words.String(), nil
}

// failure is a program that ended with an error.
type failure struct {
	words string
	err   error
}

// Error is the last line that the program said, which is where it says why.
func (f *failure) Error() string {
	lines := strings.Split(strings.TrimSpace(f.words), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return "ffmpeg: " + last
	}
	return "ffmpeg: " + f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// tail keeps the last most bytes of what is written to it, or up to twice as many.
type tail struct {
	most int
	kept bytes.Buffer
}

func (t *tail) Write(b []byte) (int, error) {
	t.kept.Write(b)
	if over := t.kept.Len() - t.most; over > t.most {
		t.kept.Next(over)
	}
	return len(b), nil
}

func (t *tail) String() string { return t.kept.String() }
