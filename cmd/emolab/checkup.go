package main

import (
	"context"
	"fmt"
	"time"

	"emolab/capture/frame"
	"emolab/capture/webcam"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const (
	// checkupTime is how long a device is listened to: an Arduino that resets when
	// its port is opened needs two seconds before it answers.
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
	what := d.driver.Name
	source, err := d.settings.Open()
	if err != nil {
		return finding{what, bad, err.Error(), ""}
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkupTime)
	defer cancel()
	chunks := make(chan stream.Chunk)
	ended := make(chan error, 1)
	go func() {
		ended <- source.Run(ctx, chunks)
		close(chunks)
	}()
	info := source.Info()[0]
	heard, said := 0, "it says nothing"
	var first, last instant.Instant
	for c := range chunks {
		for _, s := range c.Samples {
			if heard++; heard == 1 {
				first = s.Arrival
			}
			last = s.Arrival
		}
		for _, e := range c.Events {
			if e.Detail != "" {
				said = e.Detail
			}
		}
	}
	if err := <-ended; err != nil {
		return finding{what, bad, err.Error(), ""}
	}
	if heard < 2 {
		return finding{what, bad, "no data: " + said, "Check the cable, the port's name and the speed (baud)."}
	}
	rate := float64(heard-1) / last.Sub(first).Seconds()
	return finding{what, fine, fmt.Sprintf("%s: %.0f of %.0f samples a second", info.Device, rate, info.Rate), ""}
}
