package study

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// smallestLimit and largestLimit bound the limits of a gaze error. No tracker
	// is right within a twentieth of a degree; ten degrees are a third of a screen.
	smallestLimit = .05 // degrees
	largestLimit  = 10. // degrees
	// fastest bounds what can be asked of a device's rate.
	fastest = 100_000. // Hz
	// widestRange bounds skin conductance; dry to wet fingers are 0.5 to 60.
	widestRange = 1000. // microsiemens
)

// defaultRange is the skin conductance of a good contact, in microsiemens.
var defaultRange = [2]float64{.5, 60}

// readDevices reads what the study asks of its devices.
func (d *document) readDevices(n node) error {
	v := &d.devices
	return n.mapping(
		field{"camera", func(n node) error {
			return n.mapping(
				field{"driver", into(&v.CameraDriver, node.driver)},
				field{"min_fps", rate(&v.CameraMinFPS)},
				field{"required", into(&v.NeedsCamera, node.truth)},
			)
		}},
		field{"gaze", d.readGaze},
		field{"eda", func(n node) error {
			return n.mapping(
				field{"driver", into(&v.EDADriver, node.driver)},
				field{"min_hz", rate(&v.EDAMinHz)},
				field{"required", into(&v.NeedsEDA, node.truth)},
				field{"range_uS", into(&v.EDARangeUS, node.conductances)},
			)
		}},
	)
}

// anyDriver is the driver of whoever takes what is there.
const anyDriver = "auto"

func (n node) driver() (string, error) {
	s, err := n.word()
	if s == anyDriver {
		s = ""
	}
	return s, err
}

func rate(dst *float64) func(node) error {
	return func(n node) (err error) {
		*dst, err = n.decimal(0, fastest, " of hertz")
		return err
	}
}

// conductances reads [lowest, highest] in microsiemens.
func (n node) conductances() (r [2]float64, err error) {
	items, err := n.list()
	if err != nil || len(items) != 2 {
		return r, n.fail("is the lowest and the highest conductance of a good contact: [0.5, 60]")
	}
	for i, item := range items {
		if r[i], err = item.decimal(0, widestRange, " of microsiemens"); err != nil {
			return r, err
		}
	}
	if r[0] >= r[1] {
		return r, n.fail("has its lowest value above its highest")
	}
	return r, nil
}

func (d *document) readGaze(n node) error {
	g := &d.gaze
	warned := false
	err := n.mapping(
		field{"driver", into(&d.devices.GazeDriver, node.driver)},
		field{"min_hz", rate(&d.devices.GazeMinHz)},
		field{"required", into(&d.devices.NeedsGaze, node.truth)},
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
	return n.decimal(smallestLimit, largestLimit, " of degrees")
}

// canonicalDevices writes the devices as a study file does.
func (d document) canonicalDevices() string {
	v, g := d.devices, d.gaze
	driver := func(s string) string {
		if s == "" {
			return anyDriver
		}
		return quote(s)
	}
	camera := flowMap("driver", driver(v.CameraDriver), "min_fps", number(v.CameraMinFPS), "required", strconv.FormatBool(v.NeedsCamera))
	gaze := flowMap("driver", driver(v.GazeDriver), "min_hz", number(v.GazeMinHz), "required", strconv.FormatBool(v.NeedsGaze),
		"calibrate", pointsName(g.CalibratePoints), "validate", pointsName(g.ValidatePoints),
		"accept_deg", number(g.AcceptDeg), "warn_deg", number(g.WarnDeg))
	eda := flowMap("driver", driver(v.EDADriver), "min_hz", number(v.EDAMinHz), "required", strconv.FormatBool(v.NeedsEDA),
		"range_uS", flowList([]string{number(v.EDARangeUS[0]), number(v.EDARangeUS[1])}))
	return fmt.Sprintf("devices:\n  camera: %s\n  gaze: %s\n  eda: %s\n", camera, gaze, eda)
}
