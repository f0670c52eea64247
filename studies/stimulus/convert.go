package stimulus

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"emolab/studies/study"
)

// Converted is a video that was made ready.
type Converted struct {
	study.Stimulus
	// Kept tells whether the picture was taken over as it was, without loss: then only
	// its container, or its sound, was the trouble.
	Kept bool
	// Already tells that the same video had been made ready before, and nothing was done.
	Already bool
	// Notes say what else was done to it, in words.
	Notes []string
}

// Convert makes of a video that ffmpeg can read one that browsers play, in the new file
// out: H.264 of 8 bits and 4:2:0 at a constant rate, AAC of at most two channels, square
// pixels, turned upright, without subtitles, chapters, and the notes in which phones keep
// the place and owner. What plays already is taken over without loss. Nothing is ever
// overwritten. The result has been read back as a study will read it. progress, where
// set, is told what share is done, 0 to 1.
func (t *FFmpeg) Convert(ctx context.Context, in, out string, progress func(share float64)) (done Converted, err error) {
	if progress == nil {
		progress = func(float64) {}
	}
	mark, err := origin(in)
	if err != nil {
		return Converted{}, err
	}
	if _, err := os.Lstat(out); err == nil {
		return t.already(ctx, out, mark)
	}
	p, err := t.probe(ctx, in)
	if err != nil {
		return Converted{}, err
	}
	work, err := NewPart(filepath.Dir(out))
	if err != nil {
		return Converted{}, err
	}
	defer func() { err = errors.Join(err, work.Drop()) }()
	done = Converted{Kept: p.picture.playable()}
	for {
		args := append(append([]string{"-v", "error", "-nostdin", "-y", "-progress", "pipe:1"}, input(in)...), p.arguments(done.Kept, mark)...)
		follow := func(r io.Reader) { followProgress(r, p.duration, progress) }
		_, _, err = run(ctx, follow, t.ffmpeg, append(args, "file:"+work.Name())...)
		if err == nil {
			done.Stimulus, err = study.Measure(work.Name())
		}
		if err == nil || ctx.Err() != nil || !done.Kept {
			break
		}
		done.Kept = false // its tables are as they should not be: everything is made anew
	}
	if err != nil {
		return Converted{}, fmt.Errorf("convert %s: %w", in, explain(err))
	}
	// A damaged file is read as far as it goes.
	if short := p.duration - done.Duration; p.duration > 0 && short > max(time.Second, p.duration/20) {
		return Converted{}, fmt.Errorf("convert %s: only %.1f s of its %.1f s can be read: copy it anew from where it comes", in, done.Duration.Seconds(), p.duration.Seconds())
	}
	switch err := work.Place(out); {
	case errors.Is(err, fs.ErrExist):
		return Converted{}, fmt.Errorf("%s is there by now, and nothing is overwritten: delete it or choose another folder", out)
	case err != nil:
		return Converted{}, err
	}
	done.File, done.Notes = out, p.notes(done.Kept)
	return done, nil
}

// originPrefix is what the comment of a conversion begins with; the SHA-256 of what it was
// made of follows, in hex.
const originPrefix = "emolab: from "

// origin is the comment that a conversion of a file is given.
func origin(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("read %s: %w", file, err)
	}
	return originPrefix + hex.EncodeToString(sum.Sum(nil)), nil
}

// already returns the conversion that is there, if it was made of the video with the mark.
func (t *FFmpeg) already(ctx context.Context, out, mark string) (Converted, error) {
	p, err := t.probe(ctx, out)
	if ctx.Err() != nil {
		return Converted{}, ctx.Err()
	}
	if err != nil || p.comment != mark {
		return Converted{}, fmt.Errorf("%s is there already, was not made of this video, and nothing is overwritten: delete it or choose another folder", out)
	}
	s, err := study.Measure(out)
	return Converted{Stimulus: s, Already: true}, err
}

// explain says what to do about what ffmpeg lacks.
func explain(err error) error {
	for what, have := range map[string]string{
		"Unknown encoder 'libx264'": "this ffmpeg cannot write H.264",
		"Unknown encoder 'aac'":     "this ffmpeg cannot write AAC",
		"No such filter: 'zscale'":  "this ffmpeg cannot bring HDR to the range of ordinary screens",
	} {
		if f := (*failure)(nil); errors.As(err, &f) && strings.Contains(f.words, what) {
			return fmt.Errorf("%s: install that of your distribution (sudo apt install ffmpeg)", have)
		}
	}
	return err
}

