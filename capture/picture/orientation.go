package picture

import (
	"bytes"
	"encoding/binary"
)

// turn is how a stored picture is to be turned to stand upright, as EXIF's tag
// Orientation numbers it: 1 not at all, 2 mirrored, 3 by half a turn, 4 upside
// down, 6 a quarter clockwise, 8 a quarter back, 5 and 7 those two mirrored.
type turn int

// asStored is the picture as it is.
const asStored turn = 1

// swaps tells whether width and height change places.
func (t turn) swaps() bool { return t >= 5 && t <= 8 }

// source returns the pixel of a stored picture of w x h that stands at x, y of
// the upright one.
func (t turn) source(x, y, w, h int) (int, int) {
	switch t {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}

// orientation reads how a JPEG file is to be turned from its EXIF part (CIPA
// DC-008, section 4.5.4). A file that does not say, or says nonsense, stands as
// it is stored.
func orientation(jpeg []byte) turn {
	const (
		startOfScan = 0xda
		app1        = 0xe1
	)
	if len(jpeg) < 2 || jpeg[0] != 0xff || jpeg[1] != 0xd8 {
		return asStored
	}
	for at := 2; at+4 <= len(jpeg) && jpeg[at] == 0xff; {
		if jpeg[at+1] == 0xff { // a marker may stand behind any number of these
			at++
			continue
		}
		marker, size := jpeg[at+1], int(binary.BigEndian.Uint16(jpeg[at+2:]))
		end := at + 2 + size
		if marker == startOfScan || size < 2 || end > len(jpeg) {
			break
		}
		if tiff, ok := bytes.CutPrefix(jpeg[at+4:end], []byte("Exif\x00\x00")); ok && marker == app1 {
			return tiffOrientation(tiff)
		}
		at = end
	}
	return asStored
}

// tiffOrientation reads tag Orientation of the first directory.
func tiffOrientation(tiff []byte) turn {
	const (
		tagOrientation = 0x0112
		typeShort      = 3
		entrySize      = 12
	)
	if len(tiff) < 8 {
		return asStored
	}
	var order binary.ByteOrder = binary.LittleEndian
	if tiff[0] == 'M' {
		order = binary.BigEndian
	}
	first := int64(order.Uint32(tiff[4:]))
	if first+2 > int64(len(tiff)) {
		return asStored
	}
	entries := tiff[first+2:]
	for range order.Uint16(tiff[first:]) {
		if len(entries) < entrySize {
			break
		}
		if order.Uint16(entries) == tagOrientation && order.Uint16(entries[2:]) == typeShort {
			if t := turn(order.Uint16(entries[8:])); t >= 1 && t <= 8 {
				return t
			}
			break
		}
		entries = entries[entrySize:]
	}
	return asStored
}
