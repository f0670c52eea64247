package evaluation

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// maxNamed is how many broken files the text names; JSON names all.
const maxNamed = 20

// WriteText writes the report as a page of text.
func (r Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "models\t%s\n", r.Models)
	fmt.Fprintf(t, "pictures\t%d, a face found in %s\n", r.Pictures, r.Found.text())
	fmt.Fprintf(t, "accuracy\t%s\n", r.Accuracy.text())
	fmt.Fprintf(t, "balanced accuracy\t%s (mean recall of the classes that occur)\n", percent(r.BalancedAccuracy))
	if r.Kappa != nil {
		fmt.Fprintf(t, "Cohen's kappa\t%.3f\n", *r.Kappa)
	} else {
		fmt.Fprintf(t, "Cohen's kappa\tnot defined: labels or answers are all one class\n")
	}
	fmt.Fprintf(t, "\nCLASS\tPICTURES\tNO FACE\tRECALL\t95 %%\tPRECISION\t95 %%\n")
	for _, c := range r.Classes {
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\t%s\n", c.Name, c.Pictures, c.NoFace,
			c.Recall.value(), c.Recall.interval(), c.Precision.value(), c.Precision.interval())
	}
	fmt.Fprintf(t, "\nLABEL \\ READ")
	for _, c := range r.Classes {
		fmt.Fprintf(t, "\t%s", c.Name)
	}
	fmt.Fprintln(t)
	for i, row := range r.Confusion {
		fmt.Fprint(t, r.Classes[i].Name)
		for _, n := range row {
			fmt.Fprintf(t, "\t%d", n)
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Ignored)) {
		fmt.Fprintf(w, "ignored: %d, %s\n", r.Ignored[reason], reason)
	}
	if len(r.Broken) > 0 {
		fmt.Fprintf(w, "broken files: %d\n", len(r.Broken))
	}
	for i, b := range r.Broken {
		if i == maxNamed {
			fmt.Fprintf(w, "  and %d more (--json names all)\n", len(r.Broken)-maxNamed)
			break
		}
		fmt.Fprintf(w, "  %s\n", b.Error)
	}
	return nil
}

// text is "8 of 10, 80.0 % (95 %: 49.0 to 94.3 %)".
func (s Share) text() string {
	if s.Of == 0 {
		return "none of 0"
	}
	return fmt.Sprintf("%d of %d, %s (95 %%: %s)", s.Count, s.Of, percent(s.Value), s.interval())
}

func (s Share) value() string {
	if s.Of == 0 {
		return "-"
	}
	return percent(s.Value)
}

func (s Share) interval() string {
	if s.Of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f to %s", 100*s.Low, percent(s.High))
}

func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
