package study

import (
	"encoding/binary"
	"fmt"
)

// This file reads how picture and sound are coded from their sample descriptions
// (ISO/IEC 14496-12, 8.5.2). It is strict because a browser is not: of a picture
// that it cannot decode Chromium plays the sound alone, and of such a sound the
// picture alone, and reports no error either time.

const (
	// entryHead is how long a stsd box is up to the codec's own data: 8 bytes of its
	// own, 8 of the entry's box and 8 that all entries have.
	entryHead = 8 + 8 + 8
	// visualEntry is as much and the 70 bytes of a picture's entry (12.1.3).
	visualEntry = entryHead + 70
	// soundEntry is as much and the 20 bytes of a sound's entry (12.2.3); QuickTime
	// has two longer ones, told by their version.
	soundEntry                   = entryHead + 20
	soundEntryMore1, soundMore2  = 16, 36
	quickTimeSound, quickTime2nd = 1, 2
)

// playable are the codecs of pictures that Chromium decodes on every machine. HEVC
// is not one of them: it needs the graphics card's help.
var playable = map[string]string{"avc1": "H.264", "avc3": "H.264", "vp09": "VP9", "av01": "AV1"}

// audible are the codecs of sound that it decodes. MPEG's sound, mp4a, says more in a
// descriptor: see mpegSound.
var audible = map[string]string{"Opus": "Opus", "fLaC": "FLAC", ".mp3": "MP3"}

// mpegSound are the object types of an mp4a's descriptor that are decoded
// (ISO/IEC 14496-1, 7.2.6.6, and the registration authority's list).
var mpegSound = map[byte]string{0x40: "AAC", 0x66: "AAC", 0x67: "AAC", 0x68: "AAC", 0x69: "MP3", 0x6b: "MP3"}

// spoken are the names by which people know what is refused.
var spoken = map[string]string{
	"hvc1": "HEVC (H.265)", "hev1": "HEVC (H.265)", "dvh1": "Dolby Vision", "dvhe": "Dolby Vision", "vvc1": "VVC (H.266)",
	"apch": "Apple ProRes", "apcn": "Apple ProRes", "apcs": "Apple ProRes", "apco": "Apple ProRes", "ap4h": "Apple ProRes", "ap4x": "Apple ProRes",
	"mp4v": "MPEG-4 Part 2", "vp08": "VP8", "jpeg": "Motion JPEG", "mjpa": "Motion JPEG", "AVdn": "Avid DNxHD", "AVdh": "Avid DNxHR", "encv": "a copy protection",
	"ac-3": "Dolby Digital (AC-3)", "ec-3": "Dolby Digital Plus (E-AC-3)", "alac": "Apple Lossless", "enca": "a copy protection",
	"sowt": "uncompressed PCM", "twos": "uncompressed PCM", "lpcm": "uncompressed PCM", "ipcm": "uncompressed PCM", "in24": "uncompressed PCM", "raw ": "uncompressed PCM",
}

// named is a codec as a person knows it, with the file's own word for it.
func named(codec string) string {
	if s, ok := spoken[codec]; ok {
		return fmt.Sprintf("%s, %q", s, codec)
	}
	return fmt.Sprintf("%q", codec)
}

// description is what a stsd box says of its first entry.
type description struct {
	codec  string // "avc1"; "" = it has no entry
	matrix uint16 // by which the picture's colours were coded, ISO/IEC 23091-2; 0 = it does not say
	depth  int    // bits of each sample of the picture; 0 = it does not say
	full   bool   // whether its colours have more samples than 4:2:0
	object byte   // of an mp4a: its object type; 0 = it does not say
}

// describe reads a stsd box. Damage further in is not the study's concern: what
// cannot be read is as if not said.
func describe(stsd []byte) description {
	var d description
	if len(stsd) < 16 {
		return d
	}
	d.codec = string(stsd[12:16])
	length := int64(binary.BigEndian.Uint32(stsd[8:])) + 8
	if length > int64(len(stsd)) {
		return d
	}
	entry := stsd[:length]
	if _, ok := playable[d.codec]; ok && len(entry) >= visualEntry {
		_ = eachBox(entry[visualEntry:], func(kind string, body []byte) error {
			d.picture(kind, body)
			return nil
		})
	}
	if d.codec == "mp4a" {
		_ = eachBox(entry[min(soundStart(entry), len(entry)):], func(kind string, body []byte) error {
			switch kind {
			case "esds":
				d.object = objectType(body)
			case "wave": // QuickTime's
				return eachBox(body, func(kind string, body []byte) error {
					if kind == "esds" {
						d.object = objectType(body)
					}
					return nil
				})
			}
			return nil
		})
	}
	return d
}

