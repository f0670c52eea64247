package study

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

const (
	// smallestLimit and largestLimit bound the limits of a gaze error. No tracker
	// is right within a twentieth of a degree; ten degrees are a third of a screen.
	smallestLimit = .05 // degrees
	largestLimit  = 10. // degrees
)

// readDevices reads what the study asks of its devices: so far, of the gaze.
func (d *document) readDevices(n node) error {
	return n.mapping(field{"gaze", d.readGaze})
}

func (d *document) readGaze(n node) error {
	g := &d.gaze
	warned := false
	err := n.mapping(
		field{"calibrate", into(&g.CalibratePoints, points(5, 9, 13))},
		field{"validate", into(&g.ValidatePoints, points(4, 5, 9))},
		field{"accept_deg", into(&g.AcceptDeg, node.degrees)},
		field{"warn_deg", func(n node) (err error) {
			warned = true
			g.WarnDeg, err = n.degrees()
			return err
		}},
	)
	switch {
	case err != nil:
		return err
	case g.WarnDeg <= g.AcceptDeg:
	case warned:
		return n.fail("warn_deg %v is above accept_deg %v: the warning would never come", g.WarnDeg, g.AcceptDeg)
	default: // the file is stricter than the default warning
		g.WarnDeg = g.AcceptDeg
	}
	return nil
}

// points reads a number of targets, such as 9-point: one of those allowed.
func points(allowed ...int) func(node) (int, error) {
	names := make([]string, len(allowed))
	for i, k := range allowed {
		names[i] = pointsName(k)
	}
	return func(n node) (int, error) {
		s, err := n.text()
		if err != nil {
			return 0, n.fail("is one of %s, but here is %s", strings.Join(names, ", "), n.kind())
		}
		i := slices.Index(names, s)
		if i < 0 {
			return 0, n.fail("%q is not possible; known are %s", s, strings.Join(names, ", "))
		}
		return allowed[i], nil
	}
}

func pointsName(k int) string { return strconv.Itoa(k) + "-point" }

// degrees reads a limit of the gaze's error.
func (n node) degrees() (float64, error) {
	var v float64
	switch a := n.ast.(type) {
	case *ast.FloatNode:
		v = a.Value
	case *ast.IntegerNode:
		whole, err := n.number()
		if err != nil {
			return 0, err
		}
		v = float64(whole)
	default:
		return 0, n.fail("is a number of degrees, but here is %s", n.kind())
	}
	if !(v >= smallestLimit && v <= largestLimit) {
		return 0, n.fail("%v is outside %v to %v degrees", v, smallestLimit, largestLimit)
	}
	return v, nil
}

// canonicalDevices writes the devices as a study file does; "" where all are as
// by default.
func (d document) canonicalDevices() string {
	g := d.gaze
	if g == DefaultGaze() {
		return ""
	}
	return fmt.Sprintf("devices:\n  gaze: {calibrate: %s, validate: %s, accept_deg: %s, warn_deg: %s}\n",
		pointsName(g.CalibratePoints), pointsName(g.ValidatePoints), decimal(g.AcceptDeg), decimal(g.WarnDeg))
}

// decimal writes a number of degrees, exactly.
func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
