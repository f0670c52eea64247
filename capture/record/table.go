package record

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"emolab/fusion/instant"
)

// tableHead names the columns of a frame table: the file's number in its
// segment, the frame's place in that file, the camera's epoch, the number of the
// frame in the face stream, and its instants, ns.
const tableHead = "file,frame,epoch,seq,at_ns,arrival_ns\n"

// entry is one line of a frame table.
type entry struct {
	file        int
	frame       int64
	epoch       int
	seq         int64
	at, arrival instant.Instant
}

// append writes the line to b.
func (e entry) append(b []byte) []byte {
	for i, v := range [...]int64{int64(e.file), e.frame, int64(e.epoch), e.seq, int64(e.at), int64(e.arrival)} {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, v, 10)
	}
	return append(b, '\n')
}

// parseTable reads a frame table. A last line without its end, as a killed
// process leaves it, is left out; anything else that this package does not
// write is an error that names the line.
func parseTable(text []byte) ([]entry, error) {
	rest, whole := bytes.CutPrefix(text, []byte(tableHead))
	if !whole {
		if bytes.HasPrefix([]byte(tableHead), text) {
			return nil, nil // killed while it wrote the head
		}
		return nil, fmt.Errorf("line 1 is not %q", strings.TrimSpace(tableHead))
	}
	var entries []entry
	for line := 2; ; line++ {
		var one []byte
		if one, rest, whole = bytes.Cut(rest, []byte{'\n'}); !whole {
			return entries, nil
		}
		e, err := parseEntry(string(one))
		if err == nil && !e.follows(entries) {
			err = fmt.Errorf("frame %d of file %d is out of place", e.frame, e.file)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		entries = append(entries, e)
	}
}

func parseEntry(line string) (entry, error) {
	var v [6]int64
	fields := strings.Split(line, ",")
	if len(fields) != len(v) {
		return entry{}, fmt.Errorf("%d columns, want %d", len(fields), len(v))
	}
	for i, s := range fields {
		var err error
		if v[i], err = strconv.ParseInt(s, 10, 64); err != nil {
			return entry{}, fmt.Errorf("%q is no whole number", s)
		}
	}
	const maxInt32 = 1<<31 - 1 // files and epochs are counted by int
	if v[0] < 0 || v[0] > maxInt32 || v[1] < 0 || v[2] < 0 || v[2] > maxInt32 {
		return entry{}, fmt.Errorf("%q counts below zero or too far", line)
	}
	return entry{int(v[0]), v[1], int(v[2]), v[3], instant.Instant(v[4]), instant.Instant(v[5])}, nil
}

// follows tells whether e may stand after those: the next frame of the same
// file, or the first of the next.
func (e entry) follows(entries []entry) bool {
	if len(entries) == 0 {
		return e.file == 0 && e.frame == 0
	}
	last := entries[len(entries)-1]
	return e.file == last.file && e.frame == last.frame+1 || e.file == last.file+1 && e.frame == 0
}
