package study

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// track is one trak box.
type track struct {
	handler       string // "vide", "soun"
	described     description
	width, height int    // px, as displayed: turned by the matrix
	scale         uint32 // units per second of frame times
	edits         []edit
	frames        []sample // in order of decoding

	// Tables as they come; they are joined when all have been read.
	lasts   []run
	offsets []run
}

// edit is one entry of the edit list.
type edit struct {
	length uint64 // in the movie's units; 0 = to the end
	from   int64  // in the track's units; -1 = nothing is shown for length
	rate   int32  // 16.16
}

// run is a number of consecutive samples with the same value.
type run struct {
	count uint32
	value int32
}

// sample is one frame in the track's own units.
type sample struct{ at, lasts int64 }

// readTrack reads a trak box. Its tables are not joined yet: a file of many tracks, each of
// a million frames, is small.
func readTrack(b []byte) (track, error) {
	var t track
	err := eachBox(b, func(kind string, body []byte) error {
		switch kind {
		case "tkhd":
			return t.readHeader(body)
		case "edts":
			return eachBox(body, func(kind string, body []byte) error {
				if kind == "elst" {
					return t.readEdits(body)
				}
				return nil
			})
		case "mdia":
			return eachBox(body, t.readMedia)
		}
		return nil
	})
	return t, err
}

// readHeader reads the displayed size from a tkhd box: its last 44 bytes are the
// matrix (nine numbers of 32 bits) and width and height as 16.16.
func (t *track) readHeader(b []byte) error {
	least := 84
	if len(b) > 0 && b[0] == 1 {
		least = 96
	}
	if len(b) < least {
		return errCutShort
	}
	tail := b[least-44:]
	word := func(i int) int32 { return int32(binary.BigEndian.Uint32(tail[4*i:])) }
	t.width, t.height = int(uint32(word(9))>>16), int(uint32(word(10))>>16)
	if word(0) == 0 && word(4) == 0 && word(1) != 0 && word(3) != 0 {
		t.width, t.height = t.height, t.width // turned by 90 or 270 degrees, as phones do
	}
	return nil
}

func (t *track) readMedia(kind string, body []byte) error {
	switch kind {
	case "mdhd":
		var err error
		t.scale, _, err = header(body)
		return err
	case "hdlr":
		if len(body) < 12 {
			return errCutShort
		}
		t.handler = string(body[8:12])
	case "minf":
		return eachBox(body, func(kind string, body []byte) error {
			if kind == "stbl" {
				return eachBox(body, t.readTable)
			}
			return nil
		})
	}
	return nil
}

func (t *track) readTable(kind string, body []byte) (err error) {
	switch kind {
	case "stsd":
		t.described = describe(body)
	case "stts":
		t.lasts, err = readRuns(body)
	case "ctts":
		// Version 0 says that offsets are unsigned, but encoders write negative
		// ones there too; no true offset needs the top bit.
		t.offsets, err = readRuns(body)
	}
	return err
}

// Matrices of ISO/IEC 23091-2.
const (
	matrixBT709 = 1
	// highDefinition is the height, px, from which browsers take a file that does not
	// say, or says "unspecified" (2), for BT.709 (Chromium's media/base).
	highDefinition = 720
)

// bt709 tells whether a browser decodes the colours by BT.709's matrix.
func (v video) bt709() bool {
	switch v.matrix {
	case 0, 2:
		return v.height >= highDefinition
	}
	return v.matrix == matrixBT709
}

// readRuns reads an stts or ctts box: version and flags, a count, and that many
// pairs.
func readRuns(b []byte) ([]run, error) {
	if len(b) < 8 {
		return nil, errCutShort
	}
	n := int64(binary.BigEndian.Uint32(b[4:]))
	if n*8 > int64(len(b)-8) {
		return nil, errCutShort
	}
	runs := make([]run, n)
	for i := range runs {
		p := b[8+8*i:]
		runs[i] = run{binary.BigEndian.Uint32(p), int32(binary.BigEndian.Uint32(p[4:]))}
	}
	return runs, nil
}

