package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/latency"
	"emolab/capture/webcam"
	"emolab/studies/session"
	"emolab/studies/stage"
)

// doctorCmd looks over the workstation.
type doctorCmd struct {
	Lab  string `help:"The devices of this workstation. Default: lab.yaml here." default:"lab.yaml" type:"path" placeholder:"FILE"`
	Data string `help:"Where recordings are kept. Default: emolab-data here." default:"emolab-data" type:"path" placeholder:"DIR"`
	JSON bool   `help:"Print JSON."`
}

// Help shows an example below the flags.
func (doctorCmd) Help() string {
	return "Example:\n  emolab doctor\n\nExit code 1 when something would keep a session from being recorded."
}

// verdict is how one thing stands.
type verdict string

const (
	fine    verdict = "ok"
	warning verdict = "warn" // a session can be recorded all the same
	bad     verdict = "fail"
)

// finding is one thing that was looked at.
type finding struct {
	What    string  `json:"what"`
	Verdict verdict `json:"verdict"`
	Text    string  `json:"text"`
	Advice  string  `json:"advice,omitempty"`
}

// Run is the command.
func (c *doctorCmd) Run(a *app) error {
	findings := []finding{
		checkModels(), checkRoom(c.Data), checkBrowser(), checkDisplay(c.Data, time.Now()), checkClock(), checkCores(),
	}
	findings = append(findings, checkCameraLatency(c.Data, c.Lab, time.Now())...)
	findings = append(findings, checkLab(c.Lab)...)
	failed := 0
	for _, f := range findings {
		if f.Verdict == bad {
			failed++
		}
	}
	if c.JSON {
		if err := printJSON(a.out, findings); err != nil {
			return err
		}
	} else {
		for _, f := range findings {
			fmt.Fprintf(a.out, "%-4s  %-16s  %s\n", f.Verdict, f.What, f.Text)
			if f.Advice != "" {
				fmt.Fprintf(a.out, "%24s%s\n", "", strings.ReplaceAll(f.Advice, "\n", "\n"+strings.Repeat(" ", 24)))
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, len(findings))
	}
	return nil
}

func checkModels() finding {
	_, where, err := models()
	if err != nil {
		return finding{"face models", bad, err.Error(), "Run `make models` and build again, or `emolab models install --from DIR`."}
	}
	return finding{"face models", fine, where, ""}
}

// checkRoom looks at the data folder, or at the nearest folder above it that exists.
func checkRoom(dir string) finding {
	at := dir
	for {
		if _, err := os.Stat(at); err == nil {
			break
		}
		at = filepath.Dir(at)
	}
	probe, err := os.CreateTemp(at, ".emolab-doctor-*")
	if err != nil {
		return finding{"data folder", bad, err.Error(), "Choose a folder that you may write to, with --data."}
	}
	probe.Close()
	os.Remove(probe.Name())
	free, err := session.DiskFree(at)
	switch {
	case err != nil:
		return finding{"data folder", bad, err.Error(), ""}
	case free < session.DiskStop:
		return finding{"data folder", bad, fmt.Sprintf("%s: %d MB left", dir, free>>20), "Move old bundles away."}
	case free < session.DiskWarn:
		return finding{"data folder", warning, fmt.Sprintf("%s: %.1f GB left", dir, float64(free)/(1<<30)), "Move old bundles away soon."}
	}
	return finding{"data folder", fine, fmt.Sprintf("%s: %.0f GB left, %.0f h of recording with the video of the face", dir, float64(free)/(1<<30), session.RecordingHours(free, true)), ""}
}

func checkBrowser() finding {
	path, err := exec.LookPath(browserName)
	if err != nil {
		return finding{"browser", warning, browserName + " is not installed", "The stage needs a browser on the participant's screen: apt install chromium."}
	}
	return finding{"browser", fine, path, ""}
}

// staleLatency is after how long a measured latency deserves another look: drivers
// and browsers are updated several times in half a year.
const staleLatency = 180 * 24 * time.Hour

// checkDisplay looks at whether the participant's screen was measured, when and how
// well.
func checkDisplay(dir string, now time.Time) finding {
	const what = "display"
	m, err := loadLatency(dir, latency.Display)
	switch {
	case err != nil:
		return finding{what, bad, err.Error(), ""}
	case m == nil:
		return finding{what, warning, "not measured: stimulus times hold within 50 ms", "With a photodiode on the box: emolab calibrate display."}
	}
	return checkLatency(what, m, stage.Screen(m.Screen).String(), now)
}

// checkCameraLatency looks at how well the lab's camera was measured, if it has one.
// Whether that was this camera in this mode is said when it is opened.
func checkCameraLatency(dir, labPath string, now time.Time) []finding {
	const what = "camera latency"
	m, err := loadLatency(dir, latency.Camera)
	switch {
	case err != nil:
		return []finding{{what, bad, err.Error(), ""}}
	case m != nil:
		return []finding{checkLatency(what, m, m.Device+", "+m.Mode, now)}
	}
	lab, err := readLab(labPath)
	if err != nil { // which checkLab tells
		return nil
	}
	about := webcam.Expected(lab.Camera.Source)
	if lab.Camera.Source == "" || lab.Camera.Source == browserCamera || about.Kind == webcam.File {
		return nil
	}
	return []finding{{what, warning,
		"not measured: frames are stamped later than they were exposed, by up to " + unmeasured(about.Stamps),
		"With a photodiode on the box, or a measured display: emolab calibrate camera."}}
}

// checkLatency looks at a measured latency of something.
func checkLatency(what string, m *latency.Measured, of string, now time.Time) finding {
	age := now.Sub(m.MeasuredAt)
	text := fmt.Sprintf("measured %d days ago on %s: %+.1f ms, within ±%.1f ms, %d of %d flashes",
		max(int(age.Hours()/24), 0), of, m.ShiftMs(), m.WithinMs(), m.Matched, m.Flashes)
	if age > staleLatency {
		return finding{what, warning, text, "Drivers and browsers change. Measure again: emolab calibrate " + string(m.Kind) + "."}
	}
	return finding{what, fine, text, ""}
}

// checkClock looks at the kernel's clock source. With a slow one, reading the
// time is a system call that takes microseconds.
func checkClock() finding {
	b, err := os.ReadFile("/sys/devices/system/clocksource/clocksource0/current_clocksource")
	if err != nil {
		return finding{"clock", warning, "the kernel does not tell its clock source", ""}
	}
	source := strings.TrimSpace(string(b))
	switch source {
	case "tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page":
		return finding{"clock", fine, "CLOCK_MONOTONIC from " + source, ""}
	}
	return finding{"clock", warning, "CLOCK_MONOTONIC from " + source + ", which is slow to read", "Enable the invariant TSC in the firmware setup."}
}

func checkCores() finding {
	if n := runtime.NumCPU(); n < 2 {
		return finding{"processor", warning, "one core", "The face nets alone use most of one: frames will be skipped and counted."}
	} else {
		return finding{"processor", fine, strconv.Itoa(n) + " cores", ""}
	}
}

// checkLab opens every device that lab.yaml names, all at once.
func checkLab(path string) []finding {
	lab, err := readLab(path)
	if errors.Is(err, os.ErrNotExist) {
		return []finding{{"lab.yaml", warning, "no devices are configured", err.Error()}}
	}
	if err != nil {
		return []finding{{"lab.yaml", bad, "it cannot be used", err.Error()}}
	}
	findings := make([]finding, 1+len(lab.Devices))
	if len(lab.Devices) == 0 {
		findings = append(findings, finding{"sensors", warning, "lab.yaml names none", "`emolab devices` prints the lines to add."})
	}
	findings = append(findings, checkScreen(lab)...)
	var group errgroup.Group
	group.Go(func() error {
		findings[0] = checkCamera(lab.Camera)
		return nil
	})
	for i, d := range lab.Devices {
		group.Go(func() error {
			findings[1+i] = checkDevice(d)
			return nil
		})
	}
	_ = group.Wait() // the checks report in words
	return findings
}

// checkScreen looks at whether degrees of visual angle can be told, where there is
// an eye tracker.
func checkScreen(lab labFile) []finding {
	tracked := slices.ContainsFunc(lab.Devices, func(d deviceEntry) bool { return d.driver.Stream == "gaze" })
	s, what := lab.screen(), "screen"
	switch {
	case s.Valid():
		return []finding{{what, fine, fmt.Sprintf("%.0f x %.0f mm at %.0f mm: %.1f by %.1f degrees of visual angle", s.WidthMM, s.HeightMM, s.DistanceMM,
			s.Degrees(0, .5, 1, .5), s.Degrees(.5, 0, .5, 1)), ""}}
	case tracked:
		a := session.AssumedScreen()
		return []finding{{what, warning, fmt.Sprintf("lab.yaml does not say how large it is: degrees are those of a screen of %.0f x %.0f mm at %.0f mm", a.WidthMM, a.HeightMM, a.DistanceMM),
			"Measure the picture and the distance of the eyes from it, and add to lab.yaml:\n" + exampleScreen}}
	}
	return nil
}
