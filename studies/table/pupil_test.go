package table_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"emolab/studies/table"
)

func TestPupils(t *testing.T) {
	for _, c := range []struct {
		name, header, row string
		o                 table.GazeOptions
		eyes              []table.Eye
		unit, says        string
	}{
		{"one gaze, two pupils", "t_ms,BPOGX,BPOGY,LPD,RPD,LPMM,RPMM", ".5,.3,18,16,3.6,3.1", table.GazeOptions{}, []table.Eye{table.Left, table.Right}, "mm", `"RPMM" (mm)`},
		{"named for one gaze", "t_ms,x_px,y_px,a,b", "500,300,3,4", table.GazeOptions{Pupil: "a, b"}, []table.Eye{table.Left, table.Right}, "", `"b" (no unit named)`},
		{"our own bundle", "t_ns,gaze_x,gaze_y,pupil_left_mm,pupil_right_mm", ".5,.3,3,4", table.GazeOptions{}, []table.Eye{table.Left, table.Right}, "mm", `"pupil_left_mm" (mm)`},
		{"of both", "t_ms,x_px,y_px,pupil,pupil_left", "500,300,3,4", table.GazeOptions{}, []table.Eye{table.Both}, "", `"pupil" (no unit named)`},
		{"a diameter without a unit", "t_ms,Gaze point X,Gaze point Y,Pupil diameter left,Pupil diameter right", "500,300,3.6,3.1", table.GazeOptions{}, []table.Eye{table.Left, table.Right}, "mm", "assumed to be mm"},
		{"a diameter in pixels", "t_ms,x_px,y_px,diameter", "500,300,42", table.GazeOptions{}, []table.Eye{table.Both}, "", "no unit named"},
		{"none wanted", "t_ms,x_px,y_px,pupil", "500,300,3", table.GazeOptions{Pupil: "-"}, nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns := strings.Contains(c.header, "_ns")
			tab := read(t, rows(c.header, 20, func(i int) string {
				step := i * 4
				if ns {
					step *= 1e6
				}
				return fmt.Sprintf("%d,%s", step, c.row)
			}), table.Options{})
			a, err := tab.Axis(eyeAxis)
			if err != nil {
				t.Fatal(err)
			}
			g, err := tab.Gaze(&a, c.o)
			if err != nil {
				t.Fatal(err)
			}
			var eyes []table.Eye
			for _, p := range g.Pupils {
				eyes = append(eyes, p.Eye)
				if p.Unit != c.unit || len(p.Size) != 20 {
					t.Errorf("%q: %d sizes in %q, want 20 in %q", p.Eye, len(p.Size), p.Unit, c.unit)
				}
			}
			if said := strings.Join(g.Notes, "\n"); !cmp.Equal(eyes, c.eyes) || !strings.Contains(said, c.says) {
				t.Errorf("pupils of %q, want %q; says %q, want %q", eyes, c.eyes, said, c.says)
			}
		})
	}
	tab := read(t, rows("t_ms,x_px,y_px,a,b,c", 20, func(i int) string { return fmt.Sprintf("%d,500,300,3,4,5", i*4) }), table.Options{})
	a, err := tab.Axis(eyeAxis)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tab.Gaze(&a, table.GazeOptions{Pupil: "a,b,c"}); err == nil || !strings.Contains(err.Error(), "--pupil names 3") {
		t.Errorf("three pupils: %v", err)
	}
}

// Tobii Pro writes the screen's resolution into columns, and a row of its own for
// each event, with the time of a sample.
func TestTobiiPro(t *testing.T) {
	text := rows("Recording timestamp [ms],Recording resolution height,Recording resolution width,Event,Gaze point X,Gaze point Y,Validity left", 20, func(i int) string {
		sample := fmt.Sprintf("%d,1080,1920,,%d,300,Valid", i*4, 500+i)
		if i == 5 {
			return fmt.Sprintf("%d,1080,1920,ImageStimulusStart,,,\n", i*4) + sample
		}
		return sample
	})
	tab := read(t, text, table.Options{})
	if w, h, from := tab.Resolution(); w != 1920 || h != 1080 || !strings.Contains(from, "Recording resolution") {
		t.Errorf("%g x %g of %q", w, h, from)
	}
	a, err := tab.Axis(eyeAxis)
	if err != nil {
		t.Fatal(err)
	}
	g, err := tab.Gaze(&a, table.GazeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if x := g.Eyes[0].X; len(x) != 20 || x[5] != 505 {
		t.Errorf("%d samples, that beside the event is %v, want 20 and 505", len(x), x[5])
	}
	plain := read(t, rows("t_ms,x_px,y_px", 20, func(i int) string { return fmt.Sprintf("%d,1,2", i*4) }), table.Options{})
	if w, h, _ := plain.Resolution(); w != 0 || h != 0 {
		t.Errorf("a table without it has %g x %g", w, h)
	}
}
