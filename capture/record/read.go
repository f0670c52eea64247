package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"emolab/capture/frame"
)

// decoder reads the pictures of one file in their order. read returns io.EOF
// after the last that can be read.
type decoder interface {
	read() (pix []byte, width, height int, err error)
	close() error
}

// Read goes through the frames that are kept in dir, in the order in which they
// were taken. The last file of a segment may be cut off, as a killed process
// leaves it: what can be read of it is read. A folder that is not there has no
// frames. An error ends the sequence; a file that is not there, or is shorter
// than its table says and not the last, is one.
func Read(dir string) iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		segments, err := segments(dir)
		if err != nil {
			yield(Kept{}, fmt.Errorf("record: %w", err))
			return
		}
		for _, s := range segments {
			more := true
			err := readSegment(dir, s, func(k Kept) bool {
				more = yield(k, nil)
				return more
			})
			if err != nil && more {
				yield(Kept{}, fmt.Errorf("record: %w", err))
				return
			}
			if !more {
				return
			}
		}
	}
}

// segments lists the segments of which there is a table.
func segments(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var found []int
	for _, e := range entries {
		var n int
		if _, no := fmt.Sscanf(e.Name(), "segment-%d.csv", &n); no == nil && filepath.Join(dir, e.Name()) == tablePath(dir, n) {
			found = append(found, n)
		}
	}
	slices.Sort(found)
	return found, err
}

// readSegment gives the frames of one segment to each, until it wants no more.
func readSegment(dir string, segment int, each func(Kept) bool) error {
	entries, err := readTable(tablePath(dir, segment))
	if err != nil {
		return err
	}
	for len(entries) > 0 {
		n := slices.IndexFunc(entries, func(e entry) bool { return e.file != entries[0].file })
		if n < 0 {
			n = len(entries)
		}
		more, err := readFile(dir, segment, entries[:n], n == len(entries), each)
		if err != nil || !more {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// readTable reads the frame table of a segment.
func readTable(path string) ([]entry, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	entries, err := parseTable(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return entries, nil
}

// readFile gives the frames of one file, which its entries name. The last of a
// segment may hold fewer.
func readFile(dir string, segment int, entries []entry, last bool, each func(Kept) bool) (more bool, err error) {
	path := videoPath(dir, segment, entries[0].file)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return false, err
	case info.Size() == 0 && last:
		return true, nil // killed before the first picture was written
	}
	d, err := newDecoder(path)
	if errors.Is(err, errUnreadable) && last {
		return true, nil // killed before its head was
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	for i, e := range entries {
		pix, w, h, err := d.read()
		if errors.Is(err, io.EOF) && last {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return false, fmt.Errorf("%s holds %d frames, its table says %d", path, i, len(entries))
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", path, err)
		}
		if !each(Kept{segment, e.epoch, frame.Frame{Seq: e.seq, At: e.at, Arrival: e.arrival, Width: w, Height: h, Pix: pix}}) {
			return false, nil
		}
	}
	return true, nil
}
