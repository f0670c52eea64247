package table

import (
	"fmt"
	"math"
	"strings"
)

// Units of gaze.
const (
	Pixels      = "px"
	Fractions   = "fractions"
	Degrees     = "deg"
	Millimetres = "mm"
)

// Eye that a column belongs to.
type Eye string

// Eyes. Both is one gaze for both eyes, or for an eye that is not named.
const (
	Both  Eye = ""
	Left  Eye = "left"
	Right Eye = "right"
)

// GazeOptions overrule how gaze is found. The zero value overrules nothing.
type GazeOptions struct {
	X, Y           string // columns of one gaze
	LX, LY, RX, RY string // columns of two eyes
	Unit           string // Pixels, Fractions, Degrees, Millimetres
	Pupil          string // one column, or two for left and right parted by a comma
	Valid          string // COLUMN=VALUE, for both eyes or left,right; "-" = none
	// ScreenX and ScreenY are the screen's size in the unit of the file where it
	// is known, else 0: gaze that repeats exactly beyond it is a code for
	// missing.
	ScreenX, ScreenY float64
}

// Gaze is gaze as a table holds it, in the file's own unit.
type Gaze struct {
	Eyes []EyeGaze // one (Both), or Left and Right
	Unit string
	// Upward says that y counts from the lower edge of the screen, as in the
	// norm_pos_y of Pupil Labs.
	Upward bool
	Pupils []Pupil // none, one, or Left and Right
	Notes  []string
}

// Pupil is the size of one eye's pupil, or of one that is not named: one value a
// row of the axis, NaN = missing.
type Pupil struct {
	Eye  Eye
	Size []float64
	Unit string // "mm" where it is so, else ""
}

// EyeGaze is the gaze of one eye: one value a row of the axis, NaN = missing.
// X and Y are missing together.
type EyeGaze struct {
	Eye     Eye
	X, Y    []float64
	Columns [2]string // labels of x and y
}

// Gaze finds the columns of gaze, of one or two eyes, their unit, their
// validity and the pupil.
func (t *Table) Gaze(a *Axis, o GazeOptions) (Gaze, error) {
	pairs, err := t.gazePairs(o)
	if err != nil {
		return Gaze{}, err
	}
	var g Gaze
	var unitNames []string
	for _, p := range pairs {
		for _, c := range []*Column{p.x, p.y} {
			if err := t.numbers(c); err != nil {
				return g, err
			}
		}
		g.Eyes = append(g.Eyes, EyeGaze{Eye: p.eye, X: a.Pick(p.x.Values), Y: a.Pick(p.y.Values), Columns: [2]string{p.x.Label(), p.y.Label()}})
		unitNames = append(unitNames, p.x.nameAndUnit())
	}
	if err := t.gazeUnit(&g, unitNames, o.Unit); err != nil {
		return g, err
	}
	if name := words(pairs[0].y.Name); has(name, "norm") && has(name, "pos") && g.Unit == Fractions {
		g.Upward = true
		g.Notes = append(g.Notes, "gaze: y counts from the lower edge of the screen, as Pupil Labs has it")
	}
	if err := t.validity(&g, a, o.Valid); err != nil {
		return g, err
	}
	for i := range g.Eyes {
		g.Notes = append(g.Notes, g.Eyes[i].blank(o.ScreenX, o.ScreenY)...)
	}
	return g, t.pupils(&g, a, o.Pupil)
}

// pair is two columns that hold one gaze.
type pair struct {
	eye  Eye
	x, y *Column
}

// gazePairs finds which columns hold the gaze.
func (t *Table) gazePairs(o GazeOptions) ([]pair, error) {
	named := func(eye Eye, x, y string) (pair, error) {
		if x == "" || y == "" {
			return pair{}, fmt.Errorf("%s: name both columns of a gaze, x and y", t.File)
		}
		cx, err := t.Find(x)
		if err != nil {
			return pair{}, err
		}
		cy, err := t.Find(y)
		return pair{eye, cx, cy}, err
	}
	var given []pair
	for _, n := range []struct {
		eye  Eye
		x, y string
	}{{Both, o.X, o.Y}, {Left, o.LX, o.LY}, {Right, o.RX, o.RY}} {
		if n.x == "" && n.y == "" {
			continue
		}
		p, err := named(n.eye, n.x, n.y)
		if err != nil {
			return nil, err
		}
		given = append(given, p)
	}
	if len(given) > 0 {
		return given, nil
	}
	return t.guessPairs()
}

