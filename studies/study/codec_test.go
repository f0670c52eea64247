package study

import (
	"slices"
	"strings"
	"testing"
)

// entry is what follows the codec in a sample description: the head of all entries, as
// many bytes as its kind has, and boxes.
func entry(own int, boxes ...[]byte) []byte {
	return slices.Concat(append([][]byte{make([]byte, 8+own)}, boxes...)...)
}

const pictureHead, soundHead = 70, 20

func TestPicturesThatMayNotBeSeen(t *testing.T) {
	for name, c := range map[string]struct {
		codec, kind string
		config      []byte
		want        string // "" = it plays
	}{
		"H.264 Baseline":    {"avc1", "avcC", []byte{1, 66, 0xc0, 30}, ""},
		"H.264 Main":        {"avc1", "avcC", []byte{1, 77, 0, 30}, ""},
		"H.264 High":        {"avc3", "avcC", []byte{1, 100, 0, 30}, ""},
		"H.264 High 10":     {"avc1", "avcC", []byte{1, 110, 0, 30}, "10 bits a colour"},
		"H.264 High 4:2:2":  {"avc1", "avcC", []byte{1, 122, 0, 30}, "studio profile"},
		"H.264 High 4:4:4":  {"avc1", "avcC", []byte{1, 244, 0, 30}, "studio profile"},
		"VP9, 4:2:0":        {"vp09", "vpcC", []byte{1, 0, 0, 0, 0, 10, 0x82}, ""},
		"VP9, 10 bits":      {"vp09", "vpcC", []byte{1, 0, 0, 0, 2, 10, 0xa2}, "10 bits a colour"},
		"VP9, 4:4:4":        {"vp09", "vpcC", []byte{1, 0, 0, 0, 1, 10, 0x86}, "studio profile"},
		"AV1":               {"av01", "av1C", []byte{0x81, 4, 0x0c, 0}, ""},
		"AV1, 10 bits":      {"av01", "av1C", []byte{0x81, 4, 0x4c, 0}, "10 bits a colour"},
		"AV1, 12 bits":      {"av01", "av1C", []byte{0x81, 4, 0x6c, 0}, "12 bits a colour"},
		"AV1, 4:4:4":        {"av01", "av1C", []byte{0x81, 4, 0, 0}, "studio profile"},
		"says nothing":      {"avc1", "free", nil, ""},
		"cut short":         {"avc1", "avcC", []byte{1}, ""},
		"HEVC":              {"hev1", "hvcC", make([]byte, 23), `HEVC (H.265), "hev1"`},
		"ProRes":            {"apch", "free", nil, "Apple ProRes"},
		"something unknown": {"zzzz", "free", nil, `"zzzz"`},
		"protected":         {"encv", "sinf", nil, "copy protection"},
	} {
		f := plainFilm()
		f.codec, f.entry = c.codec, entry(pictureHead, box(c.kind, c.config))
		v, err := parseFilm(f.bytes())
		switch {
		case c.want == "" && (err != nil || v.codec == ""):
			t.Errorf("%s: %q, %v", name, v.codec, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), convert)):
			t.Errorf("%s: %v, want %q and what to do", name, err, c.want)
		}
	}
}

// esds is an elementary stream's descriptor with an object type, its lengths in one byte
// or in four.
func esds(object byte, flags byte, long bool, extra ...byte) []byte {
	length := func(n int) []byte {
		if long {
			return []byte{0x80, 0x80, 0x80, byte(n)}
		}
		return []byte{byte(n)}
	}
	config := slices.Concat([]byte{4}, length(13), []byte{object, 0x15}, make([]byte, 11))
	body := slices.Concat([]byte{0, 1, flags}, extra, config)
	return box("esds", words(0), []byte{3}, length(len(body)), body)
}

func TestSoundsThatMayNotBeHeard(t *testing.T) {
	version := func(v byte, own int) []byte {
		e := entry(own)
		e[9] = v
		return e
	}
	for name, c := range map[string]struct {
		codec string
		entry []byte
		want  string // the codec's name, or "" and
		err   string
	}{
		"AAC":                       {"mp4a", entry(soundHead, esds(0x40, 0, false)), "AAC", ""},
		"AAC, long lengths":         {"mp4a", entry(soundHead, esds(0x40, 0, true)), "AAC", ""},
		"AAC, all options":          {"mp4a", entry(soundHead, esds(0x40, 0xe0, false, 0, 9, 2, 'h', 'i', 0, 7)), "AAC", ""},
		"MP3":                       {"mp4a", entry(soundHead, esds(0x6b, 0, false)), "MP3", ""},
		"MP3 of QuickTime":          {".mp3", entry(soundHead), "MP3", ""},
		"AAC of QuickTime":          {"mp4a", slices.Concat(version(1, soundHead), make([]byte, 16), box("wave", box("frma", []byte("mp4a")), esds(0x40, 0, true))), "AAC", ""},
		"AAC of QuickTime, longer":  {"mp4a", slices.Concat(version(2, soundHead), make([]byte, 36), esds(0x40, 0, true)), "AAC", ""},
		"Opus":                      {"Opus", entry(soundHead, box("dOps", make([]byte, 11))), "Opus", ""},
		"FLAC":                      {"fLaC", entry(soundHead), "FLAC", ""},
		"says nothing":              {"mp4a", entry(soundHead), "AAC", ""},
		"cut short":                 {"mp4a", []byte{0, 0}, "AAC", ""},
		"DTS as MPEG":               {"mp4a", entry(soundHead, esds(0xa9, 0, false)), "", "object type 0xa9"},
		"Dolby":                     {"ac-3", entry(soundHead), "", "Dolby Digital (AC-3)"},
		"Apple Lossless":            {"alac", entry(soundHead), "", "Apple Lossless"},
		"uncompressed":              {"sowt", entry(soundHead), "", "uncompressed PCM"},
		"something unknown":         {"zzzz", entry(soundHead), "", `"zzzz"`},
		"no sample description":     {"", nil, "", `""`},
		"descriptor without an end": {"mp4a", entry(soundHead, box("esds", words(0), []byte{3, 0x80, 0x80, 0x80, 0x80, 0x80})), "AAC", ""},
		"address beyond the end":    {"mp4a", entry(soundHead, box("esds", words(0), []byte{3, 9, 0, 1, 0x40, 200, 4})), "AAC", ""},
	} {
		f := plainFilm()
		stsd := box("stsd", words(0, 1, int64(8+len(c.entry))), []byte(c.codec), c.entry)
		if c.codec == "" {
			stsd = box("stsd", words(0, 0))
		}
		f.sound = box("trak", box("mdia", box("hdlr", words(0, 0), []byte("soun"), words(0, 0, 0)), box("minf", box("stbl", stsd))))
		v, err := parseFilm(f.bytes())
		switch {
		case c.err == "" && (err != nil || v.sound != c.want):
			t.Errorf("%s: %q, %v; want %q", name, v.sound, err, c.want)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), convert)):
			t.Errorf("%s: %v, want %q and what to do", name, err, c.err)
		}
	}
	if v, err := parseFilm(plainFilm().bytes()); err != nil || v.sound != "" {
		t.Errorf("without sound: %q, %v", v.sound, err)
	}
}
