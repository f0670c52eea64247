package aoi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// Format is what the key "format" of a file of areas says.
const Format = "emolab-aoi/1"

// A file may be that large: areas drawn by hand take some kilobytes, tracked
// ones (a face with 30 keyframes a second for an hour) some megabytes.
const (
	maxFile   = 32 << 20
	maxAreas  = 1000
	maxPoints = 1000
)

// areaText and keyText are the form of an area in the file. FORMAT.md describes it.
type areaText struct {
	Name      string      `json:"name"`
	Tag       string      `json:"tag"`
	Shape     Shape       `json:"shape"`
	Layer     int         `json:"layer"`
	Points    [][]float64 `json:"points"`
	Box       []float64   `json:"box"`
	Keyframes []keyText   `json:"keyframes"`
}

type keyText struct {
	Time   *float64    `json:"t_s"`
	Points [][]float64 `json:"points"`
	Box    []float64   `json:"box"`
	Hidden bool        `json:"hidden"`
}

// Parse reads a file of areas. name is the file's name, for errors, which name
// the line and the key.
func Parse(r io.Reader, name string) (Set, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return Set{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > maxFile {
		return Set{}, fmt.Errorf("%s: larger than %d MB: fewer keyframes will do, places between them are computed", name, maxFile>>20)
	}
	p := parser{name: name, text: text}
	if err := p.valid(); err != nil {
		return Set{}, err
	}
	set, err := p.set()
	if err != nil {
		return Set{}, err
	}
	return set, nil
}

type parser struct {
	name string
	text []byte
}

// at is an error at a byte of the file.
func (p parser) at(offset int64, format string, args ...any) error {
	line := 1 + bytes.Count(p.text[:min(max(offset, 0), int64(len(p.text)))], []byte("\n"))
	return fmt.Errorf("%s: line %d: %w", p.name, line, fmt.Errorf(format, args...))
}

// valid checks that the file is JSON at all.
func (p parser) valid() error {
	var syntax *json.SyntaxError
	var all json.RawMessage
	switch err := json.Unmarshal(p.text, &all); {
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(p.text)):
		return p.at(syntax.Offset, "the file ends too early: %w", err)
	case errors.As(err, &syntax):
		return p.at(syntax.Offset, "not JSON: %w", err)
	case err != nil:
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// set reads the object of the file key by key, so that each area's line is known.
func (p parser) set() (Set, error) {
	var s Set
	d := json.NewDecoder(bytes.NewReader(p.text))
	if err := p.expect(d, '{', "the file is one object {...}"); err != nil {
		return s, err
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return s, p.at(d.InputOffset(), "%w", err)
		}
		k, _ := key.(string)
		if seen[k] {
			return s, p.at(d.InputOffset(), "%q is there twice", k)
		}
		seen[k] = true
		switch k {
		case "format":
			var format string
			if err := p.value(d, &format); err != nil {
				return s, err
			}
			if format != Format {
				return s, p.at(d.InputOffset(), "format: %q is not known: this program reads %q", format, Format)
			}
		case "stimulus":
			if err := p.value(d, &s.Stimulus); err != nil {
				return s, err
			}
		case "areas":
			if s.Areas, err = p.areas(d); err != nil {
				return s, err
			}
		default:
			return s, p.at(d.InputOffset(), "%q is not known: the keys are format, stimulus, areas", k)
		}
	}
	if _, err := d.Token(); err != nil {
		return s, p.at(d.InputOffset(), "%w", err)
	}
	for _, k := range []string{"format", "areas"} {
		if !seen[k] {
			return s, fmt.Errorf("%s: %q is missing", p.name, k)
		}
	}
	return s, nil
}

func (p parser) areas(d *json.Decoder) ([]Area, error) {
	if err := p.expect(d, '[', "areas is a list [...]"); err != nil {
		return nil, err
	}
	var out []Area
	names := map[string]bool{}
	for d.More() {
		start := p.next(d.InputOffset())
		var t areaText
		if err := p.value(d, &t); err != nil {
			return nil, err
		}
		a, err := t.area()
		where := fmt.Sprintf("areas[%d]", len(out))
		if t.Name != "" {
			where += fmt.Sprintf(" %q", t.Name)
		}
		switch {
		case err != nil:
			return nil, p.at(start, "%s: %w", where, err)
		case names[a.Name]:
			return nil, p.at(start, "%s: another area has that name: names must differ", where)
		case len(out) == maxAreas:
			return nil, p.at(start, "%s: at most %d areas", where, maxAreas)
		}
		names[a.Name] = true
		out = append(out, a)
	}
	if _, err := d.Token(); err != nil {
		return nil, p.at(d.InputOffset(), "%w", err)
	}
	return out, nil
}

// next returns where the next value begins: past blanks and the comma.
func (p parser) next(offset int64) int64 {
	for offset < int64(len(p.text)) && strings.IndexByte(" \t\r\n,", p.text[offset]) >= 0 {
		offset++
	}
	return offset
}

// expect reads an opening bracket.
func (p parser) expect(d *json.Decoder, want json.Delim, what string) error {
	switch t, err := d.Token(); {
	case err != nil:
		return p.at(d.InputOffset(), "%w", err)
	case t != want:
		return p.at(d.InputOffset(), "%s, not %v", what, t)
	}
	return nil
}

// value reads one value strictly.
func (p parser) value(d *json.Decoder, into any) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return p.at(d.InputOffset(), "%w", err)
	}
	start := d.InputOffset() - int64(len(raw))
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	if err := strict.Decode(into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			what := "a value"
			if wrong.Field != "" {
				what = wrong.Field
			}
			return p.at(start+wrong.Offset, "%s: %s does not belong there", what, wrong.Value)
		}
		return p.at(start+strict.InputOffset(), "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// area checks an area and turns it into one.
func (t areaText) area() (Area, error) {
	a := Area{Name: t.Name, Tag: t.Tag, Shape: t.Shape, Layer: t.Layer}
	switch {
	case strings.TrimSpace(t.Name) == "":
		return a, errors.New("name is missing")
	case t.Shape != Polygon && t.Shape != Rect && t.Shape != Ellipse:
		return a, fmt.Errorf("shape: %q is not known: polygon, rect or ellipse", t.Shape)
	}
	if t.Keyframes == nil {
		k, err := keyText{Points: t.Points, Box: t.Box}.keyframe(t.Shape)
		if err != nil {
			return a, err
		}
		a.Keyframes = []Keyframe{k}
		return a, nil
	}
	if t.Points != nil || t.Box != nil {
		return a, errors.New("keyframes: a moving area has its points or box in the keyframes only")
	}
	if len(t.Keyframes) == 0 {
		return a, errors.New("keyframes: there is none")
	}
	corners := 0
	for i, text := range t.Keyframes {
		k, err := text.keyframe(t.Shape)
		if err != nil {
			return a, fmt.Errorf("keyframes[%d]: %w", i, err)
		}
		switch {
		case text.Time == nil:
			return a, fmt.Errorf("keyframes[%d]: t_s is missing: seconds from the stimulus' start", i)
		case i > 0 && k.At <= a.Keyframes[i-1].At:
			return a, fmt.Errorf("keyframes[%d]: t_s: %g is not after the one before", i, *text.Time)
		case !k.Hidden && corners > 0 && len(k.Points) != corners:
			return a, fmt.Errorf("keyframes[%d]: points: %d of them, %d before: a polygon keeps its corners", i, len(k.Points), corners)
		}
		if !k.Hidden {
			corners = len(k.Points)
		}
		a.Keyframes = append(a.Keyframes, k)
	}
	return a, nil
}

// keyframe checks the form of an area at a time.
func (t keyText) keyframe(s Shape) (Keyframe, error) {
	k := Keyframe{Hidden: t.Hidden}
	if t.Time != nil {
		const day = 86400
		if !(math.Abs(*t.Time) <= day) {
			return k, fmt.Errorf("t_s: %g is more than a day", *t.Time)
		}
		k.At = time.Duration(math.Round(*t.Time * float64(time.Second)))
	}
	switch {
	case t.Hidden && (t.Points != nil || t.Box != nil):
		return k, errors.New("hidden: a hidden area has neither points nor box")
	case t.Hidden:
		return k, nil
	case s == Polygon && t.Box != nil:
		return k, errors.New("box: a polygon has points")
	case s == Polygon:
		return k, k.setPoints(t.Points)
	case t.Points != nil:
		return k, fmt.Errorf("points: shape %s has a box [x, y, width, height]", s)
	}
	return k, k.setBox(t.Box)
}

// farthest is how far outside of the stimulus a coordinate may lie: an object
// may leave the picture.
const farthest = 100

func (k *Keyframe) setPoints(points [][]float64) error {
	if len(points) < 3 || len(points) > maxPoints {
		return fmt.Errorf("points: %d of them: a polygon has 3 to %d", len(points), maxPoints)
	}
	for i, p := range points {
		if len(p) != 2 || !(math.Abs(p[0]) <= farthest) || !(math.Abs(p[1]) <= farthest) {
			return fmt.Errorf("points[%d]: %v is not [x, y] in fractions of the stimulus (0 to 1)", i, p)
		}
		k.Points = append(k.Points, Point{p[0], p[1]})
	}
	return nil
}

func (k *Keyframe) setBox(b []float64) error {
	if len(b) != 4 {
		return fmt.Errorf("box: %v is not [x, y, width, height] in fractions of the stimulus (0 to 1)", b)
	}
	for _, v := range b {
		if !(math.Abs(v) <= farthest) {
			return fmt.Errorf("box: %g: fractions of the stimulus, 0 to 1", v)
		}
	}
	if !(b[2] > 0) || !(b[3] > 0) {
		return fmt.Errorf("box: %v has no width or no height", b)
	}
	k.Box = Box{b[0], b[1], b[2], b[3]}
	return nil
}
