package conditions

import (
	"fmt"
	"slices"
	"strings"
)

// columns says which column of a sheet is taken for what; -1 = none.
type columns struct {
	file, id, brand int
	tags            []int
	results         []string // names of columns that PsychoPy writes while it runs
	tasks           []string // and of those that say what is to be done in a trial
}

// Names of columns, as people choose them, without what is no letter.
var (
	fileNames  = []string{"file", "filename", "stimulusfile", "stimfile", "videofile", "moviefile", "video", "movie", "clip", "stimulus", "stim", "stimpath", "path"}
	idNames    = []string{"id", "stimid", "stimulusid", "videoid", "clipid", "itemid", "name", "stimname", "stimulusname", "label", "code", "item"}
	brandNames = []string{"brand", "brandname", "brandid", "marque", "marke", "marca", "maker", "label", "house", "maison", "advertiser", "company"}
	// resultNames are of columns that are in a table of results, and not of conditions.
	resultNames = []string{"participant", "session", "date", "expname", "psychopyversion", "framerate", "expstart", "thisrowt", "notes"}
	// taskNames are of columns that tell PsychoPy what to do in a trial, and do not tell
	// stimuli apart.
	taskNames = []string{"corrans", "correctanswer", "corrresp", "correctresponse", "dur", "duration", "isi", "iti", "jitter", "onset", "keys", "allowedkeys"}
)

// videoEndings are of files that are films, whether browsers can play them or not.
var videoEndings = []string{".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".wmv", ".ogv", ".flv", ".3gp", ".gif"}

// letters is a name in lower case without what is no letter.
func letters(name string) string {
	return strings.Map(func(c rune) rune {
		if c < 'a' || c > 'z' {
			return -1
		}
		return c
	}, strings.ToLower(name))
}

// mostlyVideos is the share of the filled cells of a column that have to end like the name
// of a film before it is taken to name the files.
const mostlyVideos = .9

// columns finds out what the columns are: the files by what is in it, the rest by name.
func (s sheet) columns() (columns, error) {
	c := columns{file: -1, id: -1, brand: -1}
	best := len(fileNames) + 1
	for k, name := range s.header {
		filled, films := 0, 0
		for _, r := range s.rows {
			if v := r.cell(k); v != "" {
				filled++
				if isVideo(v) {
					films++
				}
			}
		}
		rank := slices.Index(fileNames, letters(name))
		if rank < 0 {
			rank = len(fileNames)
		}
		if films > 0 && float64(films) >= mostlyVideos*float64(filled) && rank < best {
			c.file, best = k, rank
		}
	}
	if c.file < 0 {
		return c, fmt.Errorf("no column names video files (ending in %s); there are %s", strings.Join(videoEndings[:4], ", "), list(quoted(s.header)))
	}
	c.id = s.named(idNames, c.file)
	c.brand = s.named(brandNames, c.file, c.id)
	for k, name := range s.header {
		switch {
		case k == c.file || k == c.id || k == c.brand || name == "":
		case isResult(name):
			c.results = append(c.results, name)
		case slices.Contains(taskNames, letters(name)):
			c.tasks = append(c.tasks, name)
		default:
			c.tags = append(c.tags, k)
		}
	}
	return c, nil
}

// named is the column whose name is the first of names; -1 = none. Taken columns do not
// count.
func (s sheet) named(names []string, taken ...int) int {
	for _, want := range names {
		for k, name := range s.header {
			if letters(name) == want && !slices.Contains(taken, k) {
				return k
			}
		}
	}
	return -1
}

func isVideo(cell string) bool {
	lower := strings.ToLower(cell)
	return slices.ContainsFunc(videoEndings, func(ending string) bool { return strings.HasSuffix(lower, ending) })
}

func isResult(name string) bool {
	lower := strings.ToLower(name)
	return slices.Contains(resultNames, letters(name)) || strings.HasPrefix(lower, "unnamed") ||
		strings.HasSuffix(lower, ".started") || strings.HasSuffix(lower, ".stopped") || strings.Contains(lower, ".this") ||
		strings.HasSuffix(lower, ".keys") || strings.HasSuffix(lower, ".rt") || strings.HasSuffix(lower, ".corr")
}

// words says which column was taken for what.
func (c columns) words(s sheet) []string {
	said := []string{fmt.Sprintf("files: column %q", s.header[c.file])}
	if c.id >= 0 {
		said = append(said, fmt.Sprintf("ids: column %q", s.header[c.id]))
	} else {
		said = append(said, "ids: from the names of the files")
	}
	if c.brand >= 0 {
		said = append(said, fmt.Sprintf("brands: column %q", s.header[c.brand]))
	} else {
		said = append(said, "brands: none; no column is called brand")
	}
	if len(c.tags) > 0 {
		var names []string
		for _, k := range c.tags {
			names = append(names, s.header[k])
		}
		said = append(said, fmt.Sprintf("tags: %s", list(quoted(names))))
	}
	if len(c.results) > 0 {
		said = append(said, fmt.Sprintf("left out, because PsychoPy writes it while it runs: %s", list(quoted(c.results))))
	}
	if len(c.tasks) > 0 {
		said = append(said, fmt.Sprintf("left out, because it is about the trial and not about the video: %s", list(quoted(c.tasks))))
	}
	return said
}

func quoted(names []string) []string {
	var all []string
	for _, n := range names {
		all = append(all, fmt.Sprintf("%q", n))
	}
	return all
}

// mostListed is how many names stand in a sentence before the rest is only counted.
const mostListed = 8

func list(names []string) string {
	if len(names) > mostListed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostListed], ", "), len(names)-mostListed)
	}
	return strings.Join(names, ", ")
}