// soundStart is where the boxes of a sound's entry begin.
func soundStart(entry []byte) int {
	if len(entry) < soundEntry {
		return len(entry)
	}
	switch binary.BigEndian.Uint16(entry[entryHead:]) {
	case quickTimeSound:
		return soundEntry + soundEntryMore1
	case quickTime2nd:
		return soundEntry + soundMore2
	}
	return soundEntry
}

// picture reads one box of a picture's entry.
func (d *description) picture(kind string, b []byte) {
	switch {
	// "nclx" or QuickTime's "nclc", then primaries, transfer and matrix.
	case kind == "colr" && len(b) >= 10 && string(b[:3]) == "ncl" && d.matrix == 0:
		d.matrix = binary.BigEndian.Uint16(b[8:])
	case kind == "avcC" && len(b) >= 2:
		// Profiles up to High are 8 bits of 4:2:0 (ISO/IEC 14496-10, annex A.2); those
		// above it carry more of either, or may.
		switch profile := b[1]; profile {
		case 66, 77, 88, 100:
			d.depth = 8
		case 110:
			d.depth = 10
		default:
			d.depth, d.full = 8, true
		}
	case kind == "vpcC" && len(b) >= 7:
		// Version and flags, profile, level, then 4 bits of depth and 3 of subsampling,
		// of which 0 and 1 are 4:2:0 (VP Codec ISO Media File Format Binding, 1.0).
		d.depth, d.full = int(b[6]>>4), b[6]>>1&7 > 1
	case kind == "av1C" && len(b) >= 3:
		// In its third byte: high bit depth, twelve bits, monochrome, and subsampling in
		// either direction (AV1 Codec ISO Media File Format Binding, 2.3).
		d.depth = 8
		if b[2]&0x40 != 0 {
			d.depth = 10
		}
		if b[2]&0x20 != 0 {
			d.depth = 12
		}
		d.full = b[2]&0x0c != 0x0c
	}
}

// objectType reads the object type from an esds box: an elementary stream's
// descriptor, tag 3, and in it the decoder's, tag 4 (ISO/IEC 14496-1, 7.2.6).
func objectType(b []byte) byte {
	if len(b) < 4 {
		return 0
	}
	b, ok := descriptor(b[4:], 3)
	if !ok || len(b) < 3 {
		return 0
	}
	flags := b[2]
	b = b[3:]
	skip := 0
	if flags&0x80 != 0 { // depends on another stream
		skip += 2
	}
	if flags&0x40 != 0 && len(b) > skip { // an address
		skip += 1 + int(b[skip])
	}
	if flags&0x20 != 0 { // a clock of its own
		skip += 2
	}
	if b, ok = descriptor(b[min(skip, len(b)):], 4); !ok || len(b) == 0 {
		return 0
	}
	return b[0]
}

// descriptor returns what follows the head of a descriptor: its tag, and up to four
// bytes of length, of which all but the last have their top bit set.
func descriptor(b []byte, tag byte) ([]byte, bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, false
	}
	for i := 1; i < min(len(b), 5); i++ {
		if b[i]&0x80 == 0 {
			return b[i+1:], true
		}
	}
	return nil, false
}

// mostDepth is the depth, in bits, that every Chromium shows smoothly: cards decode
// H.264 of no more, and what has more is mostly made for screens of another kind
// (HDR), so that its brightness here would be anybody's guess.
const mostDepth = 8

// checkPicture turns away pictures that may not be seen.
func (d description) checkPicture() error {
	name, ok := playable[d.codec]
	switch {
	case !ok:
		return fmt.Errorf("its picture is coded by %s, which does not play in every browser: a participant might hear it and see nothing; %s", named(d.codec), convert)
	case d.depth > mostDepth:
		return fmt.Errorf("its picture is %s with %d bits a colour, which not every browser plays smoothly (8 do); %s", name, d.depth, convert)
	case d.full:
		return fmt.Errorf("its picture is %s of a studio profile (colours finer than 4:2:0), which not every browser plays smoothly; %s", name, convert)
	}
	return nil
}

// sound is the name of a sound's codec, or why it may not be heard.
func (d description) sound() (string, error) {
	if name, ok := audible[d.codec]; ok {
		return name, nil
	}
	if d.codec == "mp4a" {
		if name, ok := mpegSound[d.object]; ok {
			return name, nil
		}
		if d.object != 0 {
			return "", fmt.Errorf("its sound is of MPEG's object type 0x%02x, which browsers do not play: a participant would see it and hear nothing; %s", d.object, convert)
		}
		return "AAC", nil
	}
	return "", fmt.Errorf("its sound is coded by %s, which does not play in every browser: a participant might see it and hear nothing; %s", named(d.codec), convert)
}
