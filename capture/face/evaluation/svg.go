package evaluation

import (
	"bufio"
	"fmt"
	"html"
	"io"
)

// Measures of the drawn table, px.
const (
	cellW, cellH = 92, 54
	marginLeft   = 150 // names of the labels
	marginTop    = 118 // title, names of what was read
	marginRight  = 176 // recalls
	marginFoot   = 66
)

// WriteSVG draws the confusion table: a cell holds the number of pictures and
// its share of the label's row, and is the darker the larger that share.
func (r Report) WriteSVG(w io.Writer) error {
	out := bufio.NewWriter(w)
	n := len(r.Classes)
	width, height := marginLeft+n*cellW+marginRight, marginTop+n*cellH+marginFoot
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="14" fill="#1d2733">`+"\n", width, height, width, height)
	fmt.Fprintf(out, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	text := func(x, y int, style, s string) {
		fmt.Fprintf(out, `<text x="%d" y="%d" %s>%s</text>`+"\n", x, y, style, html.EscapeString(s))
	}
	const (
		left   = `text-anchor="start"`
		middle = `text-anchor="middle"`
		right  = `text-anchor="end"`
		faint  = ` fill="#5b6b7c" font-size="12"`
	)
	text(24, 34, left+` font-size="18" font-weight="600"`, "Expressions: labels and what was read")
	summary := fmt.Sprintf("accuracy %s   ·   balanced %s", r.Accuracy.text(), percent(r.BalancedAccuracy))
	if r.Kappa != nil {
		summary += fmt.Sprintf("   ·   kappa %.2f", *r.Kappa)
	}
	text(24, 58, left+` fill="#5b6b7c"`, summary)
	text(marginLeft-14, marginTop-14, right+faint, "label ↓   read →")
	text(marginLeft+n*cellW+14, marginTop-14, left+faint, "recall (95 %)")
	for i, c := range r.Classes {
		text(marginLeft+i*cellW+cellW/2, marginTop-14, middle, c.Name)
		y := marginTop + i*cellH
		text(marginLeft-14, y+cellH/2-1, right, c.Name)
		text(marginLeft-14, y+cellH/2+15, right+faint, rowNote(c))
		for j, count := range r.Confusion[i] {
			x, share := marginLeft+j*cellW, 0.
			if c.Recall.Of > 0 {
				share = float64(count) / float64(c.Recall.Of)
			}
			fill, ink := shade(share, i == j)
			fmt.Fprintf(out, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s" stroke="#ffffff" stroke-width="2"/>`+"\n", x, y, cellW, cellH, fill)
			if count > 0 {
				text(x+cellW/2, y+cellH/2-1, fmt.Sprintf(`%s fill="%s" font-weight="600"`, middle, ink), fmt.Sprint(count))
				text(x+cellW/2, y+cellH/2+15, fmt.Sprintf(`%s fill="%s" font-size="12"`, middle, ink), fmt.Sprintf("%.0f %%", 100*share))
			}
		}
		text(marginLeft+n*cellW+14, y+cellH/2-1, left, c.Recall.value())
		text(marginLeft+n*cellW+14, y+cellH/2+15, left+faint, c.Recall.interval())
	}
	foot := marginTop + n*cellH + 30
	text(24, foot, left+faint, fmt.Sprintf("%d pictures, %d broken; a face found in %s", r.Pictures, len(r.Broken), r.Found.text()))
	text(24, foot+20, left+faint, r.Models)
	fmt.Fprintln(out, "</svg>")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("evaluation: write the picture: %w", err)
	}
	return nil
}

// rowNote is how many pictures a row stands for.
func rowNote(c Class) string {
	switch {
	case c.Pictures == 0:
		return "no pictures"
	case c.NoFace > 0:
		return fmt.Sprintf("%d, %d without a face", c.Pictures, c.NoFace)
	}
	return fmt.Sprint(c.Pictures)
}

// shade returns the colour of a cell and of the ink on it: green where the
// reading is right, else red, from near white to full with the share.
func shade(share float64, right bool) (fill, ink string) {
	none, full := [3]float64{246, 248, 250}, [3]float64{196, 78, 59}
	if right {
		full = [3]float64{36, 124, 92}
	}
	ink = "#1d2733"
	if share > .85 {
		ink = "#ffffff"
	}
	mix := func(i int) int { return int(none[i] + share*(full[i]-none[i]) + .5) }
	return fmt.Sprintf("#%02x%02x%02x", mix(0), mix(1), mix(2)), ink
}