// guessPairs takes left and right where both are there, else one gaze for both,
// else the one eye that is there.
func (t *Table) guessPairs() ([]pair, error) {
	found := map[Eye][]fit[pair]{}
	type key struct{ stem, axis string }
	seen := map[key]*Column{}
	var order []gazeName
	for i := range t.Columns {
		c := &t.Columns[i]
		n, ok := readGazeName(c)
		if !ok {
			continue
		}
		if n.axis == "x" {
			order = append(order, n)
		}
		if seen[key{n.stem, n.axis}] == nil {
			seen[key{n.stem, n.axis}] = c
		}
	}
	for _, n := range order {
		x, y := seen[key{n.stem, "x"}], seen[key{n.stem, "y"}]
		if y == nil {
			continue
		}
		found[n.eye] = append(found[n.eye], fit[pair]{pair{n.eye, x, y}, n.score, x.Label() + " with " + y.Label()})
	}
	left, okL, err := best(t.File, "the gaze of the left eye", "--lx and --ly", found[Left])
	if err != nil {
		return nil, err
	}
	right, okR, err := best(t.File, "the gaze of the right eye", "--rx and --ry", found[Right])
	if err != nil {
		return nil, err
	}
	if okL && okR {
		return []pair{left.what, right.what}, nil
	}
	both, ok, err := best(t.File, "the gaze", "--x and --y", found[Both])
	switch {
	case err != nil:
		return nil, err
	case ok:
		return []pair{both.what}, nil
	case okL:
		return []pair{left.what}, nil
	case okR:
		return []pair{right.what}, nil
	}
	return nil, fmt.Errorf("%s: no two columns are named like gaze (%s): name them with --x COLUMN --y COLUMN, or --lx --ly --rx --ry for two eyes", t.File, t.list())
}

// gazeName is what a column's name says of gaze.
type gazeName struct {
	eye   Eye
	axis  string // x or y
	stem  string // the name without the axis: x and y share it
	score int
}

// readGazeName reads names such as x, gaze_x, lx_px, LPOGX, "L POR X [px]",
// GazePointLeftX, RIGHT_GAZE_Y.
func readGazeName(c *Column) (gazeName, bool) {
	if !c.numeric() {
		return gazeName{}, false
	}
	var n gazeName
	var rest []string
	for _, w := range words(c.nameAndUnit()) {
		for _, p := range parted(w) {
			switch p {
			case "x", "y":
				if n.axis != "" {
					return gazeName{}, false
				}
				n.axis = p
			default:
				rest = append(rest, p)
			}
			switch p {
			case "l", "left", "lefteye":
				n.eye = Left
			case "r", "right", "righteye":
				n.eye = Right
			}
		}
	}
	if n.axis == "" || has(rest, "pupil", "vel", "velocity", "acc", "acceleration", "accel", "origin", "dir", "direction", "3d", "mouse", "cursor",
		"target", "event", "head", "camera", "cr", "href", "aoi", "stim", "stimulus", "saccade", "amplitude", "std", "sd", "rotation", "rot", "quat",
		"gyro", "mag", "closest", "valid", "validity", "glint", "pupilpos", "dot", "resolution", "res", "size", "offset", "eyepos", "dacsmm", "z") {
		return gazeName{}, false
	}
	n.stem = strings.Join(rest, " ")
	switch gaze := has(rest, "gaze", "pog", "por", "eye", "norm", "point", "screen"); {
	case has(rest, "fixation", "fix", "fpog"):
		n.score = 1 // filtered already
	case gaze:
		n.score = 4
	case onlyIn(rest, "l", "r", "left", "right", "avg", "average", "mean", "pos", "position", "px", "pix", "pixel", "pixels", "deg", "mm", "raw"):
		n.score = 3
	default:
		return gazeName{}, false
	}
	if has(rest, "adcspx", "bpog", "b") {
		n.score++ // on the screen rather than on the picture; best of both eyes
	}
	return n, true
}

func onlyIn(name []string, known ...string) bool {
	for _, w := range name {
		if !has(known, w) {
			return false
		}
	}
	return true
}

