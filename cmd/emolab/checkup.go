package main

import (
	"context"
	"fmt"
	"time"

	"emolab/capture/frame"
	"emolab/capture/webcam"
	"emolab/fusion/instant"
	"emolab/sensors/inspect"
)

const (
	// checkupTime is how long the camera may take to give its frames.
	checkupTime = 5 * time.Second
	// cameraFrames are enough to tell a camera's rate.
	cameraFrames = 30
	// slowCamera is the rate below which expressions are missed.
	slowCamera = 25
)

// checkCamera opens the camera and watches some frames. It keeps none.
func checkCamera(entry cameraEntry) finding {
	if entry.Source == "" {
		return finding{"camera", warning, "lab.yaml names none", "Add a line: camera: {source: /dev/video0}"}
	}
	if entry.Source == browserCamera {
		return finding{"camera", fine, "that of a browser: emolab serve prints the address of its page", ""}
	}
	cam, err := webcam.Open(webcam.Options{Source: entry.Source, Width: entry.Width, Height: entry.Height, FPS: entry.FPS}, instant.Monotonic{})
	if err != nil {
		return finding{"camera", bad, err.Error(), ""}
	}
	defer cam.Close()
	ctx, cancel := context.WithTimeout(context.Background(), checkupTime)
	defer cancel()
	frames := make(chan frame.Frame)
	ended := make(chan error, 1)
	go func() {
		ended <- cam.Run(ctx, frames)
		close(frames)
	}()
	var first, last instant.Instant
	n := 0
	for f := range frames {
		if n == 0 {
			first = f.At
		}
		last = f.At
		if n++; n == cameraFrames {
			cancel()
		}
	}
	err = <-ended
	about := cam.Describe()
	if n < 2 {
		return finding{"camera", bad, fmt.Sprintf("%s gave %d frames in %v (%v)", about.Device, n, checkupTime, err), "Is another program using it?"}
	}
	fps := float64(n-1) / last.Sub(first).Seconds()
	text := fmt.Sprintf("%s: %dx%d, %.1f frames a second, %s stamps", about.Device, about.Width, about.Height, fps, about.Stamps)
	if fps < slowCamera {
		return finding{"camera", warning, text, "More light lets the camera expose faster; switch off its low-light mode."}
	}
	return finding{"camera", fine, text, ""}
}

// checkDevice lets a device's own driver talk to it for some seconds.
func checkDevice(d deviceEntry) finding {
	what := d.settings.At().ID
	r, err := inspect.Watch(context.Background(), d.settings, watchTime)
	if err != nil {
		return finding{what, bad, err.Error(), ""}
	}
	text := fmt.Sprintf("%s (%s): %s", r.Device, d.driver.Name, r.Said)
	switch r.Health {
	case inspect.Well:
		return finding{what, fine, text + live(r.Latest), ""}
	case inspect.Slow, inspect.Flood:
		return finding{what, warning, text, ""}
	}
	if r.Deaf {
		if baud := inspect.FindBaud(context.Background(), d.settings, inspect.Speeds()); baud != 0 {
			return finding{what, bad, text, fmt.Sprintf("It is understood at %d baud: set baud: %d for it in lab.yaml.", baud, baud)}
		}
	}
	return finding{what, bad, text, "`emolab devices` tells what is on each port."}
}
