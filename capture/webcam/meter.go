package webcam

import (
	"context"
	"errors"
	"fmt"
	"math"

	"emolab/capture/frame"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Meter is a camera as a light meter: a stream of one sample a frame, whose values
// are the light in the cells of a grid, row by row from the top left. What the
// camera's latency is measured with.
type Meter struct {
	info          stream.Info
	camera        *Camera
	columns, rows int
	clock         instant.Clock
	linear        [256]float64
}

// NewMeter puts a grid of columns x rows cells over a camera's frames. Run runs the
// camera.
func NewMeter(camera *Camera, id string, columns, rows int, clock instant.Clock) *Meter {
	about := camera.Describe()
	m := &Meter{
		info: stream.Info{
			ID: id, Kind: stream.Light, Device: about.Device, Port: about.Port,
			Clock: about.Stamps.Clock(), TickHz: 1e9, Rate: about.FPS,
		},
		camera: camera, columns: columns, rows: rows, clock: clock,
	}
	for r := range rows {
		for c := range columns {
			m.info.Channels = append(m.info.Channels, stream.Channel{
				Name: fmt.Sprintf("light_%02d_%02d", r, c), Unit: "1",
				Note: "Mean light of a cell of the camera's picture, by row and column: 0 black, 1 white.",
			})
		}
	}
	for v := range m.linear {
		m.linear[v] = linear(float64(v) / 255)
	}
	return m
}

// linear is the light that a value of a picture stands for, both 0 to 1 (IEC
// 61966-2-1, sRGB). Cameras differ from it a little; what matters is that a frame
// that was exposed half to the one light and half to the other comes out near half.
func linear(v float64) float64 {
	if v <= .04045 {
		return v / 12.92
	}
	return math.Pow((v+.055)/1.055, 2.4)
}

// Info describes the one stream.
func (m *Meter) Info() []stream.Info { return []stream.Info{m.info} }

// Run meters frames until ctx ends. A camera that stops is a Disconnected event; it
// is not looked for again.
func (m *Meter) Run(ctx context.Context, out chan<- stream.Chunk) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	frames := make(chan frame.Frame)
	var cameraErr error
	go func() {
		defer close(frames)
		cameraErr = m.camera.Run(running, frames)
	}()
	defer func() { // before stop: the last defer runs first
		stop()
		for range frames {
		}
	}()
	connected := false
	next := int64(0)
	for f := range frames {
		c := stream.Chunk{Stream: m.info.ID, Samples: []stream.Sample{{
			Seq: f.Seq, Tick: int64(f.At), Arrival: f.Arrival, Values: m.read(f),
		}}}
		if !connected {
			c.Events = append(c.Events, stream.Event{Kind: stream.Connected, At: f.Arrival, Detail: m.info.Device})
			connected = true
		}
		if lost := f.Seq - next; lost > 0 {
			c.Events = append(c.Events, stream.Event{Kind: stream.Lost, At: f.Arrival, Count: lost})
		}
		next = f.Seq + 1
		if !stream.Send(ctx, out, c) {
			return nil
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	if cameraErr == nil {
		cameraErr = errors.New("the camera stopped without a reason")
	}
	stream.Send(ctx, out, stream.Chunk{Stream: m.info.ID, Events: []stream.Event{{
		Kind: stream.Disconnected, At: m.clock.Now(), Detail: cameraErr.Error(),
	}}})
	<-ctx.Done()
	return nil
}

// Weights of blue, green and red in luminance (ITU-R BT.709, whose primaries sRGB has).
const weightB, weightG, weightR = .0722, .7152, .2126

// read returns the mean light of each cell.
func (m *Meter) read(f frame.Frame) []float64 {
	light := make([]float64, m.columns*m.rows)
	for r := range m.rows {
		top, bottom := r*f.Height/m.rows, (r+1)*f.Height/m.rows
		for c := range m.columns {
			left, right := c*f.Width/m.columns, (c+1)*f.Width/m.columns
			if n := (bottom - top) * (right - left); n > 0 {
				light[r*m.columns+c] = m.sum(f, left, right, top, bottom) / float64(n)
			}
		}
	}
	return light
}

func (m *Meter) sum(f frame.Frame, left, right, top, bottom int) float64 {
	sum := 0.
	for y := top; y < bottom; y++ {
		row := f.Pix[3*(y*f.Width+left) : 3*(y*f.Width+right)]
		for i := 0; i+2 < len(row); i += 3 {
			sum += weightB*m.linear[row[i]] + weightG*m.linear[row[i+1]] + weightR*m.linear[row[i+2]]
		}
	}
	return sum
}
