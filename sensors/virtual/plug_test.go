package virtual

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// heldUp is the patience of a device that was held up for so long, before it came to
// write, that its deadline has passed.
const heldUp = -time.Second

// read wants these bytes of a host.
func read(t *testing.T, host io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(host, got); err != nil || string(got) != want {
		t.Errorf("the host reads %q, %v; want %q", got, err, want)
	}
}

// What a device sends late reaches a host that reads; only what does not fit is lost.
func TestADeviceThatIsHeldUpLosesNothing(t *testing.T) {
	terminal, err := Plug(filepath.Join(t.TempDir(), "tty"))
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	host, err := os.OpenFile(terminal.Path(), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	for _, word := range []string{"one", "two"} {
		if n, err := terminal.write([]byte(word), heldUp); n != len(word) || err != nil || terminal.Lost() != 0 {
			t.Errorf("%q: %d bytes written, %v, %d lost", word, n, err, terminal.Lost())
		}
		read(t, host, word)
	}
	flood := bytes.Repeat([]byte("x"), 1<<20)
	if _, err := terminal.write(flood, heldUp); err != nil {
		t.Fatal(err)
	}
	took := int64(len(flood)) - terminal.Lost()
	if took <= 0 || took >= int64(len(flood)) {
		t.Errorf("a host that does not read took %d bytes", took)
	}
	read(t, host, strings.Repeat("x", int(took)))
}

func TestAServerThatIsHeldUpLosesNothing(t *testing.T) {
	s, err := listenTCP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	host, err := net.Dial("tcp", strings.TrimPrefix(s.Path(), "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	if _, err := host.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read(make([]byte, 8)); n != 1 || err != nil {
		t.Fatalf("%d bytes heard, %v", n, err)
	}
	s.send(s.host, []byte("late"), heldUp)
	read(t, host, "late")
}
