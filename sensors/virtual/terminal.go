package virtual

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

const (
	// openPoll is how often the device's side looks whether a host has opened the
	// port: the kernel tells when it is closed, but not when it is opened.
	openPoll = 5 * time.Millisecond

	// writeTimeout is how long a device's bytes wait for a host that does not read,
	// before they are lost as in a real adapter's buffer.
	writeTimeout = 20 * time.Millisecond
)

// Terminal is the device's side of a pseudo-terminal that stands under a path of
// our choice, as a USB adapter's port does from plugging in (Plug) to pulling out
// (Close). Like an adapter, it drops what the device sends while nobody has the
// port open.
type Terminal struct {
	path   string
	master *os.File
	lost   atomic.Int64
}

// Plug makes a terminal under path, which must not be in use by another one.
func Plug(path string) (*Terminal, error) {
	blocking, slave, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("virtual: open a pseudo-terminal: %w", err)
	}
	master, err := pollable(blocking)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("virtual: set up %s: %w", path, err), slave.Close())
	}
	// The host's end keeps these settings; it is closed here so that the kernel
	// tells us whether somebody else has it open. It is found under path only then: a
	// host that looks for it all the time must not find it held.
	if err := errors.Join(setRaw(slave), slave.Close(), link(slave.Name(), path)); err != nil {
		return nil, errors.Join(fmt.Errorf("virtual: set up %s: %w", path, err), master.Close())
	}
	return &Terminal{path: path, master: master}, nil
}

// pollable returns f as a file whose blocked reads end when it is closed, and
// which has deadlines. The pty package hands out one that has neither. f is closed.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	err = errors.Join(err, f.Close())
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// link points path at target, at once: there is no moment without it when it
// was there before.
func link(target, path string) error {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// setRaw turns off echo, line editing and every translation.
func setRaw(tty *os.File) error {
	conn, err := tty.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = conn.Control(func(fd uintptr) {
		var t *unix.Termios
		if t, inner = unix.IoctlGetTermios(int(fd), unix.TCGETS); inner != nil {
			return
		}
		t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
		inner = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	return errors.Join(err, inner)
}

// Path returns where the host finds the port.
func (t *Terminal) Path() string { return t.path }

// Lost returns how many bytes the host did not take: sent while the port was
// closed, or while it was open and not read.
func (t *Terminal) Lost() int64 { return t.lost.Load() }

// Read returns what the host wrote. It blocks while there is nothing, also while
// nobody has the port open, and fails with io.EOF after Close.
func (t *Terminal) Read(p []byte) (int, error) {
	for {
		n, err := t.master.Read(p)
		switch {
		case n > 0:
			return n, nil
		case errors.Is(err, os.ErrClosed):
			return 0, io.EOF
		case err != nil && !errors.Is(err, unix.EIO):
			return 0, fmt.Errorf("virtual: read %s: %w", t.path, err)
		}
		// Nobody has the port open.
		time.Sleep(openPoll)
	}
}

// Write sends p to the host, or loses it where no host takes it. It fails only
// after Close.
func (t *Terminal) Write(p []byte) (int, error) { return t.write(p, writeTimeout) }

// write is Write with another patience.
func (t *Terminal) write(p []byte, patience time.Duration) (int, error) {
	open, err := t.Opened()
	if err != nil {
		return 0, err
	}
	if !open {
		t.lost.Add(int64(len(p)))
		return len(p), nil
	}
	if err := t.master.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return 0, fmt.Errorf("virtual: write %s: %w", t.path, err)
	}
	n, err := t.master.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		n += offer(t.master, p[n:])
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, unix.EIO) {
		t.lost.Add(int64(len(p) - n))
		return len(p), nil
	}
	if err != nil {
		return n, fmt.Errorf("virtual: write %s: %w", t.path, err)
	}
	return n, nil
}

// offer writes what the kernel takes at once, and returns how much that was. A deadline
// that has passed tells of a host that does not read, or of this program, which was held
// up itself and has not even tried: then nothing is to be lost.
func offer(to syscall.Conn, p []byte) (n int) {
	conn, err := to.SyscallConn()
	if err != nil || len(p) == 0 {
		return 0
	}
	// Whatever ends it, the rest is lost.
	_ = conn.Control(func(fd uintptr) { n, _ = unix.Write(int(fd), p) })
	return max(n, 0)
}

// Opened tells whether somebody has the port open. It fails after Close.
func (t *Terminal) Opened() (bool, error) {
	conn, err := t.master.SyscallConn()
	if err != nil {
		return false, fmt.Errorf("virtual: %s: %w", t.path, err)
	}
	var open bool
	err = conn.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		_, perr := unix.Poll(fds, 0)
		open = perr == nil && fds[0].Revents&unix.POLLHUP == 0
	})
	if err != nil {
		return false, fmt.Errorf("virtual: %s: %w", t.path, err)
	}
	return open, nil
}

// Baud returns the speed that the host has set its end to.
func (t *Terminal) Baud() (int, error) {
	conn, err := t.master.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("virtual: %s: %w", t.path, err)
	}
	var set *unix.Termios
	var inner error
	// On the master this ioctl tells the settings of the other end.
	err = conn.Control(func(fd uintptr) { set, inner = unix.IoctlGetTermios(int(fd), unix.TCGETS2) })
	if err := errors.Join(err, inner); err != nil {
		return 0, fmt.Errorf("virtual: %s: %w", t.path, err)
	}
	return int(set.Ospeed), nil
}

// Close pulls the cable: the host's reads fail, and the path is gone.
func (t *Terminal) Close() error {
	err := os.Remove(t.path)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, t.master.Close())
}
