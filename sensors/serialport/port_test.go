package serialport_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/serialport"
	"emolab/sensors/serialtest"
)

func open(t *testing.T, c serialport.Config) *serialport.Port {
	t.Helper()
	c.Clock = instant.Monotonic{}
	p, err := serialport.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// heard reads in a goroutine and returns the outcome of the first Read.
type heard struct {
	b   []byte
	at  instant.Instant
	err error
}

func read(p *serialport.Port) <-chan heard {
	c := make(chan heard, 1)
	go func() {
		b := make([]byte, 100)
		n, at, err := p.Read(b)
		c <- heard{b[:n], at, err}
	}()
	return c
}

func await(t *testing.T, c <-chan heard) heard {
	t.Helper()
	select {
	case h := <-c:
		return h
	case <-time.After(serialtest.Deadline):
		t.Fatal("Read did not return")
		return heard{}
	}
}

func TestReadAndWrite(t *testing.T) {
	far := serialtest.Open(t)
	p := open(t, serialport.Config{Path: far.Path()})
	before := instant.Monotonic{}.Now()
	// Bytes that a terminal that is not raw would change or act upon.
	all := []byte{0, 3, 4, 10, 13, 17, 19, 26, 127, 255}
	far.Send(all)
	var got []byte
	for len(got) < len(all) {
		h := await(t, read(p))
		if h.err != nil {
			t.Fatal(h.err)
		}
		if h.at < before || h.at > (instant.Monotonic{}).Now() {
			t.Errorf("arrival %d lies outside of the read", h.at)
		}
		got = append(got, h.b...)
	}
	if !bytes.Equal(got, all) {
		t.Errorf("read % X, want % X", got, all)
	}
	if _, err := p.Write(all); err != nil {
		t.Fatal(err)
	}
	far.Take(all)
}

func TestCloseUnblocksRead(t *testing.T) {
	far := serialtest.Open(t)
	for range 5 {
		p := open(t, serialport.Config{Path: far.Path()})
		pending := read(p)
		var closers sync.WaitGroup
		for range 3 {
			closers.Go(func() {
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		closers.Wait()
		if h := await(t, pending); !errors.Is(h.err, serialport.ErrClosed) {
			t.Errorf("Read failed with %v, want ErrClosed", h.err)
		}
		if h := await(t, read(p)); !errors.Is(h.err, serialport.ErrClosed) {
			t.Errorf("Read after Close failed with %v, want ErrClosed", h.err)
		}
		if _, err := p.Write([]byte{1}); !errors.Is(err, serialport.ErrClosed) {
			t.Errorf("Write after Close failed with %v, want ErrClosed", err)
		}
	}
}

func TestUnplugIsNotClose(t *testing.T) {
	far := serialtest.Open(t)
	p := open(t, serialport.Config{Path: far.Path()})
	pending := read(p)
	far.Unplug()
	if h := await(t, pending); !errors.Is(h.err, serialport.ErrUnplugged) {
		t.Errorf("Read failed with %v, want ErrUnplugged", h.err)
	}
	if _, err := p.Write([]byte{1}); !errors.Is(err, serialport.ErrUnplugged) {
		t.Errorf("Write failed with %v, want ErrUnplugged", err)
	}
}

func TestSilence(t *testing.T) {
	far := serialtest.Open(t)
	p := open(t, serialport.Config{Path: far.Path(), Silence: 60 * time.Millisecond})
	if h := await(t, read(p)); !errors.Is(h.err, serialport.ErrSilent) {
		t.Errorf("Read failed with %v, want ErrSilent", h.err)
	}
}

// A device that takes no bytes blocks the write, not the shutdown.
func TestCloseUnblocksWrite(t *testing.T) {
	master := serialtest.OpenDeaf(t)
	p := open(t, serialport.Config{Path: master})
	written := make(chan error, 1)
	begun := make(chan struct{})
	go func() {
		close(begun)
		for {
			if _, err := p.Write(make([]byte, 4096)); err != nil {
				written <- err
				return
			}
		}
	}()
	<-begun
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-written:
		if !errors.Is(err, serialport.ErrClosed) {
			t.Errorf("Write failed with %v, want ErrClosed", err)
		}
	case <-time.After(serialtest.Deadline):
		t.Fatal("Write did not return")
	}
}

func TestOpenExplains(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		config serialport.Config
		want   error
		words  string
	}{
		{serialport.Config{Path: "/dev/ttyNOWHERE"}, serialport.ErrMissing, "/dev/ttyNOWHERE"},
		{serialport.Config{Serial: "NO-SUCH"}, serialport.ErrMissing, "NO-SUCH"},
		{serialport.Config{Path: file}, serialport.ErrNotSerial, file},
	} {
		c.config.Clock = instant.Monotonic{}
		_, err := serialport.Open(c.config)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want %v", c.config.Path+c.config.Serial, err, c.want)
		}
	}
}
