package study

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// This file and track.go read of an MP4 file what a study needs to know of it:
// the picture's size and the time of every frame, by ISO/IEC 14496-12. They
// stand here because Go has no maintained library for it that reads edit lists,
// and asking an installed ffprobe would make the frame table depend on which
// one that is. Nothing of the pictures themselves is read.

const (
	// maxIndex bounds the index (the moov box) that is held in memory. An hour
	// of video has about one megabyte.
	maxIndex = 64 << 20 // bytes
	// maxFrames bounds the frame table: nine hours at 30 frames a second.
	maxFrames = 1_000_000
	// maxBoxes bounds the top-level boxes looked at on the way to the index.
	maxBoxes = 10_000
	// maxDuration bounds a stimulus. Times beyond it are damage.
	maxDuration = 24 * time.Hour
	// maxPicture bounds either side of the picture, px.
	maxPicture = 16_384
)

// Advice for files that cannot be used as they are.
const (
	converter = "emolab study import --convert" // and the name of the file
	convert   = "convert it with: " + converter
	remux     = "repack it with: " + converter
)

// errCutShort is a box that promises more bytes than there are.
var errCutShort = errors.New("the file is cut short or damaged: copy it again")

// video is the video track of an MP4 file.
type video struct {
	width, height int    // px, as displayed
	matrix        uint16 // see description
	codec         string // of the picture, as a person knows it: "H.264"
	sound         string // of the first sound; "" = none
	duration      time.Duration
	times         []time.Duration // of the frames, in order of display
}