// playable tells whether browsers show the picture as it is.
func (p picture) playable() bool {
	return slices.Contains([]string{"h264", "vp9", "av1"}, p.codec) && slices.Contains([]string{"yuv420p", "yuvj420p"}, p.pixels) &&
		p.square && !p.interlaced && !p.hdr()
}

// hdr tells whether its brightness is meant for screens of high dynamic range: PQ or HLG.
func (p picture) hdr() bool { return p.transfer == "smpte2084" || p.transfer == "arib-std-b67" }

// highDefinition is the height, px, from which what does not name its matrix is BT.709,
// as browsers have it.
const highDefinition = 720

// matrices are the colour matrix of the result and of a source that does not name its
// own, in the words of ffmpeg.
func (p picture) matrices() (of, assumed string) {
	of = "smpte170m"
	if p.height >= highDefinition {
		of = "bt709"
	}
	assumed = of
	switch p.matrix {
	case "", "unknown":
	case "smpte170m", "bt470bg":
		of, assumed = "smpte170m", ""
	default:
		of, assumed = "bt709", ""
	}
	if p.hdr() {
		of, assumed = "bt709", ""
	}
	return of, assumed
}

// filters are what is done to the picture.
func (p picture) filters() string {
	var f []string
	if p.interlaced {
		f = append(f, "bwdif=mode=send_frame")
	}
	of, assumed := p.matrices()
	if p.hdr() {
		// White at 203 cd/m² (ITU-R BT.2408), and what is brighter rolled off.
		f = append(f, "zscale=transfer=linear:npl=203", "format=gbrpf32le", "zscale=primaries=bt709", "tonemap=tonemap=hable:desat=0",
			"zscale=transfer=bt709:matrix=bt709:range=tv", "format=yuv420p")
	}
	// H.264 of 4:2:0 has an even number of pixels either way.
	scale := "scale=w=max(2\\,trunc(iw*sar/2)*2):h=max(2\\,trunc(ih/2)*2):flags=lanczos:out_color_matrix=" + of + ":out_range=tv"
	if assumed != "" {
		scale += ":in_color_matrix=" + assumed
	}
	return strings.Join(append(f, "fps="+p.rate.String(), scale, "setsar=1", "format=yuv420p"), ",")
}

// arguments are those between the input and the name of the output.
func (p probed) arguments(keep bool, comment string) []string {
	args := []string{"-map", "0:v:" + strconv.Itoa(p.picture.index), "-map", "0:a:0?", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1", "-metadata", "comment=" + comment}
	if keep {
		args = append(args, "-c:v", "copy")
	} else {
		of, _ := p.picture.matrices()
		args = append(args, "-filter:v", p.picture.filters(), "-c:v", "libx264", "-preset", "medium", "-crf", "17", "-profile:v", "high",
			"-colorspace", of, "-color_primaries", of, "-color_trc", of, "-color_range", "tv")
	}
	if keep && slices.Contains([]string{"aac", "mp3", "opus"}, p.sound) {
		args = append(args, "-c:a", "copy")
	} else {
		args = append(args, "-c:a", "aac", "-b:a", "192k")
		if p.channels > 2 {
			args = append(args, "-ac", "2")
		}
	}
	// The same file makes the same file again, and its index comes first.
	return append(args, "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-movflags", "+faststart", "-f", "mp4")
}

// notes are what was done that a person should know.
func (p probed) notes(kept bool) []string {
	var n []string
	if kept {
		return n
	}
	if p.picture.hdr() {
		n = append(n, "brought from HDR to the range of ordinary screens: look at it once")
	}
	if !p.picture.steady {
		n = append(n, fmt.Sprintf("its frames came at uneven times, and now at %.4g a second", p.picture.rate.float()))
	}
	if p.picture.interlaced {
		n = append(n, "its half-pictures were joined")
	}
	if p.channels > 2 {
		n = append(n, fmt.Sprintf("its %d channels of sound were mixed to two", p.channels))
	}
	return n
}

// followProgress reads the lines key=value that ffmpeg's -progress writes.
func followProgress(r io.Reader, whole time.Duration, progress func(float64)) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		us, found := strings.CutPrefix(lines.Text(), "out_time_us=")
		v, err := strconv.ParseInt(us, 10, 64)
		if found && err == nil && whole > 0 {
			progress(max(0, min(float64(v)*float64(time.Microsecond)/float64(whole), 1)))
		}
	}
}
