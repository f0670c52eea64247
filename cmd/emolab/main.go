// Command emolab turns a lab workstation into an emotion-capture appliance: it
// drives the camera and the sensors, shows the stimuli, puts everything on one
// clock, and keeps it. This package only wires the others together: flags, the
// lab's configuration, the catalogue of drivers, start and shutdown.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is stamped by the linker (see the Makefile).
var version = "unknown"

// Exit codes, the same for every command.
const (
	exitFine   = 0
	exitFailed = 1
	exitUsage  = 2
)

// cli is the command line: one field a command.
type cli struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Serve     serveCmd     `cmd:"" help:"Run the lab: console, stage, recording."`
	Demo      demoCmd      `cmd:"" help:"Run whole sessions on the virtual lab and score them against the known truth."`
	Doctor    doctorCmd    `cmd:"" help:"Say in words what is wrong with this workstation, if anything."`
	Devices   devicesCmd   `cmd:"" help:"Say what is plugged in: cameras, sensors, their rate and a live value."`
	Session   sessionCmd   `cmd:"" help:"List, show and export sessions."`
	Study     studyCmd     `cmd:"" help:"Write, check and plan a study, and see how far it has come."`
	Token     tokenCmd     `cmd:"" help:"Give out addresses of the console: to watch, to operate, to analyse."`
	Identity  identityCmd  `cmd:"" help:"Keep who a participant is, encrypted and apart from the data."`
	Bundle    bundleCmd    `cmd:"" help:"Check exported bundles."`
	Face      faceCmd      `cmd:"" help:"Analyse films and pictures of faces."`
	Eda       edaCmd       `cmd:"" name:"eda" help:"Analyse skin conductance from any laboratory."`
	Gaze      gazeCmd      `cmd:"" help:"Analyse gaze from any laboratory."`
	Models    modelsCmd    `cmd:"" help:"Install and check the face models."`
	Calibrate calibrateCmd `cmd:"" help:"Measure how late the participant's screen and the camera are."`
	Firmware  firmwareCmd  `cmd:"" help:"Build, flash and emulate the firmware of Emolab's own box."`
	Bench     benchCmd     `cmd:"" help:"Measure this workstation against the budgets."`
	Viewers   viewersCmd   `cmd:"" name:"bench-viewers" hidden:""`
}

// app is what every command works with.
type app struct {
	ctx context.Context // ends at Ctrl-C
	out io.Writer       // results
	err io.Writer       // progress and log
}

// log returns the program's log, on standard error.
func (a *app) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(a.err, nil))
}

// warnings is the program's log without what goes as it should.
func (a *app) warnings() *slog.Logger {
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// memoryAim is what Go's garbage collector aims to stay below: sealing an hour
// then takes 270 MB instead of 370, for 3 % more of the processor's time. The
// environment variable GOMEMLIMIT comes before it.
const memoryAim = 250 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryAim)
	}
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup, which lets it outlive its terminal
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program; tests call it as main does.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	var c cli
	ended := -1 // set when kong has done all there is to do (--help, --version)
	parser, err := kong.New(&c,
		kong.Name("emolab"),
		kong.Description("One binary that records emotion: face, gaze, skin conductance and stimulus on one clock.\n\n"+
			"To begin: \"emolab demo\" runs a whole session without any device, \"emolab study new\" writes your own study, "+
			"\"emolab doctor\" looks at this workstation, and \"emolab serve\" runs the lab."),
		kong.Vars{"version": version},
		kong.Writers(out, errOut),
		kong.Exit(func(code int) { ended = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		panic(err) // a mistake in the struct above
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if ended >= 0 {
		return ended
	}
	if err != nil {
		fmt.Fprintf(errOut, "emolab: %s\nTry: emolab %s--help\n", inPlainWords(err), command(err))
		return exitUsage
	}
	if err := parsed.Run(&app{ctx: ctx, out: out, err: errOut}); err != nil {
		fmt.Fprintf(errOut, "emolab: %s\n", inPlainWords(err))
		var bad *usageError
		if errors.As(err, &bad) {
			return exitUsage
		}
		return exitFailed
	}
	return exitFine
}

// command returns the command that was being parsed when err came up, with a
// blank after it, or nothing.
func command(err error) string {
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context.Selected() != nil {
		return p.Context.Selected().Path() + " "
	}
	return ""
}

// usageError is a mistake in the command line that only the command itself can
// see; it ends the program with exitUsage.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}
