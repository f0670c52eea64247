package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"emolab/firmware-bridge/firmware"
	"emolab/fusion/instant"
	"emolab/fusion/script"
)

type firmwareCmd struct {
	Build   firmwareBuildCmd   `cmd:"" help:"Compile the firmware of Emolab's own box."`
	Flash   firmwareFlashCmd   `cmd:"" help:"Write the firmware to a box."`
	Emulate firmwareEmulateCmd `cmd:"" help:"Run the firmware without a box, behind a pseudo-terminal."`
}

// firmwareBuildCmd compiles the firmware.
type firmwareBuildCmd struct {
	Out    string `help:"Folder of the image (emobox.elf, emobox.hex)." default:"emobox-firmware" type:"path" placeholder:"DIR"`
	Serial uint32 `help:"Serial number that the box tells." default:"1"`
	JSON   bool   `help:"Print JSON."`
}

// Help shows examples below the flags.
func (firmwareBuildCmd) Help() string {
	return `Needs avr-gcc: apt install gcc-avr avr-libc

Examples:
  emolab firmware build
  emolab firmware build --out /tmp/box --serial 7 --json`
}

// Run is the command.
func (c *firmwareBuildCmd) Run(a *app) error {
	image, err := firmware.Build(a.ctx, firmware.Options{Dir: c.Out, Serial: c.Serial})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, image)
	}
	fmt.Fprintf(a.out, "firmware %s, serial number %d: %s\n%s\n%s\n", image.Version, image.Serial, image.Use(), image.Hex, image.ELF)
	return nil
}

// firmwareFlashCmd writes the firmware to a board.
type firmwareFlashCmd struct {
	Port   string `help:"The board's port (see emolab devices)." required:"" placeholder:"PATH"`
	Board  string `help:"Which board: ${enum}." enum:"uno,nano,nano-old" default:"uno"`
	Hex    string `help:"A built image. Default: the firmware is compiled first." type:"existingfile" placeholder:"FILE"`
	Serial uint32 `help:"Serial number that the box is to tell; not with --hex." placeholder:"N"`
}

// Help shows examples below the flags.
func (firmwareFlashCmd) Help() string {
	return `Most copies of the Nano have the older boot loader: nano-old. Needs avrdude, and
without --hex avr-gcc: apt install avrdude gcc-avr avr-libc

Examples:
  emolab firmware flash --port /dev/ttyACM0
  emolab firmware flash --port /dev/ttyUSB0 --board nano-old --serial 7
  emolab firmware flash --port /dev/ttyUSB0 --hex emobox-firmware/emobox.hex`
}

// Run is the command.
func (c *firmwareFlashCmd) Run(a *app) error {
	if c.Hex != "" && c.Serial != 0 {
		return usagef("--serial is compiled in: leave out --hex, or build the image with emolab firmware build --serial %d", c.Serial)
	}
	hex := c.Hex
	if hex == "" {
		dir, err := os.MkdirTemp("", "emolab-firmware-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) // a leftover in the temporary folder harms nobody
		image, err := firmware.Build(a.ctx, firmware.Options{Dir: dir, Serial: c.Serial})
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "built firmware %s, serial number %d: %s\n", image.Version, image.Serial, image.Use())
		hex = image.Hex
	}
	fmt.Fprintf(a.out, "writing it to the %s on %s; what it held is replaced\n", c.Board, c.Port)
	if err := firmware.Flash(a.ctx, firmware.FlashOptions{Hex: hex, Port: c.Port, Board: c.Board, Progress: a.err}); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "done: written and compared. lab.yaml names the box as\n\ndevices:\n  - {driver: emobox, port: %s}\n", c.Port)
	return nil
}

// firmwareEmulateCmd runs the firmware until Ctrl-C.
type firmwareEmulateCmd struct {
	Port  string        `help:"Where the port is to be found. Default: emobox in a new folder." type:"path" placeholder:"PATH"`
	Drift float64       `help:"How fast the board's crystal runs, in ppm." default:"2000"`
	Batch time.Duration `help:"Latency timer of the USB serial adapter." default:"16ms"`
	Seed  uint64        `help:"Of the participant's script and of the noise." default:"1"`
	JSON  bool          `help:"Print JSON."`
}

// Help shows examples below the flags.
func (firmwareEmulateCmd) Help() string {
	return `The real firmware runs under simavr, and its inputs see a virtual participant's
skin, a flashing patch of light and a trigger line. It needs emolab-simavr beside
emolab (make firmware) and avr-gcc; where one is missing, a model of the firmware
takes its place and says so. Ctrl-C ends it.

Examples:
  emolab firmware emulate
  emolab firmware emulate --port /tmp/emobox --drift -3000 --batch 1ms`
}

// Run is the command.
func (c *firmwareEmulateCmd) Run(a *app) error {
	if c.Batch < 0 || c.Batch > 255*time.Millisecond {
		return usagef("--batch %v: latency timers of adapters have up to 255ms; 0 is none", c.Batch)
	}
	port := c.Port
	if port == "" {
		dir, err := os.MkdirTemp("", "emolab-port-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) // a leftover in the temporary folder harms nobody
		port = filepath.Join(dir, "emobox")
	}
	var clock instant.Monotonic
	box, err := startFirmwareBox(a.ctx, firmwareBoxOptions{
		Port: port, Truth: script.NewTruth(script.New(c.Seed), clock.Now()), Clock: clock,
		DriftPPM: c.Drift, Batch: c.Batch, Seed: c.Seed, Log: a.err,
	})
	if err != nil {
		return err
	}
	if err := c.tell(a, box); err != nil {
		return closing(box, err)
	}
	select {
	case <-a.ctx.Done():
	case <-box.Ended():
	}
	return closing(box, nil)
}

// closing closes a box and returns the first of the two errors.
func closing(box *firmwareBox, err error) error {
	if closed := box.Close(); err == nil {
		return closed
	}
	return err
}

// tell prints what runs, and the lines of lab.yaml that use it.
func (c *firmwareEmulateCmd) tell(a *app, box *firmwareBox) error {
	if c.JSON {
		return printJSON(a.out, map[string]any{
			"port": box.Path(), "driver": "emobox", "emulated": box.Instead == nil, "about": box.About(),
		})
	}
	_, err := fmt.Fprintf(a.out, "%s\nlab.yaml names it as\n\ndevices:\n  - {driver: emobox, port: %s, light: true, trigger: true}\n\nCtrl-C ends it.\n",
		box.About(), box.Path())
	return err
}
