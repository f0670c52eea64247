package browsertest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// screenStart is how long Xvfb may take to say which display it is.
	screenStart = 20 * time.Second
	// screenEnd is how long it may take to end when it is told to.
	screenEnd = 5 * time.Second
)

// Screen is a screen without glass: Xvfb, an X server that draws into a file.
// What a photodiode would see of a place is a byte of that file.
type Screen struct {
	Display       string // for the environment variable DISPLAY, ":87"
	File          string // the framebuffer, which changes as the screen does
	Width, Height int    // px

	layout layout
	pixels []byte // File, mapped
}

// StartScreen starts a screen of width x height px for one test. It skips the
// test where Xvfb is not installed.
func StartScreen(t testing.TB, width, height int) *Screen {
	t.Helper()
	path, err := exec.LookPath("Xvfb")
	if err != nil {
		t.Skip("no Xvfb is installed: apt install xvfb")
	}
	dir := t.TempDir()
	told, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	var complaints strings.Builder
	cmd := exec.Command(path, "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height),
		"-fbdir", dir, "-nolisten", "tcp", "-noreset", "-nocursor")
	cmd.ExtraFiles = []*os.File{tell} // its descriptor 3
	cmd.Stderr = &complaints
	err = cmd.Start()
	tell.Close()
	if err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is ended by a signal: no news
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		select {
		case <-ended:
		case <-time.After(screenEnd):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	if err := told.SetReadDeadline(time.Now().Add(screenStart)); err != nil {
		t.Fatal(err)
	}
	number, err := bufio.NewReader(told).ReadString('\n')
	if err != nil {
		_ = cmd.Process.Kill()
		<-ended // the complaints are complete
		t.Fatalf("%s named no display: %v\n%s", path, err, complaints.String())
	}
	s := &Screen{
		Display: ":" + strings.TrimSpace(number),
		File:    filepath.Join(dir, "Xvfb_screen0"),
		Width:   width, Height: height,
	}
	if err := s.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(s.pixels); err != nil {
			t.Error(err)
		}
	})
	return s
}

// open maps the framebuffer.
func (s *Screen) open() error {
	file, err := os.Open(s.File)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if s.pixels, err = syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED); err != nil {
		return fmt.Errorf("map %s: %w", s.File, err)
	}
	if s.layout, err = readLayout(s.pixels); err != nil {
		return fmt.Errorf("%s: %w", s.File, err)
	}
	if s.layout.width != s.Width || s.layout.height != s.Height {
		return fmt.Errorf("%s is of %d x %d px, want %d x %d", s.File, s.layout.width, s.layout.height, s.Width, s.Height)
	}
	return nil
}

// Offset returns where in File the green of a pixel is, 0 to 255. 0, 0 is the
// screen's top left.
func (s *Screen) Offset(x, y int) int64 {
	if x < 0 || y < 0 || x >= s.Width || y >= s.Height {
		panic("browsertest: " + strconv.Itoa(x) + ", " + strconv.Itoa(y) + " is not on the screen")
	}
	return s.layout.pixel(x, y) + s.layout.green
}

// Pixel returns the green of a pixel as it is on the screen now.
func (s *Screen) Pixel(x, y int) uint8 { return s.pixels[s.Offset(x, y)] }

// layout is where the pixels are in a window dump of X (XWD, version 7), which
// is what Xvfb keeps its screen as: a header of big-endian words of 4 bytes, a
// name, a table of colours, and the lines of the picture.
type layout struct {
	width, height int
	start         int64 // of the first pixel
	line          int64 // bytes from one line to the next
	green         int64 // place of the green byte in a pixel
}

// Words of the header (XWDFile.h of X.Org).
const (
	wordHeaderSize   = 0
	wordVersion      = 1
	wordWidth        = 4
	wordHeight       = 5
	wordByteOrder    = 7 // 0: least significant byte first
	wordBitsPerPixel = 11
	wordBytesPerLine = 12
	wordGreenMask    = 15
	wordColours      = 19
	headerWords      = 25

	xwdVersion    = 7
	bytesAColour  = 12
	bytesAPixel   = 4
	greenOfRGB    = 0x00ff00
	greenInPixel  = 1 // blue, green, red, nothing
	greenInPixelB = 2 // nothing, red, green, blue
)

var errLayout = errors.New("this is no window dump of 4 bytes a pixel")

func readLayout(b []byte) (layout, error) {
	if len(b) < 4*headerWords {
		return layout{}, errLayout
	}
	word := func(i int) int64 { return int64(binary.BigEndian.Uint32(b[4*i:])) }
	l := layout{
		width: int(word(wordWidth)), height: int(word(wordHeight)),
		start: word(wordHeaderSize) + bytesAColour*word(wordColours),
		line:  word(wordBytesPerLine), green: greenInPixel,
	}
	if word(wordByteOrder) != 0 {
		l.green = greenInPixelB
	}
	if word(wordVersion) != xwdVersion || word(wordBitsPerPixel) != 8*bytesAPixel || word(wordGreenMask) != greenOfRGB ||
		l.width < 1 || l.height < 1 || l.line < bytesAPixel*int64(l.width) ||
		l.pixel(l.width-1, l.height-1)+bytesAPixel > int64(len(b)) {
		return layout{}, errLayout
	}
	return l, nil
}

// pixel returns where a pixel begins.
func (l layout) pixel(x, y int) int64 {
	return l.start + int64(y)*l.line + bytesAPixel*int64(x)
}
