package iviewx

import (
	"bytes"
	"errors"
	"strconv"
)

// format is what the tracker is asked to send of each sample: its stamp in
// microseconds, which eyes, gaze, and the pupils' diameters.
const format = `%TU %ET %SX %SY %DX %DY`

// Eye is what one eye did; all 0 = no data.
type Eye struct {
	X, Y   float64 // point of gaze, px of the calibration area
	DX, DY float64 // width and height of the pupil, px of the camera × 32
}

// Gaze tells whether the eye's gaze was measured.
func (e Eye) Gaze() bool { return e.X != 0 || e.Y != 0 }

// Sample is what an ET_SPL message says in the format that we ask for.
type Sample struct {
	StampUS int64 // of the tracker's clock
	Eyes    byte  // 'l', 'r', or 'b' for both
	Left    Eye
	Right   Eye
}

var errSample = errors.New("iviewx: a sample that is not in the format asked for")

const (
	// maxStamp bounds the stamps, as microseconds: 285 years of uptime, which
	// leaves their differences in range.
	maxStamp = 9_000_000_000_000_000
	// maxNumber bounds all other numbers: more than any screen or camera has. There
	// is no checksum, so a damaged digit is known only by what it does.
	maxNumber = 1 << 20
	// maxFields is one more than a sample of two eyes has.
	maxFields = 11
)

// ParseSample reads what stands after "ET_SPL". Two eyes come value by value,
// left before right: SX SX SY SY DX DX DY DY.
func ParseSample(b []byte) (Sample, error) {
	var f [maxFields][]byte
	n := split(b, &f)
	if n < 2 || len(f[1]) != 1 {
		return Sample{}, errSample
	}
	stamp, err := strconv.ParseUint(string(f[0]), 10, 64)
	if err != nil || stamp > maxStamp {
		return Sample{}, errSample
	}
	s := Sample{StampUS: int64(stamp), Eyes: f[1][0]}
	eyes := 1
	if s.Eyes == 'b' {
		eyes = 2
	}
	if n != 2+4*eyes {
		return Sample{}, errSample
	}
	var v [8]float64
	for i := range 4 * eyes {
		if v[i], err = number(f[2+i]); err != nil {
			return Sample{}, err
		}
	}
	switch s.Eyes {
	case 'l':
		s.Left = Eye{v[0], v[1], v[2], v[3]}
	case 'r':
		s.Right = Eye{v[0], v[1], v[2], v[3]}
	case 'b':
		s.Left = Eye{v[0], v[2], v[4], v[6]}
		s.Right = Eye{v[1], v[3], v[5], v[7]}
	default:
		return Sample{}, errSample
	}
	return s, nil
}

// split cuts b at blanks and tabs into at most maxFields fields.
func split(b []byte, f *[maxFields][]byte) (n int) {
	for n < len(f) {
		b = bytes.TrimLeft(b, " \t")
		if len(b) == 0 {
			break
		}
		end := bytes.IndexAny(b, " \t")
		if end < 0 {
			end = len(b)
		}
		f[n], b = b[:end], b[end:]
		n++
	}
	return n
}

// number reads a decimal number of at most maxNumber in size.
func number(b []byte) (float64, error) {
	for _, c := range b { // keeps out "inf", "nan", exponents and hexadecimal
		if (c < '0' || c > '9') && c != '.' && c != '-' {
			return 0, errSample
		}
	}
	x, err := strconv.ParseFloat(string(b), 64)
	if err != nil || x > maxNumber || x < -maxNumber {
		return 0, errSample
	}
	return x, nil
}
