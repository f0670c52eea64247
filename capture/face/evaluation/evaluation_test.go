package evaluation

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"emolab/capture/face"
	"emolab/capture/frame"
	"emolab/fusion/expression"
)

func TestParseLabel(t *testing.T) {
	for name, want := range map[string]int{
		"happy": expression.Happy, "Happiness": expression.Happy, "03_JOY": expression.Happy, "HA2": expression.Happy,
		"fear": expression.Fearful, "Disgust ": expression.Disgusted, "surprise": expression.Surprised, "anger": expression.Angry,
		"Sadness": expression.Sad, "0 - neutral": expression.Neutral,
	} {
		if got, ok := ParseLabel(name); !ok || got != want {
			t.Errorf("%q is read as %d, %v, want %d", name, got, ok, want)
		}
	}
	for _, name := range []string{"contempt", "", "7", "unhappy", "happy people"} {
		if got, ok := ParseLabel(name); ok {
			t.Errorf("%q is read as %s", name, expression.Names()[got])
		}
	}
	seen := map[string]int{}
	for class, spellings := range synonyms() {
		if spellings[0] != expression.Names()[class] {
			t.Errorf("class %d is spelt %s first, want %s", class, spellings[0], expression.Names()[class])
		}
		for _, s := range spellings {
			if other, twice := seen[s]; twice {
				t.Errorf("%s stands for %d and %d", s, other, class)
			}
			seen[s] = class
		}
	}
}

// TestWilson holds the interval to the figures of Newcombe 1998 (Statistics in
// Medicine 17:857, table I, method 3).
func TestWilson(t *testing.T) {
	for _, tc := range []struct {
		k, n      int
		low, high float64
	}{
		{81, 263, .2553, .3662}, {15, 148, .0624, .1605}, {0, 20, 0, .1611}, {1, 29, .0061, .1718}, {20, 20, .8389, 1},
	} {
		s := wilson(tc.k, tc.n)
		if math.Abs(s.Low-tc.low) > 5e-5 || math.Abs(s.High-tc.high) > 5e-5 || s.Value != float64(tc.k)/float64(tc.n) {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", tc.k, tc.n, s.Low, s.High, tc.low, tc.high)
		}
	}
	if s := wilson(0, 0); s != (Share{}) {
		t.Errorf("0 of 0: %+v", s)
	}
}

func TestKappa(t *testing.T) {
	for name, tc := range map[string]struct {
		table [][]int
		want  float64
	}{
		// 35 of 50 agree; by chance .5 * .6 + .5 * .4 = .5 would.
		"some agreement": {[][]int{{20, 5}, {10, 15}}, .4},
		"all agree":      {[][]int{{3, 0, 0}, {0, 4, 0}, {0, 0, 5}}, 1},
		"none agrees":    {[][]int{{0, 5}, {5, 0}}, -1},
		"as by chance":   {[][]int{{4, 4}, {4, 4}}, 0},
		"one class":      {[][]int{{7, 0}, {0, 0}}, math.NaN()},
		"nothing":        {[][]int{{0, 0}, {0, 0}}, math.NaN()},
	} {
		if got := kappa(tc.table); !(math.Abs(got-tc.want) < 1e-12) && !(math.IsNaN(got) && math.IsNaN(tc.want)) {
			t.Errorf("%s: %g, want %g", name, got, tc.want)
		}
	}
}

// outcome is a picture labelled so, read so; read below 0 is no face.
func outcome(label, read int) Outcome {
	o := Outcome{Labelled: Labelled{Class: label}, Found: read >= 0}
	if o.Found {
		o.Expression[read] = 1
	}
	return o
}