// parted cuts words that are written together: lx, leftx, gazex, lpogx, rporx.
func parted(w string) []string {
	if n := len(w); n > 1 && (w[n-1] == 'x' || w[n-1] == 'y') {
		axis := w[n-1:]
		switch stem := w[:n-1]; stem {
		case "l", "r", "left", "right", "gaze", "pos", "pog", "por", "eye", "avg", "mean", "point", "screen", "norm":
			return []string{stem, axis}
		case "lpog", "rpog", "bpog", "fpog", "lpor", "rpor", "leye", "reye", "lgaze", "rgaze":
			return []string{stem[:1], stem[1:], axis, stem}[:3+mark(stem)]
		case "gazeleft", "lefteye", "eyeleft":
			return []string{"gaze", "left", axis}
		case "gazeright", "righteye", "eyeright":
			return []string{"gaze", "right", axis}
		}
	}
	return []string{w}
}

// mark keeps Gazepoint's names of filtered and of best gaze recognisable.
func mark(stem string) int {
	if stem == "fpog" || stem == "bpog" {
		return 1
	}
	return 0
}

// gazeUnit finds the unit by name or by range.
func (t *Table) gazeUnit(g *Gaze, names []string, given string) error {
	label := g.Eyes[0].Columns[0] + " and " + g.Eyes[0].Columns[1]
	if len(g.Eyes) > 1 {
		label += ", " + g.Eyes[1].Columns[0] + " and " + g.Eyes[1].Columns[1]
	}
	say := func(why string) {
		eyes := ""
		if len(g.Eyes) == 2 {
			eyes = ", left and right eye"
		} else if g.Eyes[0].Eye != Both {
			eyes = ", " + string(g.Eyes[0].Eye) + " eye only"
		}
		g.Notes = append(g.Notes, fmt.Sprintf("gaze: %s in %s (%s)%s", label, g.Unit, why, eyes))
	}
	if given != "" {
		u, ok := gazeUnits[strings.Join(words(given), "")]
		if !ok {
			return fmt.Errorf("%q is no unit of gaze: px, fractions, deg or mm", given)
		}
		g.Unit = u.name
		say("as given")
		return nil
	}
	if u, ok := unitOf(names[0], gazeUnits); ok {
		g.Unit = u.name
		say("by its name")
		return nil
	}
	values := present(append(append([]float64(nil), g.Eyes[0].X...), g.Eyes[0].Y...))
	low, high := quantile(values, 0.02), quantile(values, 0.98)
	switch {
	case low > -0.6 && high < 1.6:
		g.Unit = Fractions
	case high >= 100 && high < 20000:
		g.Unit = Pixels
	default:
		return fmt.Errorf("%s, columns %s: their unit is not named, and values from %.4g to %.4g fit several: give it with --unit px, fractions, deg or mm", t.File, label, low, high)
	}
	say(fmt.Sprintf("assumed: values from %.4g to %.4g; --unit says otherwise", low, high))
	return nil
}

// blank takes codes for missing out of a gaze: (0, 0), (-1, -1), and whatever
// repeats exactly beyond the screen, whose size is 0 where not known. It says
// what it did.
func (e *EyeGaze) blank(screenX, screenY float64) []string {
	codes := map[[2]float64]int{}
	for i := range e.X {
		x, y := e.X[i], e.Y[i]
		if math.IsNaN(x) != math.IsNaN(y) {
			e.X[i], e.Y[i] = math.NaN(), math.NaN()
		}
		outside := screenX > 0 && (x < 0 || x > screenX) && (y < 0 || y > screenY)
		repeated := i > 0 && e.X[i-1] == x && e.Y[i-1] == y
		if x == 0 && y == 0 || x == -1 && y == -1 || outside && repeated {
			codes[[2]float64{x, y}]++
		}
	}
	if len(codes) == 0 {
		return nil
	}
	missing := 0
	for i := range e.X {
		if codes[[2]float64{e.X[i], e.Y[i]}] > 0 {
			e.X[i], e.Y[i] = math.NaN(), math.NaN()
			missing++
		}
	}
	if len(codes) == 1 {
		for c := range codes {
			return []string{fmt.Sprintf("gaze: %d rows at exactly (%g, %g) are taken as missing", missing, c[0], c[1])}
		}
	}
	return []string{fmt.Sprintf("gaze: %d rows at %d points such as (0, 0) or repeated beyond the screen are taken as missing", missing, len(codes))}
}
