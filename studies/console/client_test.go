package console

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
)

// The Python client of the documentation reads what the server sends, to the last digit
// that it carries. EMOLAB_PYTHON is an interpreter with client/requirements.txt.
func TestPythonClientRecordsALiveStream(t *testing.T) {
	python := os.Getenv("EMOLAB_PYTHON")
	if python == "" {
		t.Skip("make interop-console sets EMOLAB_PYTHON, with the client's packages")
	}
	l := startRecording(t, Options{})
	cmd := exec.CommandContext(t.Context(), python, "client/record.py", l.server.URL, testToken, "gaze")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "time_ms,gaze_x,gaze_y,gaze_valid,pupil_left_mm,pupil_right_mm" {
		t.Fatalf("the first line is %q (%v)", lines.Text(), lines.Err())
	}
	const samples = 90
	go func() { // a second and a half of gaze at 60 Hz, one sample a chunk
		tick := time.NewTicker(time.Second / 60)
		defer tick.Stop()
		for i := range samples {
			<-tick.C
			now := instant.Monotonic{}.Now()
			pupil := math.NaN()
			if i%3 != 0 {
				pupil = 3 + float64(i)/100
			}
			l.bus.Publish(t.Context(), stream.Chunk{Stream: "gaze", Samples: []stream.Sample{
				{Seq: int64(i), Arrival: now, At: now, Values: []float64{float64(i) / 128, .5, 1, pupil, 4}}}})
		}
	}()
	last := math.Inf(-1)
	for i := range samples {
		if !lines.Scan() {
			t.Fatalf("after %d rows: %v", i, lines.Err())
		}
		cells := strings.Split(lines.Text(), ",")
		pupil := ""
		if i%3 != 0 {
			pupil = strconv.FormatFloat(3+float64(i)/100, 'g', 7, 32)
		}
		at, err := strconv.ParseFloat(cells[0], 64)
		if err != nil || at <= last {
			t.Errorf("row %d: time %q is not after %v", i, cells[0], last)
		}
		last = at
		if want := fmt.Sprintf("%.7g,0.5,1,%s,4", float64(i)/128, pupil); strings.Join(cells[1:], ",") != want {
			t.Errorf("row %d is %v, want %s", i, cells[1:], want)
		}
	}
	// It ends with the recording.
	l.operator.change(func(s *session.Status) { s.State = "" })
	for lines.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