func TestScore(t *testing.T) {
	outcomes := []Outcome{
		outcome(expression.Happy, expression.Happy), outcome(expression.Happy, expression.Happy), outcome(expression.Happy, expression.Happy),
		outcome(expression.Happy, expression.Neutral), outcome(expression.Happy, -1),
		outcome(expression.Sad, expression.Neutral), outcome(expression.Sad, expression.Sad),
		{Labelled: Labelled{"broken.jpg", expression.Sad}, Err: errors.New("cut off")},
	}
	r := Score(Set{Ignored: map[string]int{"contempt": 2}}, outcomes, "some nets")
	if r.Pictures != 8 || len(r.Broken) != 1 || r.Broken[0].File != "broken.jpg" || r.Ignored["contempt"] != 2 {
		t.Errorf("%d pictures, broken %v, ignored %v", r.Pictures, r.Broken, r.Ignored)
	}
	if r.Found.Count != 6 || r.Found.Of != 7 || r.Accuracy.Count != 4 || r.Accuracy.Of != 6 {
		t.Errorf("found %+v, right %+v, want 6 of 7 and 4 of 6", r.Found, r.Accuracy)
	}
	// Recalls 3/4 and 1/2; the five classes without pictures do not count.
	if math.Abs(r.BalancedAccuracy-.625) > 1e-12 {
		t.Errorf("balanced %g, want .625", r.BalancedAccuracy)
	}
	// Agreement 4/6; chance (4/6 * 3/6 + 2/6 * 1/6) = 14/36.
	if want := (4./6 - 14./36) / (1 - 14./36); r.Kappa == nil || math.Abs(*r.Kappa-want) > 1e-12 {
		t.Errorf("kappa %v, want %g", r.Kappa, want)
	}
	happy, neutral := r.Classes[expression.Happy], r.Classes[expression.Neutral]
	if happy.Pictures != 5 || happy.NoFace != 1 || happy.Recall.Of != 4 || happy.Precision.Of != 3 || happy.Precision.Count != 3 {
		t.Errorf("happy: %+v", happy)
	}
	if neutral.Pictures != 0 || neutral.Precision.Of != 2 || neutral.Precision.Count != 0 || neutral.Recall.Of != 0 {
		t.Errorf("neutral: %+v", neutral)
	}
	text := written(t, r.WriteText)
	for _, want := range []string{"4 of 6, 66.7 %", "62.5 %", "cut off", "ignored: 2, contempt", "some nets"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
}

// TestNothingFound: figures of nothing are no figures, in every form.
func TestNothingFound(t *testing.T) {
	r := Score(Set{}, []Outcome{outcome(expression.Sad, -1)}, "a <net> & more")
	if r.Kappa != nil || r.Accuracy.Of != 0 || r.BalancedAccuracy != 0 {
		t.Errorf("%+v", r)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	if text := written(t, r.WriteText); strings.Contains(text, "NaN") {
		t.Errorf("the text has NaN:\n%s", text)
	}
	checkXML(t, written(t, r.WriteSVG))
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkXML fails the test where the picture is not well-formed, or has no numbers in it.
func checkXML(t *testing.T, svg string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
	if strings.Contains(svg, "NaN") || !strings.Contains(svg, "surprised") {
		t.Errorf("the picture:\n%s", svg)
	}
}

// tree writes empty files.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenFolder(t *testing.T) {
	dir := tree(t, "Happiness/a.jpg", "Happiness/deep/b.PNG", "Happiness/.hidden.jpg", "Happiness/.thumbs/c.jpg", "Happiness/notes.txt",
		"sad/d.jpeg", "contempt/e.jpg", ".git/f.jpg", "readme.txt")
	set, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, p := range set.Pictures {
		rel, err := filepath.Rel(dir, p.File)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.ToSlash(rel)] = p.Class
	}
	want := map[string]int{"Happiness/a.jpg": expression.Happy, "Happiness/deep/b.PNG": expression.Happy, "sad/d.jpeg": expression.Sad}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	if len(set.Ignored) != 3 { // contempt, notes.txt, readme.txt
		t.Errorf("ignored %v", set.Ignored)
	}
	if _, err := Open(tree(t, "people/a.jpg")); !errors.Is(err, ErrNothing) || !strings.Contains(err.Error(), "disgusted") {
		t.Errorf("a folder without classes: %v, want the names of folders", err)
	}
	if _, err := Open(filepath.Join(dir, "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestOpenTable(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "labels.csv")
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("\ufeffLabel,rater,File\nhappy,1,a/b.jpg\nFEAR,2,/abs/c.png\ncontempt,2,d.jpg\n")
	set, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	want := []Labelled{{filepath.Join(dir, "a", "b.jpg"), expression.Happy}, {"/abs/c.png", expression.Fearful}}
	if fmt.Sprint(set.Pictures) != fmt.Sprint(want) || len(set.Ignored) != 1 {
		t.Errorf("%v, ignored %v", set.Pictures, set.Ignored)
	}
	for text, says := range map[string]string{
		"": "empty", "picture,truth\na.jpg,happy\n": "must name the columns file and label",
		"file,label\na.jpg,contempt\n": "no labelled pictures", "file,label\na.jpg\n": "line 2",
	} {
		write(text)
		if _, err := Open(name); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v, want the file and %q", text, err, says)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add("file,label\na.jpg,happy\n")
	f.Add("\ufefflabel,file\n\"x\ny\",b.png\n")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := table(strings.NewReader(text), "dir")
		if err == nil && len(set.Pictures) == 0 {
			t.Fatal("no pictures and no error")
		}
		for _, p := range set.Pictures {
			if p.Class < 0 || p.Class >= expression.Count {
				t.Fatalf("class %d", p.Class)
			}
		}
	})
}

// fake is a Reader that reads the class off the picture's width, and remembers
// pictures until it is reset.
type fake struct {
	since int // pictures since the last Reset
	fail  error
}

func (f *fake) Reset() { f.since = 0 }

func (f *fake) Analyze(p frame.Frame) (face.Result, error) {
	f.since++
	if f.since > 1 {
		return face.Result{}, errors.New("not reset between pictures")
	}
	r := face.Result{Found: true}
	r.Expression[p.Width%expression.Count] = 1
	return r, f.fail
}

func TestRun(t *testing.T) {
	var set Set
	for n := range 50 {
		set.Pictures = append(set.Pictures, Labelled{fmt.Sprint(n), n % expression.Count})
	}
	load := func(file string) (frame.Frame, error) {
		var n int
		if _, err := fmt.Sscan(file, &n); err != nil || n == 7 {
			return frame.Frame{}, errors.Join(err, errors.New("broken"))
		}
		return frame.Frame{Width: n}, nil
	}
	var lock sync.Mutex
	last := 0
	progress := func(done, total int) {
		lock.Lock()
		defer lock.Unlock()
		if last = max(last, done); total != 50 {
			t.Errorf("%d of %d", done, total)
		}
	}
	outcomes, err := Run(t.Context(), set, []Reader{&fake{}, &fake{}, &fake{}}, load, progress)
	if err != nil {
		t.Fatal(err)
	}
	if last != 50 {
		t.Errorf("told of %d pictures", last)
	}
	for n, o := range outcomes {
		if o.Labelled != set.Pictures[n] || (o.Err != nil) != (n == 7) || o.Err == nil && (!o.Found || o.Expression.Top() != o.Class) {
			t.Errorf("outcome %d: %+v", n, o)
		}
	}

	failure := errors.New("the net failed")
	if _, err := Run(t.Context(), set, []Reader{&fake{fail: failure}, &fake{fail: failure}}, load, nil); !errors.Is(err, failure) {
		t.Errorf("a reader that fails: %v", err)
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Run(ended, set, []Reader{&fake{}}, load, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := Run(t.Context(), set, nil, load, nil); err == nil {
		t.Error("no readers: accepted")
	}
}