// readEdits reads an elst box.
func (t *track) readEdits(b []byte) error {
	if len(b) < 8 {
		return errCutShort
	}
	n, size := int64(binary.BigEndian.Uint32(b[4:])), 12
	if b[0] == 1 {
		size = 20
	}
	if n*int64(size) > int64(len(b)-8) {
		return errCutShort
	}
	for i := range int(n) {
		p := b[8+size*i:]
		e := edit{
			length: uint64(binary.BigEndian.Uint32(p)),
			from:   int64(int32(binary.BigEndian.Uint32(p[4:]))),
			rate:   int32(binary.BigEndian.Uint32(p[size-4:])),
		}
		if size == 20 {
			e.length, e.from = binary.BigEndian.Uint64(p), int64(binary.BigEndian.Uint64(p[8:]))
		}
		t.edits = append(t.edits, e)
	}
	return nil
}

// join makes the frames from the tables.
func (t *track) join() error {
	total := 0
	for _, r := range t.lasts {
		if r.count > maxFrames || total+int(r.count) > maxFrames {
			return fmt.Errorf("more than %d frames: cut it into clips", maxFrames)
		}
		total += int(r.count)
	}
	t.frames = make([]sample, 0, total)
	at := int64(0)
	for _, r := range t.lasts {
		for range r.count {
			lasts := int64(uint32(r.value))
			t.frames = append(t.frames, sample{at, lasts})
			at += lasts // at most 1e6 * 2^32: no overflow
		}
	}
	k := 0
	for _, r := range t.offsets {
		for range min(int(r.count), total-k) {
			t.frames[k].at += int64(r.value)
			k++
		}
	}
	if len(t.offsets) > 0 && k != total {
		return fmt.Errorf("its tables disagree: %d frames, %d display offsets; %s", total, k, remux)
	}
	return nil
}

// check turns away what could not be shown or measured.
func (t track) check() error {
	if err := t.described.checkPicture(); err != nil {
		return err
	}
	switch {
	case t.scale == 0:
		return errors.New("its video track has no clock (mdhd); " + remux)
	case t.width == 0 || t.height == 0 || t.width > maxPicture || t.height > maxPicture:
		return fmt.Errorf("its picture is %d x %d px; %s", t.width, t.height, convert)
	}
	return nil
}

// shown reads the edit list: an empty edit delays the picture, and one edit
// says which stretch of the track is shown. delay and length are times, length
// 0 means to the end; from is in the track's units.
func (t track) shown(movieScale uint32) (delay time.Duration, from int64, length time.Duration, err error) {
	if movieScale == 0 && len(t.edits) > 0 {
		return 0, 0, 0, errors.New("its edit list has no clock (mvhd); " + remux)
	}
	media := 0
	for _, e := range t.edits {
		if e.length > math.MaxInt64 {
			return 0, 0, 0, errCutShort
		}
		d := toTime(int64(e.length), movieScale)
		switch {
		case e.from == -1 && media == 0:
			delay += d
		case e.from == -1:
			// Nothing after the picture: of no consequence.
		case e.from < 0 || e.rate != 1<<16:
			return 0, 0, 0, errors.New("its edit list changes the speed; " + convert)
		default:
			media++
			from, length = e.from, d
		}
		if delay > maxDuration || length > maxDuration {
			return 0, 0, 0, fmt.Errorf("its edit list runs beyond %s; %s", maxDuration, convert)
		}
	}
	if media > 1 {
		return 0, 0, 0, fmt.Errorf("its edit list joins %d stretches, and players differ at the joints; %s", media, convert)
	}
	if len(t.edits) > 0 && media == 0 {
		return 0, 0, 0, errors.New("its edit list shows nothing; " + convert)
	}
	return delay, from, length, nil
}
