package firmware

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func build(t *testing.T, o Options) Image {
	t.Helper()
	image, err := Build(context.Background(), o)
	if errors.Is(err, ErrNoCompiler) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestBuild(t *testing.T) {
	image := build(t, Options{Dir: filepath.Join(t.TempDir(), "new"), Serial: 7})
	t.Logf("%s: %s", image.Compiler, image.Use())
	if image.Flash < 1000 || image.Flash > FlashBytes || image.RAM < 300 || image.RAM > RAMBytes/2 {
		t.Errorf("%s: not what the program needs", image.Use())
	}
	elf, err := os.ReadFile(image.ELF)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(elf, []byte("\x7fELF")) {
		t.Error("the elf file is none")
	}
	hex, err := os.ReadFile(image.Hex)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(hex))
	if n := len(lines); n < image.Flash/16 || lines[n-1] != ":00000001FF" {
		t.Errorf("the hex file has %d lines and ends %q", n, lines[n-1])
	}
}

// The same sources make the same program, and another serial number another one.
func TestBuildIsReproducible(t *testing.T) {
	var hex []string
	for _, serial := range []uint32{5, 5, 6} {
		b, err := os.ReadFile(build(t, Options{Dir: t.TempDir(), Serial: serial}).Hex)
		if err != nil {
			t.Fatal(err)
		}
		hex = append(hex, string(b))
	}
	if hex[0] != hex[1] || hex[0] == hex[2] {
		t.Errorf("equal serial numbers: same %v, different ones: same %v", hex[0] == hex[1], hex[0] == hex[2])
	}
}

func TestBuildWithoutCompiler(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Build(context.Background(), Options{Dir: t.TempDir()})
	if !errors.Is(err, ErrNoCompiler) || !strings.Contains(err.Error(), "apt install gcc-avr avr-libc") {
		t.Errorf("%v does not say what to install", err)
	}
}

func TestUse(t *testing.T) {
	flash, ram, err := use("emobox.elf  :\nsection  size  addr\n.data  12  8388864\n.text  5680  0\n.bss  906  8388876\n.noinit  1  8389782\n.comment  17  0\nTotal  6616\n")
	if flash != 5692 || ram != 919 || err != nil {
		t.Errorf("flash %d, RAM %d, %v", flash, ram, err)
	}
	if _, _, err := use("nothing"); err == nil {
		t.Error("a listing without a program was taken")
	}
}

// programmer puts a program called avrdude on the path, which writes down its
// arguments and then does what script says. It returns the file of arguments.
func programmer(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	args := filepath.Join(dir, "args")
	text := "#!/bin/sh\necho \"$@\" > " + args + "\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, "avrdude"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return args
}

// image is any file: the programmer of these tests does not read it.
func image(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "emobox.hex")
	if err := os.WriteFile(path, []byte(":00000001FF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlash(t *testing.T) {
	for board, baud := range map[string]string{"": "115200", "uno": "115200", "nano": "115200", "nano-old": "57600"} {
		args := programmer(t, "echo 'Writing | ### | 100%' >&2")
		hex, port := image(t), os.DevNull
		var progress bytes.Buffer
		if err := Flash(context.Background(), FlashOptions{Hex: hex, Port: port, Board: board, Progress: &progress}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(progress.String(), "100%") {
			t.Errorf("the progress %q was not passed on", progress.String())
		}
		got, err := os.ReadFile(args)
		if err != nil {
			t.Fatal(err)
		}
		want := "-p m328p -c arduino -P " + port + " -b " + baud + " -D -U flash:w:" + hex + ":i\n"
		if string(got) != want {
			t.Errorf("%q: avrdude %s, want %s", board, got, want)
		}
	}
}

func TestFlashSaysWhatToDo(t *testing.T) {
	for _, c := range []struct{ said, board, want string }{
		{"avrdude: ser_open(): can't open device \"/dev/ttyUSB0\": Permission denied", "uno", "dialout"},
		{"avrdude: ser_open(): can't open device \"/dev/ttyUSB0\": Device or resource busy", "uno", "end the program"},
		{"avrdude: stk500_getsync() attempt 10 of 10: not in sync: resp=0x00", "nano", "--board nano-old"},
		{"avrdude: stk500_getsync() attempt 10 of 10: not in sync: resp=0x00", "uno", "check the board"},
		{"avrdude: verification error, first mismatch at byte 0x0000", "uno", "flash again"},
		{"first\nsomething else", "uno", "avrdude said: something else"},
	} {
		programmer(t, "cat >&2 <<'END'\n"+c.said+"\nEND\nexit 1")
		err := Flash(context.Background(), FlashOptions{Hex: image(t), Port: os.DevNull, Board: c.board})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q on %s: %v, want advice %q", c.said, c.board, err, c.want)
		}
	}
}

func TestFlashRefuses(t *testing.T) {
	programmer(t, "exit 0")
	for name, o := range map[string]FlashOptions{
		"no board of that name": {Hex: image(t), Port: os.DevNull, Board: "teensy"},
		"no image":              {Hex: filepath.Join(t.TempDir(), "none.hex"), Port: os.DevNull},
		"no port":               {Hex: image(t), Port: filepath.Join(t.TempDir(), "ttyNONE")},
	} {
		if err := Flash(context.Background(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if err := Flash(context.Background(), FlashOptions{Hex: image(t), Port: os.DevNull}); !errors.Is(err, ErrNoProgrammer) {
		t.Errorf("%v does not say what to install", err)
	}
}
