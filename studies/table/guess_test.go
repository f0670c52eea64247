package table_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"emolab/studies/table"
)

var edaAxis = table.AxisOptions{MinHz: 1.5, MaxHz: 1500}

// rows writes n rows, each made by f.
func rows(header string, n int, f func(i int) string) string {
	var b strings.Builder
	if header != "" {
		b.WriteString(header + "\n")
	}
	for i := range n {
		b.WriteString(f(i) + "\n")
	}
	return b.String()
}

func TestAxis(t *testing.T) {
	line := func(format string) func(int) string {
		return func(i int) string { return fmt.Sprintf(format, i) + ",2.5" }
	}
	step := func(s float64) func(int) string {
		return func(i int) string { return fmt.Sprintf("%.9g,2.5", float64(i)*s) }
	}
	for _, c := range []struct {
		name, text string
		o          table.AxisOptions
		rate       float64
		says       string
	}{
		{"named ms", rows("t_ms,eda", 50, line("%d0")), edaAxis, 100, "by its name"},
		{"named s", rows("time_s,eda", 50, step(0.25)), edaAxis, 4, "in s"},
		{"not named, s", rows("time,eda", 50, step(0.01)), edaAxis, 100, "plausible rate"},
		{"not named, ms", rows("time,eda", 50, step(4)), edaAxis, 250, "in ms"},
		{"not named, 1 ms", rows("time,eda", 50, step(1)), edaAxis, 1000, "in ms"},
		{"µs", rows("timestamp (µs),eda", 50, step(8000)), edaAxis, 125, "in µs"},
		{"ns", rows("timestamp,eda", 50, step(8e6)), edaAxis, 125, "in ns"},
		{"dates", rows("when,eda", 50, func(i int) string { return fmt.Sprintf("2026-03-01 10:00:00.%02d0,3", i) }), edaAxis, 100, "from dates"},
		{"no header", rows("", 50, step(0.01)), edaAxis, 100, "column 1"},
		{"counted", rows("eda", 50, func(int) string { return "2.5" }), table.AxisOptions{Rate: 32}, 32, "as given"},
		{"given", rows("a,eda", 50, step(2)), table.AxisOptions{Column: "a", Unit: "ms", MinHz: 1, MaxHz: 1000}, 500, "as given"},
		{"Empatica E4", "1463738580.0\n4.0\n" + rows("", 50, func(int) string { return "0.2" }), edaAxis, 4, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := read(t, c.text, table.Options{}).Axis(c.o)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(a.Rate-c.rate) > 1e-6*c.rate || len(a.At) != 50 || a.At[0] != 0 {
				t.Errorf("rate %v, %d rows, want %v and 50", a.Rate, len(a.At), c.rate)
			}
			if want := int64(math.Round(49 / c.rate * 1e9)); a.At[49] < want-1000 || a.At[49] > want+1000 {
				t.Errorf("last at %d, want %d", a.At[49], want)
			}
			if !strings.Contains(strings.Join(a.Notes, "\n"), c.says) {
				t.Errorf("says %q, want %q", a.Notes, c.says)
			}
		})
	}
}

func TestAxisSaysWhatIsOdd(t *testing.T) {
	a, err := read(t, "t_s,eda\n0,1\n0.1,1\n0.2,1\n0.2,1\n,1\n0.3,1\n2,1\n2.1,1\n2.2,1\n2.3,1\n2.4,1\n2.5,1\n", table.Options{}).Axis(edaAxis)
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(a.Notes, "\n")
	for _, want := range []string{"irregular", "longest is 1.7 s", "1 rows have none", "1 rows have that of the row before"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q lacks %q", said, want)
		}
	}
	if len(a.Rows) != 10 || math.Abs(a.Rate-10) > 1e-9 {
		t.Errorf("%d rows at %v Hz", len(a.Rows), a.Rate)
	}
}

