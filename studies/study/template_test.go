package study

import (
	"fmt"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"
)

// Whatever is answered, the file that comes of it loads and nothing is wrong with it.
func TestTemplateIsClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.Bool()
		draft := Draft{
			ID: "new-study", Title: anyText.Draw(t, "title"), Folder: "clips",
			Languages: rapid.SampledFrom([][]string{nil, {"en"}, {"fr", "en"}}).Draw(t, "languages"),
			Camera:    some.Draw(t, "camera"), Gaze: some.Draw(t, "gaze"), EDA: some.Draw(t, "eda"),
			FaceVideo: some.Draw(t, "face video"), Screening: some.Draw(t, "screening"),
		}
		for i := range rapid.IntRange(0, 12).Draw(t, "stimuli") {
			draft.Stimuli = append(draft.Stimuli, DraftStimulus{
				ID: fmt.Sprint("s", i), File: rapid.SampledFrom([]string{"", fmt.Sprint("f", i, ".mp4")}).Draw(t, "file"),
				Brand: rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "brand"), Tags: rapid.SliceOfN(anyText, 0, 2).Draw(t, "tags"),
			})
		}
		text := Template(draft)
		d, err := parseDocument("study.yaml", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !d.listed {
			d.stimuli = []listing{{id: "x", file: "x.mp4"}, {id: "y", file: "y.mp4"}}
		}
		if got := grave(d.lint(beside{fstest.MapFS{}})); got != "" {
			t.Fatalf("%s\n%s", got, text)
		}
	})
}

// The file for the most that can be asked for, to be looked at.
func TestTemplate(t *testing.T) {
	golden(t, "template.yaml", string(Template(Draft{
		ID: "fashion-2026", Title: "Reactions to fashion", Languages: []string{"fr", "en"}, Folder: "clips",
		Stimuli: []DraftStimulus{{ID: "a1", File: "a1.mp4", Brand: "A", Tags: []string{"runway"}}, {ID: "b1", Brand: "B"}},
		Camera:  true, Gaze: true, EDA: true, FaceVideo: true, Screening: true,
	})))
}
