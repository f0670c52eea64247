package aligntest

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"emolab/fusion/instant"
)

// The scenarios that the pictures show: what a lab's own serial devices are like.
const (
	errorScenario = "box 2000 ppm, 16 ms, 2 % loss"
	// dots is about how many samples of a series a picture shows.
	dots = 700
)

// boundScenarios are the cases, each with the word that names it in the picture.
var boundScenarios = []struct{ label, name string }{
	{"box with pings", "box 2000 ppm, 16 ms, 2 % loss, loaded"},
	{"browser", "browser 20 ppm, loaded"},
	{"tracker with ticks", "tracker 2000 ppm, 16 ms, 2 % loss, loaded"},
	{"numbers only", "numbered 2000 ppm, 16 ms, 2 % loss, loaded"},
	{"arrivals only", "counted 60 Hz 2000 ppm, 16 ms, 2 % loss, loaded"},
}

// Pictures draws error.svg, the error over time of four methods on the same data,
// and bound.svg, the stated bound of a sample against its error.
func Pictures(length time.Duration) (map[string][]byte, error) {
	errors, err := errorPicture(length)
	if err != nil {
		return nil, err
	}
	bounds, err := boundPicture(length)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"error.svg": errors, "bound.svg": bounds}, nil
}

func named(name string) (Scenario, error) {
	for _, s := range Scenarios() {
		if s.Name == name {
			return s, nil
		}
	}
	return Scenario{}, fmt.Errorf("aligntest: there is no scenario %q", name)
}

func errorPicture(length time.Duration) ([]byte, error) {
	s, err := named(errorScenario)
	if err != nil {
		return nil, err
	}
	rec := s.Record(length)
	sealed, _, err := rec.Sealed()
	if err != nil {
		return nil, err
	}
	live, _ := rec.Streamed()
	index, _ := lineOverIndex(rec)
	stamps, _ := arrivals(rec)

	p := newPicture("Error of the time of a sample", "time, minutes", "error, ms (linear between the dashed lines)",
		scale{0, length.Minutes(), func(v float64) float64 { return v }},
		scale{-300, 300, symmetricLog})
	step := max(1, math.Ceil(length.Minutes()/5))
	for m := 0.0; m <= length.Minutes(); m += step {
		p.xTick(m, fmt.Sprintf("%g", m))
	}
	for _, v := range []float64{-300, -100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100, 300} {
		p.yTick(v, fmt.Sprintf("%g", v))
	}
	p.dashed(0, -1, length.Minutes(), -1)
	p.dashed(0, 1, length.Minutes(), 1)
	for i, series := range []struct {
		label string
		at    []instant.Instant
	}{{"line over sample index", index}, {"arrival stamps", stamps}, {"Emolab, live", live.At}, {"Emolab, sealed", sealed.At}} {
		p.series(i, series.label)
		for _, k := range spread(len(series.at)) {
			p.dot(rec.Truth[k].Sub(begin).Minutes(), ms(series.at[k].Sub(rec.Truth[k])))
		}
	}
	return p.bytes(), nil
}

func boundPicture(length time.Duration) ([]byte, error) {
	p := newPicture("Stated bound against error, live and sealed", "stated bound, ms", "error, ms (without taking out any constant)",
		scale{.1, 100, math.Log10}, scale{.001, 100, math.Log10})
	for _, v := range []float64{.1, .3, 1, 3, 10, 30, 100} {
		p.xTick(v, fmt.Sprintf("%g", v))
	}
	for _, v := range []float64{.001, .01, .1, 1, 10, 100} {
		p.yTick(v, fmt.Sprintf("%g", v))
	}
	p.dashed(.1, .1, 100, 100)
	p.note(.13, 4.5, "above the dashed line a bound is false")
	for i, c := range boundScenarios {
		s, err := named(c.name)
		if err != nil {
			return nil, err
		}
		rec := s.Record(length)
		sealed, _, err := rec.Sealed()
		if err != nil {
			return nil, err
		}
		live, _ := rec.Streamed()
		p.series(i, c.label)
		for n, k := range spread(len(rec.Truth)) {
			placed := sealed
			if n%2 == 1 {
				placed = live
			}
			p.dot(ms(placed.Err[k]), ms(placed.At[k].Sub(rec.Truth[k]).Abs()))
		}
	}
	return p.bytes(), nil
}

// spread is every so many-th index of n, dots of them.
func spread(n int) []int {
	var at []int
	for k := range min(n, dots) {
		at = append(at, k*n/min(n, dots))
	}
	return at
}

// scale is an axis: values from least to most, on a transformed scale.
type scale struct {
	least, most float64
	way         func(float64) float64
}

