package study

import (
	"fmt"
	"slices"
	"strings"
)

// Draft is what somebody who begins a study has to say.
type Draft struct {
	ID, Title string
	Languages []string // none = English and French
	Folder    string   // of the videos, relative to the study file
	Stimuli   []DraftStimulus
	// Camera, Gaze and EDA are what a session is of no use without.
	Camera, Gaze, EDA bool
	FaceVideo         bool // to be asked for
	Screening         bool // by age, and whether somebody belongs to the university or a brand
}

// DraftStimulus is a video of a Draft. None listed means all .mp4 files of the folder.
type DraftStimulus struct {
	ID, File, Brand string
	Tags            []string
}

// Template writes a study file with comments. It loads as it is, with the words of its
// foreign languages beside it.
func Template(t Draft) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	languages := t.Languages
	if len(languages) == 0 {
		languages = defaultDocument().languages
	}
	title := t.Title
	if title == "" {
		title = t.ID
	}
	line("# The study file. Everything but id and stimuli.folder may be left out; what is said")
	line("# here can be changed until the first participant comes. Check it with  emolab study lint")
	line("format: %s", Format)
	line("id: %s", quote(t.ID))
	line("title: %s", quote(title))
	line("languages: %s           # the participant chooses; the first for who does not", flowList(quoted(languages)))
	var files []string
	for _, tag := range t.Foreign() {
		files = append(files, tag, quote(WordsFile(tag)))
	}
	if files != nil {
		line("words: %s    # to be translated: the words of the pages that every study has", flowMap(files...))
	}
	line("# contact: \"Dr A. Martin, a.martin@example.org\"    # stands on the consent and on the receipt: whom to write to")
	line("seed: %d                          # of the orders: the same seed gives the same orders", defaultSeed)
	line("")
	t.consent(line)
	if t.Screening {
		t.screening(line, languages)
	}
	t.devices(line)
	t.stimuli(line)
	t.flow(line)
	return []byte(b.String())
}

// Foreign are the languages of a draft that are not built in. Their words are in a file
// each, WordsFile.
func (t Draft) Foreign() []string {
	return slices.DeleteFunc(slices.Clone(t.Languages), builtinLanguage)
}

// WordsFile is where a draft has the words of a language that is not built in, relative
// to the study file. It is written with wording.Template.
func WordsFile(language string) string { return "words/" + language + ".yaml" }

// IsLanguage tells whether a language has the form of a tag.
func IsLanguage(tag string) bool { return languageWord.MatchString(tag) }

// writer writes one line.
type writer func(format string, args ...any)

func (t Draft) consent(line writer) {
	line("consent:                          # each scope is a box of its own that the participant ticks")
	line("  # text: {en: consent/en.md}     # your own text, as approved; else the built-in one is shown")
	line("  scopes:")
	line("    traces: {required: true}      # numbers about expression, gaze and skin conductance")
	if t.FaceVideo {
		line("    face_video: {required: false} # who does not tick it is not filmed; the numbers are the same")
	}
	line("    publish_aggregates: {required: false} # results about groups, in which nobody can be recognised")
	if t.FaceVideo {
		line("  retain: {traces: 24m, face_video: 30d, identity: 30d_after_payment}")
	} else {
		line("  retain: {traces: 24m, identity: 30d_after_payment}")
	}
	line("")
}

func (t Draft) screening(line writer, languages []string) {
	// The built-in languages are asked in their own words, others in English.
	ask := func(english, french string) string {
		words := Text{}
		for _, tag := range languages {
			if words[tag] = english; tag == "fr" {
				words[tag] = french
			}
		}
		return words.canonical()
	}
	line("screening:                        # only the band, or that somebody passed, is kept")
	line("  - id: age")
	line("    ask: %s", ask("How old are you?", "Quel âge avez-vous ?"))
	line("    type: integer")
	line("    min: 1")
	line("    max: 120")
	line("    pass: \"18 <= age < 65\"")
	line("    bands: [18-24, 25-34, 35-44, 45-54, 55-64]")
	line("  - id: relation                  # the emotions of one's own students and staff are off limits")
	line("    ask: %s", ask("Do you study or work at this university, or at one of the brands?",
		"Étudiez-vous ou travaillez-vous dans cette université ou pour l’une des marques ?"))
	line("    type: yesno")
	line("    pass: \"relation == 'no'\"")
	line("    keep: pass_only")
	line("# quota: {total_usable: 60, cells: {age: {18-24: 20, 25-34: 20, 35-44: 20}}}")
	line("")
}

func (t Draft) devices(line writer) {
	if t.Camera || t.Gaze || t.EDA {
		line("devices:                          # a session without what is required does not count as usable")
	}
	if t.Camera {
		line("  camera: {min_fps: 25, required: true}")
	}
	if t.Gaze {
		line("  gaze: {min_hz: 30, required: true, calibrate: 9-point, validate: 4-point, accept_deg: 1.0}")
	}
	if t.EDA {
		line("  eda: {min_hz: 10, required: true}")
	}
	if t.Camera || t.Gaze || t.EDA {
		line("")
	}
}

func (t Draft) stimuli(line writer) {
	line("stimuli:")
	line("  folder: %s", quote(t.Folder))
	if len(t.Stimuli) == 0 {
		line("  # All .mp4 files of the folder. To say more about them, list them:")
		line("  # list:")
		line("  #   - {id: a1, file: a1.mp4, brand: Brand A, tags: [runway]}")
	} else {
		line("  list:")
	}
	for _, s := range t.Stimuli {
		line("    - %s", flowMap("id", quote(s.ID), "file", quotedOrNone(s.File), "brand", quotedOrNone(s.Brand), "tags", optional(quoted(s.Tags))))
	}
	line("")
	line("scales:")
	line("  sam: {type: sam, dims: [valence, arousal], points: 9}    # the self-assessment manikin")
	line("")
}

func (t Draft) flow(line writer) {
	line("flow:                             # notice, consent, debrief and receipt are always there")
	line("  - consent")
	if t.Screening {
		line("  - screening")
	}
	line("  - camera                        # seat and light, in words")
	if t.Gaze {
		line("  - calibrate                     # the eye tracker, and how far off it is then")
	}
	if t.EDA {
		line("  - breath                        # one deep breath: does skin conductance respond?")
	}
	line("  - baseline: {fixation: 60s, neutral_face: 10s}")
	line("  - block:")
	line("      name: main")
	line("      order: {method: %s}     # fixed, random, latin or williams", t.method())
	line("      trial: [fixation: 5s, play, rest: 4s, rate: [sam]]")
	if t.Gaze {
		line("  - validate                      # how far the gaze has drifted since")
	}
	line("  - debrief")
	line("")
	var primary []string
	if t.Camera {
		primary = append(primary, "NET")
	}
	if t.EDA {
		primary = append(primary, "ARO")
	}
	if t.Gaze {
		primary = append(primary, "ATT")
	}
	line("analysis:")
	line("  primary: %s    # at most five; locked with the first sealed session", flowList(append(primary, "SAY")))
	line("  compare: %s", t.compare())
}

// method balances where the order can be: up to twelve stimuli.
func (t Draft) method() string {
	if n := len(t.Stimuli); n > mostClips {
		return "random"
	}
	return "williams"
}

// compare is by brand where there are brands to compare.
func (t Draft) compare() string {
	brands := map[string]bool{}
	for _, s := range t.Stimuli {
		if s.Brand == "" {
			return "stimulus"
		}
		brands[s.Brand] = true
	}
	if len(brands) < 2 {
		return "stimulus"
	}
	return "brand"
}