func TestAxisRefuses(t *testing.T) {
	for _, c := range []struct {
		name, text, says string
		o                table.AxisOptions
	}{
		{"goes back", "t_s,eda\n0,1\n1,1\n0.5,1\n1.5,1\n", "line 4", edaAxis},
		{"not a number", "t_s,eda\n0,1\n1,1\n2,1\nlate,1\n", `line 5, column "t_s": "late"`, edaAxis},
		{"two times", "time1,timestamp,time,eda\n0,0,0,1\n1,1,1,1\n", `"timestamp" or "time"`, edaAxis},
		{"no time", "a,eda\n5,1\n3,1\n", "--rate", edaAxis},
		{"coarse stamps", "t_s,eda\n0,1\n0,1\n0,1\n1,1\n1,1\n1,1\n2,1\n2,1\n", "too coarse", edaAxis},
		{"implausible", rows("t_s,eda", 9, func(i int) string { return fmt.Sprint(i*100, ",1") }), "--time-unit", edaAxis},
		{"no unit fits", rows("time,eda", 9, func(i int) string { return fmt.Sprint(float64(i)*2e11, ",1") }), "--time-unit", edaAxis},
		{"unknown unit", "t,eda\n0,1\n1,1\n2,1\n", "no unit of time", table.AxisOptions{Unit: "fortnight", MinHz: 1, MaxHz: 9}},
		{"beyond clocks", "t,eda\n1e300,1\n2e300,1\n3e300,1\n", "beyond all clocks", table.AxisOptions{Unit: "s", MinHz: 1, MaxHz: 9}},
	} {
		if _, err := read(t, c.text, table.Options{}).Axis(c.o); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

func TestConductance(t *testing.T) {
	at := func(header string, value string) string {
		return rows(header, 9, func(i int) string { return fmt.Sprintf("%d,%s", i*10, value) })
	}
	for _, c := range []struct {
		name, text, column, unit string
		want                     float64
		says                     string
	}{
		{"named", at("t_ms,eda_us", "2.5"), "", "", 2.5, "by its name"},
		{"µS", at("t_ms,EDA (µS)", "2.5"), "", "", 2.5, "by its name"},
		{"assumed", at("t_ms,GSR", "2.5"), "", "", 2.5, "assumed"},
		{"kilo-ohm", at("t_ms,GSR_Skin_Resistance_CAL kOhms", "400"), "", "", 2.5, "converted from resistance"},
		{"nanosiemens", at("t_ms,skin conductance [nS]", "2500"), "", "", 2.5, "in nS"},
		{"siemens, given", at("t_ms,eda", "2.5e-6"), "", "S", 2.5, "as given"},
		{"column given", rows("t_ms,a,b", 9, func(i int) string { return fmt.Sprintf("%d,7,2.5", i*10) }), "b", "uS", 2.5, `"b"`},
		{"the only other", at("t_ms,value", "2.5"), "", "", 2.5, `"value"`},
		{"raw before derived", rows("t_ms,EDA_Raw,EDA_Clean,EDA_Tonic,EDA_Phasic", 9, func(i int) string { return fmt.Sprintf("%d,2.5,3,4,5", i*10) }), "", "", 2.5, "EDA_Raw"},
		{"Shimmer", rows("Timestamp ms,GSR_Range,GSR_Skin_Conductance_CAL uS,GSR_Skin_Resistance_CAL kOhms", 9, func(i int) string { return fmt.Sprintf("%d,1,2.5,400", i*10) }), "", "", 2.5, "Conductance"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tab := read(t, c.text, table.Options{})
			a, err := tab.Axis(edaAxis)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tab.Conductance(&a, c.column, c.unit)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range got.US {
				if math.Abs(v-c.want) > 1e-9 {
					t.Fatalf("%v µS, want %v", v, c.want)
				}
			}
			if !strings.Contains(strings.Join(got.Notes, "\n"), c.says) {
				t.Errorf("says %q, want %q", got.Notes, c.says)
			}
		})
	}
}

func TestConductanceRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, unit, says string }{
		{"counts", rows("t_ms,eda", 9, func(i int) string { return fmt.Sprint(i*10, ",", 512+i) }), "", "raw counts"},
		{"two alike", rows("t_ms,eda left,eda right", 9, func(i int) string { return fmt.Sprint(i*10, ",2,3") }), "", `"eda left" or "eda right"`},
		{"none", rows("t_ms,heart,breath", 9, func(i int) string { return fmt.Sprint(i*10, ",2,3") }), "", "--value"},
		{"too large", rows("t_ms,eda", 9, func(i int) string { return fmt.Sprint(i*10, ",2000.5") }), "", "--unit"},
		{"unknown unit", rows("t_ms,eda", 9, func(i int) string { return fmt.Sprint(i*10, ",2") }), "lux", "no unit of conductance"},
		{"a word", "t_ms,eda\n0,1\n10,2\n20,off\n", "", `line 4, column "eda": "off" is not a number`},
	} {
		tab := read(t, c.text, table.Options{})
		a, err := tab.Axis(edaAxis)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if _, err := tab.Conductance(&a, "", c.unit); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

var eyeAxis = table.AxisOptions{MinHz: 20, MaxHz: 2500}

func TestGaze(t *testing.T) {
	for _, c := range []struct {
		name, header, row string // the row is written after the time
		o                 table.GazeOptions
		eyes              []table.Eye
		x                 []float64
		unit, says        string
	}{
		{"the pack's", "t_ms,x_px,y_px", "500,300", table.GazeOptions{}, []table.Eye{table.Both}, []float64{500}, table.Pixels, "by its name"},
		{"two eyes", "t_ms,lx_px,ly_px,lpupil,rx_px,ry_px,rpupil", "500,300,3,510,310,4", table.GazeOptions{}, []table.Eye{table.Left, table.Right}, []float64{500, 510}, table.Pixels, `pupil: "rpupil"`},
		{"Gazepoint", "TIME,FPOGX,FPOGY,LPOGX,LPOGY,RPOGX,RPOGY,BPOGX,BPOGY", ".1,.1,.5,.5,.6,.6,.7,.7", table.GazeOptions{}, []table.Eye{table.Left, table.Right}, []float64{.5, .6}, table.Fractions, "assumed"},
		{"Gazepoint, one", "TIME,FPOGX,FPOGY,BPOGX,BPOGY", ".1,.1,.7,.7", table.GazeOptions{}, []table.Eye{table.Both}, []float64{.7}, table.Fractions, "BPOGX"},
		{"Tobii Studio", "RecordingTimestamp,GazePointX (ADCSpx),GazePointY (ADCSpx),GazePointX (MCSpx),GazePointY (MCSpx)", "500,300,1,1", table.GazeOptions{}, []table.Eye{table.Both}, []float64{500}, table.Pixels, "ADCS"},
		{"Tobii Pro Lab", "Recording timestamp [ms],Gaze point X [px],Gaze point Y [px],Gaze point left X [px],Gaze point left Y [px],Gaze point right X [px],Gaze point right Y [px],Fixation point X [px],Fixation point Y [px],Pupil diameter left [mm],Pupil diameter right [mm]", "1,1,500,300,510,310,2,2,3,4", table.GazeOptions{}, []table.Eye{table.Left, table.Right}, []float64{500, 510}, table.Pixels, `"Pupil diameter left [mm]" (mm)`},
		{"SMI", "Time [us],L POR X [px],L POR Y [px]", "500,300", table.GazeOptions{}, []table.Eye{table.Left}, []float64{500}, table.Pixels, "left eye only"},
		{"iMotions", "Timestamp,ET_GazeLeftx,ET_GazeLefty,ET_GazeRightx,ET_GazeRighty", "500,300,510,310", table.GazeOptions{}, []table.Eye{table.Left, table.Right}, []float64{500, 510}, table.Pixels, "assumed"},
		{"EyeLink", "TIMESTAMP,RIGHT_GAZE_X,RIGHT_GAZE_Y,RIGHT_PUPIL_SIZE", "500,300,900", table.GazeOptions{}, []table.Eye{table.Right}, []float64{500}, table.Pixels, "RIGHT_PUPIL_SIZE"},
		{"Pupil Labs", "gaze_timestamp,norm_pos_x,norm_pos_y,confidence", ".5,.3,1", table.GazeOptions{}, []table.Eye{table.Both}, []float64{.5}, table.Fractions, "from the lower edge"},
		{"bare", "t,x,y", "500,300", table.GazeOptions{}, []table.Eye{table.Both}, []float64{500}, table.Pixels, "assumed"},
		{"given", "t,a,b", "5,3", table.GazeOptions{X: "a", Y: "b", Unit: "deg"}, []table.Eye{table.Both}, []float64{5}, table.Degrees, "as given"},
	} {
		t.Run(c.name, func(t *testing.T) {
			us := strings.Contains(c.header, "[us]")
			text := rows(c.header, 20, func(i int) string {
				step := i * 4
				if us {
					step *= 1000
				}
				return fmt.Sprintf("%d,%s", step, c.row)
			})
			tab := read(t, text, table.Options{})
			a, err := tab.Axis(eyeAxis)
			if err != nil {
				t.Fatal(err)
			}
			// Constant gaze has no range: a real file has one.
			tab.Columns[1].Values[3] += 0.01
			g, err := tab.Gaze(&a, c.o)
			if err != nil {
				t.Fatal(err)
			}
			var eyes []table.Eye
			var x []float64
			for _, e := range g.Eyes {
				eyes, x = append(eyes, e.Eye), append(x, e.X[0])
			}
			if !cmp.Equal(eyes, c.eyes) || !cmp.Equal(x, c.x) || g.Unit != c.unit {
				t.Errorf("%q %v in %s, want %q %v in %s", eyes, x, g.Unit, c.eyes, c.x, c.unit)
			}
			if said := strings.Join(g.Notes, "\n"); !strings.Contains(said, c.says) {
				t.Errorf("says %q, want %q", said, c.says)
			}
		})
	}
}

func TestGazeRefuses(t *testing.T) {
	for _, c := range []struct {
		name, header, row, says string
		o                       table.GazeOptions
	}{
		{"none", "t,mouse x,mouse y", "1,2", "--x COLUMN", table.GazeOptions{}},
		{"two alike", "t,gaze_x,gaze_y,por_x,por_y", "1,2,1,2", "choose with --x and --y", table.GazeOptions{}},
		{"degrees or what", "t,x,y", "12.5,3", "--unit", table.GazeOptions{}},
		{"half a name", "t,x,y", "12.5,3", "both columns", table.GazeOptions{X: "x"}},
		{"unknown unit", "t,x,y", "12.5,3", "no unit of gaze", table.GazeOptions{Unit: "furlong"}},
	} {
		tab := read(t, rows(c.header, 20, func(i int) string { return fmt.Sprintf("%d,%s", i*4, c.row) }), table.Options{})
		a, err := tab.Axis(eyeAxis)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tab.Gaze(&a, c.o); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

func TestValidity(t *testing.T) {
	for _, c := range []struct {
		name, header string
		good, bad    string
		valid        string
		left         int // rows that keep their gaze, of 10 good and 10 bad
	}{
		{"Gazepoint's best gaze goes on where it is lost", "t_ms,BPOGX,BPOGY,BPOGV", ".5,.3,1", ".5,.31,0", "", 10},
		{"Tobii", "t_ms,lx,ly,rx,ry,lvalid,rvalid", "500,300,500,300,0,0", "501,301,501,301,4,4", "", 10},
		{"one is good", "t_ms,BPOGX,BPOGY,BPOGV", "500,300,1", "0,0,0", "", 10},
		{"zero is good", "t_ms,x,y,validity", "500,300,0", ",,1", "", 10},
		{"does not tell", "t_ms,x,y,validity", "500,300,0", "501,301,1", "", 20},
		{"given", "t_ms,x,y,validity", "500,300,0", "501,301,1", "validity=0", 10},
		{"words", "t_ms,x,y,Validity", "500,300,Valid", "501,301,Invalid", "", 10},
		{"switched off", "t_ms,lx,ly,rx,ry,lvalid,rvalid", "500,300,500,300,0,0", "501,301,501,301,4,4", "-", 20},
	} {
		tab := read(t, rows(c.header, 20, func(i int) string { return fmt.Sprintf("%d,%s", i*4, []string{c.good, c.bad}[i%2]) }), table.Options{})
		a, err := tab.Axis(eyeAxis)
		if err != nil {
			t.Fatal(err)
		}
		g, err := tab.Gaze(&a, table.GazeOptions{Valid: c.valid})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, e := range g.Eyes {
			left := 0
			for i := range e.X {
				if math.IsNaN(e.X[i]) != math.IsNaN(e.Y[i]) {
					t.Errorf("%s: x and y are not missing together in row %d", c.name, i)
				}
				if !math.IsNaN(e.X[i]) {
					left++
				}
			}
			if left != c.left {
				t.Errorf("%s: %d rows keep their gaze, want %d (%q)", c.name, left, c.left, g.Notes)
			}
		}
	}
}

func TestMissingCodes(t *testing.T) {
	tab := read(t, rows("t_ms,x_px,y_px", 30, func(i int) string {
		switch {
		case i < 3:
			return fmt.Sprintf("%d,0,0", i*4)
		case i >= 10 && i < 14:
			return fmt.Sprintf("%d,-1920,-1080", i*4)
		case i == 20:
			return fmt.Sprintf("%d,-50,-20", i*4) // off the screen, but seen
		}
		return fmt.Sprintf("%d,%d,300", i*4, 500+i)
	}), table.Options{})
	a, err := tab.Axis(eyeAxis)
	if err != nil {
		t.Fatal(err)
	}
	g, err := tab.Gaze(&a, table.GazeOptions{ScreenX: 1920, ScreenY: 1080})
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range g.Eyes[0].X {
		if want := i < 3 || i >= 10 && i < 14; math.IsNaN(x) != want {
			t.Errorf("row %d: %v", i, x)
		}
	}
}

func TestLabelsAndTimes(t *testing.T) {
	tab := read(t, rows("t_ms,x,label_RA,label_MN", 9, func(i int) string { return fmt.Sprintf("%d,7,%d,fixation", i*4, i%3) }), table.Options{})
	a, err := tab.Axis(eyeAxis)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tab.Labels(&a, nil)
	if err != nil || len(l) != 2 || l[0].Rater != "RA" || l[0].Codes[2] != 2 || l[1].Rater != "MN" || l[1].Words[0] != "fixation" {
		t.Errorf("labels %+v, %v", l, err)
	}
	at, err := read(t, "onset\tduration\ttrial_type\n1.5\t1\tfilm\n20\t1\tpause\n", table.Options{}).Times("", "")
	if want := (table.Times{Seconds: []float64{1.5, 20}, Names: []string{"film", "pause"}}); err != nil || !cmp.Equal(at, want) {
		t.Errorf("events %+v, %v", at, err)
	}
	at, err = read(t, "onset_ms\n1500\n20000\n", table.Options{}).Times("", "")
	if err != nil || !cmp.Equal(at.Seconds, []float64{1.5, 20}) {
		t.Errorf("events in ms: %v, %v", at, err)
	}
}

func TestSidecar(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "p07.csv")
	if s, err := table.ReadSidecar(name); s != nil || err != nil {
		t.Errorf("without a file: %v, %v", s, err)
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "p07.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"stimulus": "dots", "geometry": {"screen_w_mm": 380, "screen_h_mm": 300, "view_dist_mm": 670, "res_x": 1024, "res_y": 768}}`)
	s, err := table.ReadSidecar(name)
	want := &table.Sidecar{File: "p07.json", WidthMM: 380, HeightMM: 300, DistanceMM: 670, WidthPx: 1024, HeightPx: 768, Stimulus: "dots"}
	if d := cmp.Diff(want, s); err != nil || d != "" {
		t.Error(err, d)
	}
	for _, bad := range []string{"{", `{"geometry": {"res_x": -1}}`} {
		write(bad)
		if _, err := table.ReadSidecar(name); err == nil || !strings.Contains(err.Error(), "p07.json") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// FuzzRead: whatever the bytes, reading and guessing end, in an error or in
// columns of one length without infinities.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"t_ms,x_px,y_px,label_RA\n0,1,2,1\n2,2,3,1\n4,,,5\n", "t;eda\n0;1,5\n1;2,5\n2;3\n",
		"# t eda\n0 1\n1 2\n2 3\n", "1463738580.0\n4.0\n0.2\n0.3\n0.4\n", "\ufefft\tlx\tly\trx\try\tlvalid\n0\t1\t2\t3\t4\t0\n",
		"\xff\xfet\x00,\x00e\x00\n\x00", "\x1f\x8b\x08", "a,\"b\nc\",d\n1,2,3\n", "2026-03-01 10:00:00,1\n2026-03-01 10:00:01,1\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tab, err := table.Read(strings.NewReader(string(data)), "fuzz", table.Options{})
		if err != nil {
			return
		}
		for _, c := range tab.Columns {
			if len(c.Values) != tab.Rows {
				t.Fatalf("column of %d values in %d rows", len(c.Values), tab.Rows)
			}
			for i, v := range c.Values {
				if math.IsInf(v, 0) {
					t.Fatalf("row %d is infinite", i)
				}
				if w := c.Word(i); w != "" && !math.IsNaN(v) {
					t.Fatalf("row %d is the number %v and the word %q", i, v, w)
				}
			}
		}
		for _, o := range []table.AxisOptions{edaAxis, eyeAxis, {Rate: 100}} {
			a, err := tab.Axis(o)
			if err != nil {
				continue
			}
			if !(a.Rate > 0) || math.IsInf(a.Rate, 0) {
				t.Fatalf("rate %v", a.Rate)
			}
			for i := 1; i < len(a.At); i++ {
				if a.At[i] < a.At[i-1] {
					t.Fatalf("time goes back at %d", i)
				}
			}
			if c, err := tab.Conductance(&a, "", ""); err == nil && len(c.US) != len(a.At) {
				t.Fatal("conductance of another length")
			}
			if g, err := tab.Gaze(&a, table.GazeOptions{}); err == nil {
				for _, e := range g.Eyes {
					if len(e.X) != len(a.At) || len(e.Y) != len(a.At) {
						t.Fatal("gaze of another length")
					}
				}
			}
			if _, err := tab.Labels(&a, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tab.Times("", ""); err != nil {
			return
		}
	})
}