// part is where v stands on the axis, 0 to 1; what is outside is put at its end.
func (s scale) part(v float64) float64 {
	v = min(max(v, s.least), s.most)
	return (s.way(v) - s.way(s.least)) / (s.way(s.most) - s.way(s.least))
}

// symmetricLog is linear between -1 and 1 and logarithmic outside.
func symmetricLog(v float64) float64 {
	if math.Abs(v) <= 1 {
		return v
	}
	return math.Copysign(1+math.Log10(math.Abs(v)), v)
}

// picture is a small SVG that is readable on light and dark ground.
type picture struct {
	x, y   scale
	body   bytes.Buffer
	labels int
	open   bool
}

// Size of a picture and the room around its axes, in px.
const (
	pictureWidth, pictureHeight = 780, 420
	leftRoom, rightRoom         = 64, 200
	topRoom, bottomRoom         = 40, 48
)

func newPicture(title, x, y string, xs, ys scale) *picture {
	p := &picture{x: xs, y: ys}
	fmt.Fprintf(&p.body, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">
<style>
svg { background: #fff; font: 13px sans-serif }
text { fill: #222 } .grid { stroke: #ddd } .dash { stroke: #555; stroke-dasharray: 5 4 }
.dots { fill: none; stroke-width: 2.6; stroke-linecap: round; stroke-opacity: .75 }
.s0 { stroke: #b3541e } .s1 { stroke: #8a8f98 } .s2 { stroke: #1a9e77 } .s3 { stroke: #2457d6 } .s4 { stroke: #a2308f }
@media (prefers-color-scheme: dark) {
svg { background: #14171c } text { fill: #e6e6e6 } .grid { stroke: #333a44 } .dash { stroke: #aaa }
.s0 { stroke: #ff9d5c } .s1 { stroke: #9aa3af } .s2 { stroke: #4fd6a8 } .s3 { stroke: #7ea6ff } .s4 { stroke: #f08be0 }
}
</style>
`, pictureWidth, pictureHeight, title)
	const middle = topRoom + (pictureHeight-topRoom-bottomRoom)/2
	fmt.Fprintf(&p.body, `<text x="%d" y="24" font-size="15" font-weight="600">%s</text>`+"\n", leftRoom, title)
	fmt.Fprintf(&p.body, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", leftRoom+(pictureWidth-leftRoom-rightRoom)/2, pictureHeight-10, x)
	fmt.Fprintf(&p.body, `<text transform="translate(16 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", middle, y)
	return p
}

func (p *picture) px(v float64) float64 {
	return leftRoom + p.x.part(v)*(pictureWidth-leftRoom-rightRoom)
}

func (p *picture) py(v float64) float64 {
	return pictureHeight - bottomRoom - p.y.part(v)*(pictureHeight-topRoom-bottomRoom)
}

func (p *picture) xTick(v float64, label string) {
	fmt.Fprintf(&p.body, `<path class="grid" d="M%.1f %dV%d"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
		p.px(v), topRoom, pictureHeight-bottomRoom, p.px(v), pictureHeight-bottomRoom+17, label)
}

func (p *picture) yTick(v float64, label string) {
	fmt.Fprintf(&p.body, `<path class="grid" d="M%d %.1fH%d"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
		leftRoom, p.py(v), pictureWidth-rightRoom, leftRoom-6, p.py(v)+4, label)
}

func (p *picture) dashed(x0, y0, x1, y1 float64) {
	fmt.Fprintf(&p.body, `<path class="dash" d="M%.1f %.1fL%.1f %.1f"/>`+"\n", p.px(x0), p.py(y0), p.px(x1), p.py(y1))
}

func (p *picture) note(x, y float64, text string) {
	fmt.Fprintf(&p.body, `<text x="%.1f" y="%.1f" font-style="italic">%s</text>`+"\n", p.px(x), p.py(y), text)
}

// series begins a series of dots with its label on the right.
func (p *picture) series(colour int, label string) {
	p.end()
	y := topRoom + 14 + 24*p.labels
	p.labels++
	fmt.Fprintf(&p.body, `<path class="dots s%d" style="stroke-width:9;stroke-opacity:1" d="M%d %dh0"/><text x="%d" y="%d">%s</text>`+"\n",
		colour, pictureWidth-rightRoom+16, y-4, pictureWidth-rightRoom+28, y, label)
	fmt.Fprintf(&p.body, `<path class="dots s%d" d="`, colour)
	p.open = true
}

func (p *picture) dot(x, y float64) { fmt.Fprintf(&p.body, "M%.0f %.1fh0", p.px(x), p.py(y)) }

func (p *picture) end() {
	if p.open {
		p.body.WriteString("\"/>\n")
	}
	p.open = false
}

func (p *picture) bytes() []byte {
	p.end()
	p.body.WriteString("</svg>\n")
	return p.body.Bytes()
}
