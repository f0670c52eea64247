package record

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"emolab/capture/frame"
)

// encoder writes pictures of one size to one file. The file is whole when Close
// has returned nil.
type encoder interface {
	write(f frame.Frame) error
	close() error
}

// shot is a frame on its way to the encoder, numbered as in the stream.
type shot struct {
	frame.Frame
	epoch int
}

// reel is one recording: a goroutine that encodes what it is offered.
type reel struct {
	dir     string
	segment int
	rate    float64
	table   *os.File
	queue   chan shot
	ended   chan struct{} // closed when the goroutine has ended
	dropped int64         // guarded by the lock of the tap

	mu    sync.Mutex
	err   error  // why it keeps nothing any more
	files []File // whole, and not yet asked for

	// Of the goroutine.
	open  *part
	count int // files begun
}

// part is the file that is being written.
type part struct {
	encoder
	path   string
	number int
	first  shot
	last   shot
	frames int64
}

// newReel makes the folder and the table, and starts the goroutine.
func newReel(dir string, segment int, rate float64) (*reel, error) {
	if err := canEncode(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	// A folder that was there may have been open to others.
	if err := os.Chmod(dir, folderMode); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	table, err := create(tablePath(dir, segment))
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if _, err := table.WriteString(tableHead); err != nil {
		return nil, errors.Join(fmt.Errorf("record: %w", err), table.Close())
	}
	r := &reel{
		dir: dir, segment: segment, rate: rate, table: table,
		queue: make(chan shot, waiting), ended: make(chan struct{}),
	}
	go func() {
		defer close(r.ended)
		r.run()
	}()
	return r, nil
}

// create makes a file that is not there yet.
func create(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, fileMode)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%s is there already, and video is never written over: move it away", path)
	}
	return f, err
}

// offer queues a frame, or drops it: the analysis does not wait for the video.
// The lock of the tap is held.
func (r *reel) offer(s shot) {
	select {
	case r.queue <- s:
	default:
		r.dropped++
	}
}

// closed returns the files that have been closed since it was asked last.
func (r *reel) closed() []File {
	r.mu.Lock()
	defer r.mu.Unlock()
	files := r.files
	r.files = nil
	return files
}

// close ends the reel and returns its last files. Nothing is offered any more.
func (r *reel) close() ([]File, error) {
	close(r.queue)
	<-r.ended
	err := r.failure()
	if r.dropped > 0 {
		err = errors.Join(err, fmt.Errorf("record: %d frames are not in the video: the encoder was slower than the camera", r.dropped))
	}
	return r.closed(), err
}

func (r *reel) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// run encodes until the queue is closed. After a failure it only empties the
// queue: half a recording is kept, a broken one is not gone on with.
func (r *reel) run() {
	var failure error
	for s := range r.queue {
		if failure != nil {
			continue
		}
		if failure = r.write(s); failure != nil {
			r.fail(failure)
		}
	}
	if err := errors.Join(r.finish(), r.table.Sync(), r.table.Close()); err != nil && failure == nil {
		r.fail(err)
	}
}

func (r *reel) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = fmt.Errorf("record: %w", err)
}

// write encodes one frame, in a new file where one is due.
func (r *reel) write(s shot) error {
	if p := r.open; p != nil && (s.epoch != p.first.epoch || s.At.Sub(p.first.At) >= maxLength || s.At < p.last.At ||
		s.Width != p.first.Width || s.Height != p.first.Height) {
		if err := r.finish(); err != nil {
			return err
		}
	}
	if r.open == nil {
		if err := r.begin(s); err != nil {
			return err
		}
	}
	p := r.open
	// The line comes first, in one write: a picture without its line would have
	// no time, a line without its picture does no harm.
	line := entry{p.number, p.frames, s.epoch, s.Seq, s.At, s.Arrival}
	if _, err := r.table.Write(line.append(nil)); err != nil {
		return err
	}
	if err := p.write(s.Frame); err != nil {
		return fmt.Errorf("%s: %w", p.path, err)
	}
	p.frames++
	p.last = s
	p.last.Pix = nil // only its times are asked for
	return nil
}

// begin opens the next file, for frames like s.
func (r *reel) begin(s shot) error {
	if s.Width < 1 || s.Height < 1 || len(s.Pix) != 3*s.Width*s.Height {
		return fmt.Errorf("frame %d: %d bytes are no %dx%d picture of 3 channels", s.Seq, len(s.Pix), s.Width, s.Height)
	}
	path := videoPath(r.dir, r.segment, r.count)
	// The encoder opens the file by name; made before, it has our mode.
	f, err := create(path)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	e, err := newEncoder(path, r.rate, s.Width, s.Height)
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", path, err), os.Remove(path))
	}
	s.Pix = nil
	r.open = &part{encoder: e, path: path, number: r.count, first: s, last: s}
	r.count++
	return nil
}

// finish closes the file that is open, if one is.
func (r *reel) finish() error {
	p := r.open
	if p == nil {
		return nil
	}
	r.open = nil
	if err := p.close(); err != nil {
		return fmt.Errorf("%s: %w", p.path, err)
	}
	file := File{Path: p.path, From: p.first.At, Until: p.last.At, Frames: p.frames}
	var err error
	if file.Bytes, file.SHA256, err = seal(p.path); err != nil {
		return err
	}
	if err := r.table.Sync(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files = append(r.files, file)
	return nil
}

// seal brings a file to the disk, and measures it.
func seal(path string) (size int64, sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return 0, "", err
	}
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return 0, "", err
	}
	if size == 0 {
		return 0, "", fmt.Errorf("%s is empty: is the disk full?", filepath.Base(path))
	}
	return size, hex.EncodeToString(h.Sum(nil)), nil
}
