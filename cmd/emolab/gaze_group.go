package main

import (
	"fmt"
	"io"
	"path/filepath"

	"emolab/fusion/aoi"
	"emolab/fusion/heatmap"
	fig "emolab/studies/figure" // bench.go has a type figure
)

// writeGroup writes what several people looked at: the heat map in which each
// weighs the same and, where there are areas, how they were looked at. It says
// what it wrote, and why it could not.
func (c *gazeAnalyzeCmd) writeGroup(reports []gazeReport) (written []string, notes []string, err error) {
	var maps []heatmap.Map
	var measured []aoi.Report
	for _, r := range reports {
		maps = append(maps, r.heat)
		if r.areas != nil {
			measured = append(measured, *r.areas)
		}
	}
	group, err := heatmap.Group(maps)
	if err != nil {
		return nil, []string{fmt.Sprintf("no group heat map, as the recordings are of different screens: %v", err)}, nil
	}
	if group.People == 0 {
		return nil, []string{"no group heat map: nobody has a fixation on the screen"}, nil
	}
	f := reports[0].screenFigure(c)
	f.Title = fmt.Sprintf("%d people, each with the same weight", group.People)
	f.Heat = fig.Heat{Columns: group.Columns, Rows: group.Rows, Values: group.Values}
	name := filepath.Join(c.Out, "group.heat.png")
	if err := writeFile(name, func(w io.Writer) error { return f.WriteScreen(w, fig.PNG) }); err != nil {
		return nil, nil, err
	}
	written = append(written, name)
	notes = append(notes, fmt.Sprintf("group: mean correlation between two people's heat maps %s", show(heatmap.Congruency(maps), "%.3f")))
	if len(measured) == 0 {
		return written, notes, nil
	}
	name = filepath.Join(c.Out, "group.areas.csv")
	return append(written, name), notes, writeFile(name, func(w io.Writer) error { return groupTable(w, aoi.Join(measured)) })
}

func groupTable(w io.Writer, areas []aoi.Group) error {
	return lineWriter(w, "area,people,seen,seen_share,mean_time_to_first_look_s,median_time_to_first_look_s,mean_looks,mean_fixations,mean_visits,mean_looked_s,mean_fixated_s,mean_dwell_s,mean_looked_share", len(areas), func(c *cells, i int) {
		a := areas[i]
		c.text(a.Name)
		c.number(float64(a.People), 0)
		c.number(float64(a.Seen), 0)
		c.number(a.SeenShare(), 4)
		if a.Seen > 0 {
			c.number(a.ToFirst.Seconds(), 4)
			c.number(a.ToFirstMedian.Seconds(), 4)
		} else {
			c.text("")
			c.text("")
		}
		c.number(a.Looks, 3)
		c.number(a.Fixations, 3)
		c.number(a.Visits, 3)
		c.number(a.Looked.Seconds(), 4)
		c.number(a.Fixated.Seconds(), 4)
		c.number(a.Dwell.Seconds(), 4)
		c.number(a.LookedShare, 5)
	})
}
