package gaze

import (
	"bufio"
	"fmt"
	"io"
	"math"
)

const (
	pictureWidth  = 960.0 // of the screen in the picture, px
	pictureMargin = 24.0
	captionHeight = 40.0
	targetRadius  = 5.0
	// maxHeight keeps pictures of screens with absurd measures drawable.
	maxHeight = 2 * pictureWidth
)

// svgStyle has the picture follow the reader's dark or light scheme. Targets are
// rings, the samples dots, and a line leads from each target to the mean of its
// gaze.
const svgStyle = `<style>
svg{color-scheme:light dark;color:#1b1f24;background:#fff;font:14px system-ui,sans-serif}
.screen{fill:none;stroke:currentColor;stroke-opacity:.35}
.accept{fill:currentColor;fill-opacity:.06;stroke:currentColor;stroke-opacity:.35;stroke-dasharray:4 4}
.target{fill:none;stroke:currentColor;stroke-width:2}
.missed{stroke:#c62828;stroke-width:2}
.sample{fill:#1769aa;fill-opacity:.35}
.error{stroke:#c4490a;stroke-width:2}
.mean{fill:#c4490a}
text{fill:currentColor}
@media (prefers-color-scheme:dark){
svg{color:#e6e8eb;background:#15181c}
.missed{stroke:#ff8a80}
.sample{fill:#6db9f2}
.error{stroke:#ffab66}
.mean{fill:#ffab66}
}
</style>
`

// SVG writes the validation as a picture: the screen with the targets, the circle
// of acceptDeg round each (0 = 1°), the samples, the mean gaze and its error in
// degrees. It follows the reader's dark or light scheme.
func (v Validation) SVG(w io.Writer, acceptDeg float64) error {
	if !(acceptDeg > 0) {
		acceptDeg = 1
	}
	b := bufio.NewWriter(w) // keeps the first error for Flush
	height := pictureWidth / 16 * 9
	s := v.Screen
	if s.Valid() {
		height = min(maxHeight, pictureWidth*s.HeightMM/s.WidthMM)
	}
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img" aria-label="Gaze validation">`+"\n",
		pictureWidth+2*pictureMargin, height+2*pictureMargin+captionHeight)
	b.WriteString(svgStyle)
	fmt.Fprintf(b, `<rect class="screen" x="%.0f" y="%.0f" width="%.0f" height="%.0f"/>`+"\n", pictureMargin, pictureMargin, pictureWidth, height)
	at := func(p Point) (x, y float64) {
		// a glance far off the screen is drawn at the picture's edge
		x = pictureMargin + pictureWidth*max(-.02, min(1.02, p.X))
		y = pictureMargin + height*max(-.02, min(1.02, p.Y))
		return x, y
	}
	for _, p := range v.Points {
		x, y := at(p.Target)
		below := y + 20 // where the label stands
		if s.Valid() {
			perX, perY := s.Flat()
			below = y + acceptDeg/perY*height + 16
			fmt.Fprintf(b, `<ellipse class="accept" cx="%.1f" cy="%.1f" rx="%.1f" ry="%.1f"/>`+"\n", x, y, acceptDeg/perX*pictureWidth, acceptDeg/perY*height)
		}
		for _, q := range p.Samples {
			sx, sy := at(q)
			fmt.Fprintf(b, `<circle class="sample" cx="%.1f" cy="%.1f" r="1.6"/>`+"\n", sx, sy)
		}
		gx, gy := at(p.Gaze)
		fmt.Fprintf(b, `<circle class="target" cx="%.1f" cy="%.1f" r="%.0f"/>`+"\n", x, y, targetRadius)
		fmt.Fprintf(b, `<line class="error" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", x, y, gx, gy)
		fmt.Fprintf(b, `<circle class="mean" cx="%.1f" cy="%.1f" r="3"/>`+"\n", gx, gy)
		label(b, x, below, fmt.Sprintf("%.2f°", p.ErrorDeg))
	}
	for _, u := range v.Missed {
		x, y := at(u.Target)
		fmt.Fprintf(b, `<path class="missed" d="M%.1f %.1fl12 12m0-12l-12 12"/>`+"\n", x-6, y-6)
		label(b, x, y+24, "no gaze")
	}
	fmt.Fprintf(b, `<text x="%.0f" y="%.1f">%s</text>`+"\n", pictureMargin, height+2*pictureMargin+captionHeight/2, v.caption())
	b.WriteString("</svg>\n")
	return b.Flush()
}

// label is centred above y.
func label(w io.Writer, x, y float64, words string) {
	fmt.Fprintf(w, `<text text-anchor="middle" x="%.1f" y="%.1f">%s</text>`+"\n", x, y, words)
}

func (v Validation) caption() string {
	if math.IsNaN(v.MeanDeg) {
		return fmt.Sprintf("no point measured · %.0f %% of the samples missing", 100*v.Loss)
	}
	return fmt.Sprintf("accuracy %.2f° (worst %.2f°) · precision %.2f° RMS-S2S, %.2f° SD · BCEA %.2f deg² · %.0f %% missing",
		v.MeanDeg, v.MaxDeg, v.RMSS2SDeg, v.SDDeg, v.BCEADeg2, 100*v.Loss)
}
