// Package firmware holds the program of Emolab's own box, in C for an ATmega328P
// (Arduino Uno or Nano), and builds and flashes it with the tools of the
// distribution. Its sources are in the folder avr, its protocol in
// firmware-bridge/wire/PROTOCOL.md, its wiring in README.md.
package firmware

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed avr
var sources embed.FS

// Version of the firmware; the box tells it in its Hello.
const (
	Major = 2
	Minor = 0
	Patch = 0
)

// Model is the name of the box in its Hello.
const Model = "emobox"

const (
	// FlashBytes is the room for a program: 32 KiB less the 512 bytes of Optiboot.
	// Old boot loaders of the Nano take 2 KiB; the program is far from either.
	FlashBytes = 32256
	// RAMBytes is all the memory of an ATmega328P. What variables leave is stack.
	RAMBytes = 2048

	mcu     = "atmega328p"
	clockHz = 16_000_000
)

// Options say what to build.
type Options struct {
	Dir string // where elf and hex go; made if need be
	// Serial is the box's serial number in its Hello; 0 = 1. It is compiled in:
	// the boot loaders of Uno and Nano cannot write the EEPROM.
	Serial uint32
}

// Image is a built firmware.
type Image struct {
	ELF      string `json:"elf"` // path, for the emulator
	Hex      string `json:"hex"` // path, for Flash
	Flash    int    `json:"flash_bytes"`
	RAM      int    `json:"ram_bytes"` // of variables; the rest of RAMBytes is stack
	Version  string `json:"version"`
	Serial   uint32 `json:"serial"`
	Compiler string `json:"compiler"` // first line of avr-gcc --version
}

// Use says in one line how much of the chip the image takes.
func (i Image) Use() string {
	return fmt.Sprintf("flash %d of %d bytes (%.1f %%), RAM %d of %d bytes (%.1f %%)",
		i.Flash, FlashBytes, 100*float64(i.Flash)/FlashBytes, i.RAM, RAMBytes, 100*float64(i.RAM)/RAMBytes)
}

// ErrNoCompiler is wrapped by Build's error where avr-gcc or avr-libc is missing.
var ErrNoCompiler = errors.New("the AVR compiler is not installed: apt install gcc-avr avr-libc")

// flags are those of every file.
var flags = []string{
	"-std=c11", "-Os", "-Wall", "-Wextra", "-Werror", "-Wstrict-prototypes", "-Wshadow",
	"-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-mmcu=" + mcu,
}

// Build compiles the firmware. It needs avr-gcc, avr-objcopy and avr-size, which
// Debian's packages gcc-avr and avr-libc bring.
func Build(ctx context.Context, o Options) (Image, error) {
	if o.Serial == 0 {
		o.Serial = 1
	}
	for _, tool := range []string{"avr-gcc", "avr-objcopy", "avr-size"} {
		if _, err := exec.LookPath(tool); err != nil {
			return Image{}, fmt.Errorf("firmware: %s: %w", tool, ErrNoCompiler)
		}
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return Image{}, fmt.Errorf("firmware: make the folder of the image: %w", err)
	}
	src, err := os.MkdirTemp("", "emolab-firmware-")
	if err != nil {
		return Image{}, fmt.Errorf("firmware: make a folder for the sources: %w", err)
	}
	defer os.RemoveAll(src) // a leftover in the temporary folder harms nobody
	files, err := unpack(src)
	if err != nil {
		return Image{}, err
	}

	image := Image{
		ELF: filepath.Join(o.Dir, "emobox.elf"), Hex: filepath.Join(o.Dir, "emobox.hex"),
		Version: fmt.Sprintf("%d.%d.%d", Major, Minor, Patch), Serial: o.Serial,
	}
	// Paths of this machine must not end in the image: compile from inside.
	compile := append(append([]string(nil), flags...),
		fmt.Sprintf("-DF_CPU=%dUL", clockHz),
		fmt.Sprintf("-DSERIAL_NUMBER=%dUL", o.Serial),
		fmt.Sprintf("-DVERSION_MAJOR=%d", Major), fmt.Sprintf("-DVERSION_MINOR=%d", Minor), fmt.Sprintf("-DVERSION_PATCH=%d", Patch),
		"-o", "emobox.elf")
	if _, err := run(ctx, src, "avr-gcc", append(compile, files...)...); err != nil {
		return Image{}, err
	}
	if _, err := run(ctx, src, "avr-objcopy", "-O", "ihex", "-R", ".eeprom", "emobox.elf", "emobox.hex"); err != nil {
		return Image{}, err
	}
	size, err := run(ctx, src, "avr-size", "-A", "emobox.elf")
	if err != nil {
		return Image{}, err
	}
	if image.Flash, image.RAM, err = use(size); err != nil {
		return Image{}, err
	}
	if image.Flash > FlashBytes || image.RAM > RAMBytes {
		return Image{}, fmt.Errorf("firmware: too large for the chip: %s", image.Use())
	}
	compiler, err := run(ctx, src, "avr-gcc", "--version")
	if err != nil {
		return Image{}, err
	}
	image.Compiler, _, _ = strings.Cut(compiler, "\n")
	for _, to := range []string{image.ELF, image.Hex} {
		b, err := os.ReadFile(filepath.Join(src, filepath.Base(to)))
		if err != nil {
			return Image{}, fmt.Errorf("firmware: read what was built: %w", err)
		}
		if err := os.WriteFile(to, b, 0o644); err != nil {
			return Image{}, fmt.Errorf("firmware: write the image: %w", err)
		}
	}
	return image, nil
}

// unpack writes the sources to dir and returns the names of the C files.
func unpack(dir string) ([]string, error) {
	entries, err := fs.ReadDir(sources, "avr")
	if err != nil {
		return nil, fmt.Errorf("firmware: %w", err)
	}
	var files []string
	for _, e := range entries {
		b, err := fs.ReadFile(sources, path.Join("avr", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("firmware: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, e.Name()), b, 0o600); err != nil {
			return nil, fmt.Errorf("firmware: write the sources: %w", err)
		}
		if strings.HasSuffix(e.Name(), ".c") {
			files = append(files, e.Name())
		}
	}
	return files, nil
}

// run runs a tool in dir and returns what it printed. What it complained of is
// in the error.
func run(ctx context.Context, dir, tool string, args ...string) (string, error) {
	var out, complaint bytes.Buffer
	c := exec.CommandContext(ctx, tool, args...)
	c.Dir, c.Stdout, c.Stderr = dir, &out, &complaint
	if err := c.Run(); err != nil {
		said := strings.TrimSpace(complaint.String())
		if strings.Contains(said, "avr/io.h") || strings.Contains(said, "crtatmega328p.o") {
			return "", fmt.Errorf("firmware: avr-libc: %w", ErrNoCompiler)
		}
		return "", fmt.Errorf("firmware: %s: %w: %s", tool, err, said)
	}
	return out.String(), nil
}

// use adds up the sections that avr-size lists: flash holds the program and the
// initial values of variables, RAM the variables.
func use(listing string) (flash, ram int, err error) {
	found := false
	for line := range strings.Lines(listing) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, err := strconv.Atoi(f[1])
		if err != nil {
			continue
		}
		switch f[0] {
		case ".text":
			flash += n
			found = true
		case ".data":
			flash += n
			ram += n
		case ".bss", ".noinit":
			ram += n
		}
	}
	if !found {
		return 0, 0, fmt.Errorf("firmware: avr-size lists no program: %q", listing)
	}
	return flash, ram, nil
}