// readMP4 reads the video track of the file r of size bytes, and how its first sound is
// coded: the one that browsers play.
func readMP4(r io.ReaderAt, size int64) (video, error) {
	moov, err := findIndex(r, size)
	if err != nil {
		return video{}, err
	}
	var tracks []track
	var sounds []description
	var movieScale uint32
	fragmented := false
	err = eachBox(moov, func(kind string, body []byte) error {
		switch kind {
		case "mvhd":
			var err error
			movieScale, _, err = header(body)
			return err
		case "mvex":
			fragmented = true
		case "trak":
			t, err := readTrack(body)
			if err != nil {
				return err
			}
			switch t.handler {
			case "vide":
				tracks = append(tracks, t)
			case "soun":
				sounds = append(sounds, t.described)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return video{}, err
	case len(tracks) == 0:
		return video{}, errors.New("no video track; " + convert)
	case len(tracks) > 1:
		return video{}, fmt.Errorf("%d video tracks, and players differ in which they show; %s", len(tracks), remux)
	case fragmented:
		return video{}, errors.New("the video is in fragments, without a table of its frames; " + remux)
	}
	if err := tracks[0].join(); err != nil {
		return video{}, err
	}
	v, err := tracks[0].video(movieScale)
	if err != nil || len(sounds) == 0 {
		return v, err
	}
	v.sound, err = sounds[0].sound()
	return v, err
}

// findIndex returns the body of the file's moov box.
func findIndex(r io.ReaderAt, size int64) ([]byte, error) {
	var head [16]byte
	at := int64(0)
	for range maxBoxes {
		if at == size {
			break
		}
		n, err := r.ReadAt(head[:min(16, size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read at byte %d: %w", at, err)
		}
		kind, length, body, err := boxHead(head[:n], size-at)
		if err != nil {
			if at == 0 {
				return nil, errors.New("not an MP4 file; " + convert)
			}
			return nil, err
		}
		if at == 0 && kind != "ftyp" && kind != "moov" && kind != "wide" && kind != "free" && kind != "skip" && kind != "mdat" {
			return nil, errors.New("not an MP4 file; " + convert)
		}
		if kind == "moov" {
			if length > maxIndex {
				return nil, fmt.Errorf("its index has %d bytes, more than any stimulus needs (%d)", length, maxIndex)
			}
			moov := make([]byte, length-int64(body))
			if _, err := r.ReadAt(moov, at+int64(body)); err != nil && !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("read the index at byte %d: %w", at, err)
			}
			return moov, nil
		}
		at += length
	}
	return nil, errors.New("no index (moov box): the recording was not closed or the file is cut short; take it from its source again")
}

// boxHead reads the head of a box of which rest bytes remain in its container:
// four bytes of size and four of kind, then eight of size if the first is 1. A
// size of 0 means as far as the container goes. body is the length of the head.
func boxHead(b []byte, rest int64) (kind string, length int64, body int, err error) {
	if len(b) < 8 {
		return "", 0, 0, errCutShort
	}
	kind, length, body = string(b[4:8]), int64(binary.BigEndian.Uint32(b)), 8
	switch length {
	case 0:
		length = rest
	case 1:
		if len(b) < 16 {
			return "", 0, 0, errCutShort
		}
		large := binary.BigEndian.Uint64(b[8:])
		if large > math.MaxInt64 {
			return "", 0, 0, errCutShort
		}
		length, body = int64(large), 16
	}
	if length < int64(body) || length > rest {
		return "", 0, 0, errCutShort
	}
	return kind, length, body, nil
}

// eachBox calls f with every box in b, in order.
func eachBox(b []byte, f func(kind string, body []byte) error) error {
	for len(b) > 0 {
		if len(b) < 8 {
			return nil // QuickTime ends some containers with four zero bytes
		}
		kind, length, head, err := boxHead(b, int64(len(b)))
		if err != nil {
			return err
		}
		if err := f(kind, b[head:length]); err != nil {
			return err
		}
		b = b[length:]
	}
	return nil
}

// header reads the timescale (units per second) and duration of an mvhd or mdhd
// box: version 0 has times of 32 bits, version 1 of 64.
func header(b []byte) (scale uint32, duration uint64, err error) {
	if len(b) < 4 {
		return 0, 0, errCutShort
	}
	switch {
	case b[0] == 0 && len(b) >= 20:
		scale, duration = binary.BigEndian.Uint32(b[12:]), uint64(binary.BigEndian.Uint32(b[16:]))
	case b[0] == 1 && len(b) >= 32:
		scale, duration = binary.BigEndian.Uint32(b[20:]), binary.BigEndian.Uint64(b[24:])
	default:
		return 0, 0, errCutShort
	}
	if scale == 0 {
		return 0, 0, errors.New("its clock has no rate (timescale 0): " + remux)
	}
	return scale, duration, nil
}

// toTime converts v units of scale per second, rounded to the nanosecond. Times
// out of range become maxDuration+1, which the caller turns away.
func toTime(v int64, scale uint32) time.Duration {
	s := v / int64(scale)
	if s > int64(maxDuration/time.Second) || s < -int64(maxDuration/time.Second) {
		return maxDuration + 1
	}
	rest := v % int64(scale)
	half := int64(scale) / 2
	if rest < 0 {
		half = -half
	}
	return time.Duration(s)*time.Second + time.Duration((rest*int64(time.Second)+half)/int64(scale))
}

// video applies the track's edit list to its frame table.
func (t track) video(movieScale uint32) (video, error) {
	if err := t.check(); err != nil {
		return video{}, err
	}
	delay, from, length, err := t.shown(movieScale)
	if err != nil {
		return video{}, err
	}
	v := video{width: t.width, height: t.height, matrix: t.described.matrix, codec: playable[t.described.codec]}
	for _, f := range t.frames {
		// A frame that begins before the edit is decoded for the sake of the
		// others but not shown, as in browsers.
		if f.at < from {
			continue
		}
		at := toTime(f.at-from, t.scale)
		if length > 0 && at >= length {
			continue
		}
		end := delay + toTime(f.at-from+f.lasts, t.scale)
		if at+delay > maxDuration || end > maxDuration {
			return video{}, fmt.Errorf("a frame lies beyond %s, so its times are damaged; %s", maxDuration, convert)
		}
		v.times = append(v.times, delay+at)
		v.duration = max(v.duration, end)
	}
	if len(v.times) == 0 {
		return video{}, errors.New("its video track shows no frame; " + convert)
	}
	slices.Sort(v.times)
	for i := 1; i < len(v.times); i++ {
		if v.times[i] == v.times[i-1] {
			return video{}, fmt.Errorf("two frames at the same time (%s); %s", v.times[i], convert)
		}
	}
	return v, nil
}
