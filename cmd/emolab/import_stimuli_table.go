package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"emolab/capture/strobe"
	"emolab/studies/stimulus"
	"emolab/studies/study"
	"emolab/studies/study/ident"
)

const (
	// loudApart is by how many LU two videos of a study may differ in loudness before it
	// is said: twice as loud to the ear is about 10.
	loudApart = 6
	// unheard is the loudness of silence, LUFS.
	unheard = -70
)

// remarks are what should be known of a video that can be used.
func remarks(r imported) []string {
	var n []string
	if !r.Even {
		n = append(n, fmt.Sprintf("its frames come at uneven times, %.4g a second in the mean", r.FPS))
	}
	if r.Flashes != nil && *r.Flashes > strobe.Limit && r.FlashesAt != nil {
		n = append(n, fmt.Sprintf("flashes %d times within a second at %.1f s: more than %d may bring on a fit in people with photosensitive epilepsy (WCAG 2.3.1); ask about it before, or leave the video out",
			*r.Flashes, *r.FlashesAt, strobe.Limit))
	}
	if r.Sound != "" && r.Loudness != nil && *r.Loudness <= unheard {
		n = append(n, "has a sound track, but nothing is to be heard on it")
	}
	return n
}

// inPlace says what a study that takes all videos of this folder stumbles over.
func inPlace(file string, converted bool) []string {
	name := filepath.Base(file)
	id, isMP4 := strings.CutSuffix(name, ".mp4")
	switch {
	case !isMP4: // a study passes it over
	case converted:
		return []string{fmt.Sprintf("the original, %s, is still in this folder, and a study that takes all of its videos stops there: move it away, or use --into FOLDER", study.ShellQuoted(name))}
	case ident.Of(id) != id:
		return []string{fmt.Sprintf("plays, but its name is no id (letters, digits, - _ . only): for a study rename it to %s, or use --into FOLDER", ident.Twin(name))}
	}
	return nil
}

// printImported writes a table of what can be used, and below it what cannot, and what
// else to know.
func printImported(w io.Writer, all []imported, ffmpeg bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "VIDEO\tPLAYS\tLENGTH\tFRAMES/S\tSIZE\tCODED AS\tLOUDNESS\tLIGHT\tCUTS\tFLASHES")
	for _, r := range all {
		if !r.Playable {
			fmt.Fprintf(t, "%s\tno\t\t\t\t\t\t\t\t\n", r.ID)
			continue
		}
		coded := r.Picture
		if r.Sound != "" {
			coded += " + " + r.Sound
		}
		fmt.Fprintf(t, "%s\tyes\t%.1f s\t%.4g\t%d x %d\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Seconds, r.FPS, r.Width, r.Height, coded,
			loudness(r), percent(r.Light), cuts(r), flashes(r))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	quietest, loudest := -1, -1
	heard := func(i int) bool {
		return all[i].Playable && all[i].Loudness != nil && *all[i].Loudness > unheard
	}
	unknown := false
	for i, r := range all {
		name := filepath.Base(r.File)
		if r.From != "" {
			fmt.Fprintf(w, "%s: from %s\n", name, r.From)
		}
		if r.Why != "" {
			fmt.Fprintf(w, "%s: %s\n", name, r.Why)
		}
		for _, note := range r.Notes {
			fmt.Fprintf(w, "%s: %s\n", name, note)
		}
		unknown = unknown || r.Playable && r.Sound != "" && r.Loudness == nil
		if !heard(i) {
			continue
		}
		if quietest < 0 || *r.Loudness < *all[quietest].Loudness {
			quietest = i
		}
		if loudest < 0 || *r.Loudness > *all[loudest].Loudness {
			loudest = i
		}
	}
	if quietest >= 0 && *all[loudest].Loudness-*all[quietest].Loudness > loudApart {
		fmt.Fprintf(w, "%s is %.0f LU louder than %s: skin and pupil answer loudness as well.\n",
			all[loudest].ID, *all[loudest].Loudness-*all[quietest].Loudness, all[quietest].ID)
	}
	if unknown && !ffmpeg {
		fmt.Fprintln(w, stimulus.ErrNoFFmpeg)
	}
	return nil
}

func loudness(r imported) string {
	switch {
	case r.Sound == "":
		return "no sound"
	case r.Loudness == nil:
		return "-"
	case *r.Loudness <= unheard:
		return "silent"
	}
	return fmt.Sprintf("%.1f LUFS", *r.Loudness)
}

// percent is a share of full white.
func percent(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100**v)
}

func cuts(r imported) string {
	if r.Cuts == nil {
		return "-"
	}
	return fmt.Sprint(len(r.Cuts))
}

func flashes(r imported) string {
	switch {
	case r.Flashes == nil:
		return "-"
	case *r.Flashes > strobe.Limit:
		return fmt.Sprintf("%d a second!", *r.Flashes)
	case *r.Flashes == 0:
		return "none"
	}
	return fmt.Sprintf("%d a second", *r.Flashes)
}
