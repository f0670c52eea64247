package study

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s -want +got (with -update it is written anew):\n%s", file, diff)
	}
}

// lines lists the steps of a plan, a line each.
func lines(p Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%d %s", s.Index, s.Action)
		for _, v := range []string{s.Sheet, s.Block, s.Stimulus} {
			if v != "" {
				b.WriteString(" " + v)
			}
		}
		if s.Duration > 0 {
			fmt.Fprintf(&b, " %s", s.Duration)
		}
		if s.Presentation > 0 {
			fmt.Fprintf(&b, " #%d", s.Presentation)
		}
		for _, v := range []struct {
			holds bool
			word  string
		}{{s.Skippable, "skippable"}, {s.Filler, "filler"}, {s.Aside, "aside"}, {s.Again, fmt.Sprintf("again #%d", s.Repeats)}, {s.If != "", "if " + s.If}} {
			if v.holds {
				b.WriteString(", " + v.word)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func full(t *testing.T) *Study {
	t.Helper()
	const dir = "testdata/full"
	text, err := os.ReadFile(dir + "/study.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := parseDocument("study.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.build(beside{os.DirFS(dir)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const short = "id: a\nstimuli: {folder: c, list: [{id: x}, {id: y}]}\n"

func TestShortestStudy(t *testing.T) {
	golden(t, "short.plan.txt", lines(mustBuild(t, short, nil).Plan(0)))
	golden(t, "short.canonical.yaml", string(mustBuild(t, short, nil).Canonical))
}

func TestFullStudy(t *testing.T) {
	s := full(t)
	golden(t, "full/plan.txt", lines(s.Plan(0)))
	golden(t, "full/canonical.yaml", string(s.Canonical))
	type read struct {
		Seed       uint64
		Languages  []string
		Retain     Retain
		Quota      Quota
		Rules      Rules
		Devices    Devices
		Gaze       Gaze
		PhoneFrame bool
		Analysis   Analysis
		Rows       int
	}
	want := read{
		Seed: 1<<64 - 1, Languages: []string{"fr", "en", "it"},
		Retain: Retain{FaceVideo: 30 * day, Traces: 730 * day, Identity: 14 * day},
		Quota:  Quota{60, []Cell{{"age", "18-24", 20}, {"age", "25-29", 20}, {"age", "30-34", 20}}},
		Rules: Rules{UsableShare: .6, FaceConf: .75, Reshow: .4, MaxSyncMs: 30, NeedsFace: true, NeedsGaze: true, NeedsEDA: true,
			MaxUnusable: 1, MaxGazeErrDeg: 1.5},
		Devices: Devices{CameraMinFPS: 25, GazeMinHz: 60, EDAMinHz: 15.5, EDARangeUS: [2]float64{.5, 60},
			NeedsCamera: true, NeedsGaze: true, NeedsEDA: true, CameraDriver: "v4l2", EDADriver: "gsr-1"},
		Gaze: Gaze{13, 9, 2, 1.25}, PhoneFrame: true,
		Analysis: Analysis{Primary: []string{"NET", "ARO", "SYNC", "BRAND", "SAY"}, Compare: "tag", FDR: .1, Show: 12, CompareN: 24, Rank: 36},
		Rows:     4, // the second block is taken in turn
	}
	got := read{s.Seed, s.Languages, s.Retain, s.Quota, s.Rules, s.Devices, s.Gaze, s.PhoneFrame, s.Analysis, s.Rows()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	a1, _ := s.Stimulus("a1")
	moments := [][2]time.Duration{{500 * time.Millisecond, 1250 * time.Millisecond}, {1500 * time.Millisecond, 2 * time.Second}}
	if diff := cmp.Diff(moments, a1.Moments); diff != "" || a1.AOIs != "aoi/a1.json" || len(a1.AOIsSHA256) != 64 {
		t.Errorf("stimulus a1 has the areas %q (%s), moments -want +got:\n%s", a1.AOIs, a1.AOIsSHA256, diff)
	}
	if sea, _ := s.Stimulus("sea"); !sea.Filler {
		t.Error("the filler is none")
	}
}

// Every page of the full study in each language, as it is kept and hashed.
func TestPagesOfTheFullStudy(t *testing.T) {
	s := full(t)
	for _, tag := range s.Languages {
		var b strings.Builder
		for _, v := range s.Sheets {
			fmt.Fprintf(&b, "== %s (%s)\n%s\n", v.ID, v.Kind, v.Words(tag))
			for _, f := range v.Fields {
				fmt.Fprintf(&b, "  -> %s: %s", strings.Join(f.Keys(), ", "), f.Type)
				if f.Required {
					b.WriteString(", required")
				}
				b.WriteByte('\n')
			}
			if strings.Contains(v.Words(tag), "\n\n") {
				t.Errorf("the page %s lacks words in %s:\n%s", v.ID, tag, v.Words(tag))
			}
		}
		golden(t, "full/pages."+tag+".txt", b.String())
	}
}

func TestErrorsNameTheLineAndWhatToDo(t *testing.T) {
	const head = "id: a\nstimuli: {folder: clips, list: [{id: x}]}\n" // two lines
	const trial = "flow:\n  - block:\n      trial: "
	for _, c := range []struct{ name, text, want string }{
		{"misspelt key", "id: a\ntitel: x\n", `s.yaml:2: titel: unknown key; did you mean "title"?`},
		{"two at once", "id: a\ntitel: x\nstimuli: {folder: clips, listt: []}\n", "s.yaml:3: stimuli.listt: unknown key"},
		{"unknown key", head + "xyzzy: {}\n", `s.yaml:3: xyzzy: unknown key; known here: format, id, title`},
		{"misspelt deep key", "id: a\nstimuli:\n  foldr: x\n", `s.yaml:3: stimuli.foldr: unknown key; did you mean "folder"?`},
		{"key twice", "id: a\nid: b\n", `s.yaml:2:`},
		{"no id", "title: x\nstimuli: {folder: clips}\n", "the key id is missing"},
		{"no folder", "id: a\n", "stimuli.folder is missing"},
		{"number for text", "id: a\ntitle: 2026\n", "s.yaml:2: title: is text, but 2026 reads as a whole number: put it in quotes"},
		{"text for number", "id: a\nseed: abc\n", "s.yaml:2: seed: is a whole number from 0 on, but here is text"},
		{"negative seed", "id: a\nseed: -1\n", "s.yaml:2: seed: is a whole number from 0 on"},
		{"fraction seed", "id: a\nseed: 1.5\n", "s.yaml:2: seed: is a whole number from 0 on, but here is a number"},
		{"value missing", "id: a\ntitle:\n", "s.yaml:2: title: has no value"},
		{"list for mapping", "id: a\nstimuli: [x]\n", "s.yaml:2: stimuli: is a set of keys and values, but here is a list"},
		{"other format", "format: emolab-study/2\nid: a\n", `s.yaml:1: format: is "emolab-study/2"; this program reads "emolab-study/1"`},
		{"id with a space", "id: a b\n", `s.yaml:1: id: "a b" is no id`},
		{"folder above", "id: a\nstimuli: {folder: ../x}\n", "s.yaml:2: stimuli.folder: \"../x\" leads out"},
		{"same id", "id: a\nstimuli:\n  folder: c\n  list:\n    - {id: x}\n    - {id: x}\n", `s.yaml:6: stimuli.list[2]: the id "x" is already that of line 5`},
		{"empty list", "id: a\nstimuli: {folder: c, list: []}\n", "has 0 stimuli"},
		{"moment backwards", "id: a\nstimuli: {folder: c, list: [{id: x, brand_moments: [[2, 1]]}]}\n", "ends before it begins"},
		{"moment after the end", "id: a\nstimuli: {folder: c, list: [{id: x, brand_moments: [[2, 21]]}]}\n", "stimulus x: the brand moment from 2s to 21s lies beyond the clip's end at 20s"},
		{"areas missing", "id: a\nstimuli: {folder: c, list: [{id: x, aois: no.json}]}\n", "s.yaml:2: stimuli.list: stimulus x: its areas of interest: there is no file beside/no.json; "},
		{"areas not JSON", "id: a\nstimuli: {folder: c, list: [{id: x, aois: bad.json}]}\n", "bad.json is not JSON"},

		{"language", "id: a\nlanguages: [English]\n", `"English" is no language: use its tag`},
		{"language without words", head + "languages: [en, it]\n", `s.yaml:3: languages: there are no words in "it"`},
		{"words missing", head + "words: {it: it.yaml}\n", "s.yaml:3: words.it: there is no file beside/it.yaml; "},
		{"words of nothing", head + "words: {en: bad.words}\n", "s.yaml:3: words.en: bad.words: the key nothing.here is not among"},
		{"text missing", head + "texts:\n  debrief: {en: no.md}\n", "s.yaml:4: texts.debrief.en: there is no file beside/no.md; "},
		{"text empty", head + "consent: {text: {en: empty.md}}\n", "s.yaml:3: consent.text.en: empty.md: is empty"},
		{"unknown page", head + "texts: {debreif: {en: a.md}}\n", `s.yaml:3: texts.debreif: there is no such page; did you mean "debrief"?`},

		{"face video of before", head + "face_video: ask\n", "s.yaml:3: face_video: is said under consent now"},
		{"traces optional", head + "consent: {scopes: {traces: {required: false}}}\n", "cannot be left to choose"},
		{"scope without words", head + "consent: {scopes: {mailing: {required: false}}}\n", "s.yaml:3: consent.scopes.mailing: needs the key ask"},
		{"retain without unit", head + "consent: {retain: {traces: 24}}\n", "s.yaml:3: consent.retain.traces: is a number and a unit"},
		{"retain too long", head + "consent: {retain: {traces: 60y}}\n", "60y is longer than fifty years"},
		{"retain since", head + "consent: {retain: {traces: 30d_after_payment}}\n", "is no time to keep data"},

		{"no question", head + "screening: [{id: age}]\n", "s.yaml:3: screening[1]: the key ask is missing"},
		{"nobody can pass", head + "screening: [{id: a, ask: A, choices: [x, y], pass: \"a == 'z'\"}]\n", `compares a with "z", which nobody can answer; possible are x, y`},
		{"passing by what comes later", head + "screening:\n  - {id: a, ask: A, pass: \"b == 'yes'\"}\n  - {id: b, ask: B}\n", `s.yaml:4: screening[1].pass: asks for "b", which is not among the questions so far`},
		{"no condition", head + "screening: [{id: a, ask: A, pass: \"a ==\"}]\n", "s.yaml:3: screening[1].pass:"},
		{"no band", head + "screening: [{id: a, ask: A, type: integer, bands: [young]}]\n", `"young" is no range of numbers`},
		{"bands of words", head + "screening: [{id: a, ask: A, bands: [1-2]}]\n", "its type is yesno: bands are ranges"},
		{"band without bands", head + "screening: [{id: a, ask: A, type: integer, keep: band}]\n", "keeps a band, but there are no bands"},
		{"optional screening", head + "screening: [{id: a, ask: A, required: false}]\n", "cannot be optional"},
		{"id of a question", head + "screening: [{id: a-b, ask: A}]\n", `"a-b" is no id of a question`},
		{"one id twice", head + "screening: [{id: a, ask: A}]\nscales: {s: {type: vas, items: [{id: a, ask: A}]}}\n", `the id "a" is asked on two pages, screening and rate.s`},

		{"two blocks of one name", head + "flow: [block: {name: a}, block: {name: a}]\n", `has the name "a" like the block of line 3`},
		{"no block", head + "flow: [calibrate, validate]\n", "s.yaml:3: flow: has no block"},
		{"unknown part", head + "flow: [calibrat, block]\n", `s.yaml:3: flow[1]: "calibrat" is no part of a flow; known are notice, consent`},
		{"many parts", head + "flow: [" + strings.Repeat("validate, ", 61) + "block]\n", "flow: has 62 entries; possible are 1 to 60"},
		{"two parts in one place", head + "flow:\n  - block: {name: a}\n    rest: 5s\n", "is one part of the flow"},
		{"consent late", head + "flow: [camera, consent, block]\n", "s.yaml:3: flow[2]: consent comes first in every study"},
		{"screening late", head + "screening: [{id: a, ask: A}]\nflow: [calibrate, screening, block]\n", "s.yaml:4: flow[2]: screening comes after line 4, from where on the session is recorded"},
		{"screening of nothing", head + "flow: [screening, block]\n", "there are no questions"},
		{"begin late", head + "flow: [calibrate, begin, block]\n", "flow[2]: begin comes after line 3"},
		{"debrief early", head + "flow: [debrief, block]\n", "flow[1]: debrief comes before the last block"},
		{"receipt early", head + "flow: [block, receipt, rest: 5s]\n", "flow[2]: receipt is the last page of every study"},
		{"consent in a branch", head + "flow: [branch: {if: \"traces == 'yes'\", then: [consent]}, block]\n", "flow[1].branch.then[1]: consent cannot be in a branch"},
		{"branch on nothing", head + "flow: [branch: {if: \"tired == 'yes'\", then: [rest: 5s]}, block]\n", `flow[1].branch.if: asks for "tired", which nobody has been asked by then`},
		{"branch before the screening", head + "screening: [{id: a, ask: A}]\nflow: [branch: {if: \"a == 'pass'\", then: [camera]}, screening, block]\n", `flow[1].branch.if: asks for "a", which nobody has been asked by then`},
		{"branches of many words", head + "flow: [branch: {if: \"traces in ['yes'" + strings.Repeat(", 'yes'", 80) + "]\", then: [branch: {if: \"traces in ['yes'" + strings.Repeat(", 'yes'", 80) + "]\", then: [rest: 5s]}]}, block]\n",
			"flow[1].branch.then[1].branch.if: with the conditions of the branches around it: column 1000: the condition is longer than 1000 characters"},
		{"branch to nowhere", head + "flow: [branch: {if: \"traces == 'yes'\"}, block]\n", "leads nowhere"},
		{"baseline of nothing", head + "flow: [baseline: {}, block]\n", "flow[1].baseline"},
		{"form missing", head + "flow: [block, form: {file: f/exit.yaml}]\n", "s.yaml:3: flow[2].form.file: there is no file beside/f/exit.yaml; "},
		{"form of nothing", head + "flow: [block, form: {file: bad.form}]\n", "bad.form:1: fields[1]: the key ask is missing"},
		{"points as a number", head + "devices: {gaze: {calibrate: 9}}\n", "s.yaml:3: devices.gaze.calibrate: is one of 5-point, 9-point, 13-point, but here is a whole number"},
		{"other points", head + "devices: {gaze: {validate: 13-point}}\n", `"13-point" is not possible; known are 4-point, 5-point, 9-point`},
		{"no limit", head + "devices:\n  gaze:\n    accept_deg: 0\n", "s.yaml:5: devices.gaze.accept_deg: 0 is outside 0.05 to 10 degrees"},
		{"limit with a unit", head + "devices: {gaze: {accept_deg: 1deg}}\n", "is a number of degrees, but here is text"},
		{"warning above", head + "devices: {gaze: {accept_deg: 1, warn_deg: 1.5}}\n", "s.yaml:3: devices.gaze: warn_deg 1.5 is above accept_deg 1"},
		{"range backwards", head + "devices: {eda: {range_uS: [60, 1]}}\n", "has its lowest value above its highest"},
		{"share in percent", head + "thresholds: {usable_seconds: 70}\n", "70 is outside 0 to 1"},

		{"order", head + "flow:\n  - block:\n      order: willams\n", `s.yaml:5: flow[1].block.order: "willams" is not possible; known are fixed, random, latin, williams`},
		{"over what is not there", head + "flow: [block: {order: {method: latin, over: [x, z]}}]\n", `"z" is no stimulus`},
		{"over twice", head + "flow: [block: {order: {over: [x, x]}}]\n", "x comes twice"},
		{"filler over", "id: a\nstimuli: {folder: c, list: [{id: x}, {id: f, role: filler}]}\nflow: [block: {order: {over: [x, f]}}]\n", `"f" is a filler`},
		{"only fillers", "id: a\nstimuli: {folder: c, list: [{id: f, role: filler}]}\n", "has no stimuli"},
		{"too many trials", head + "flow: [" + strings.TrimSuffix(strings.Repeat("B, ", 21), ", ") + "]\n", "brings the study to 2100 trials"},
		{"no unit", head + trial + "[fixation: 5, play]\n", "s.yaml:5: flow[1].block.trial[1].fixation: is a duration with its unit"},
		{"too short", head + trial + "[fixation: 5ms, play]\n", "5ms is outside 100ms to 1h0m0s"},
		{"no play", head + trial + "[fixation: 5s]\n", "has 0 play steps"},
		{"unknown step", head + trial + "[play, reset]\n", `"reset": known are play`},
		{"rating before", head + trial + "[rate: [sam], play]\n", "comes before play"},
		{"unknown scale", head + "scales: {sam: {type: sam}}\n" + trial + "[play, rate: [sma]]\n", `s.yaml:6: flow[1].block.trial[2].rate: "sma" is no scale; known here: sam`},
		{"one scale twice", head + "scales: {sam: {type: sam}}\n" + trial + "[play, rate: [sam], rest: 4s, rate: [sam]]\n", "s.yaml:6: flow[1].block.trial[4].rate[1]: sam comes twice in a trial"},
		{"no scales", head + trial + "[play, rate: [sam]]\n", `"sam" is no scale; add the key scales`},
		{"scale with others' keys", head + "scales: {g: {type: affect_grid, items: [{id: a, ask: A}]}}\n", "has the key items, which a scale of type affect_grid has no use for"},
		{"manikin of eight", head + "scales: {s: {type: sam, points: 8}}\n", "has 8 points; the manikin has five figures"},
		{"scale of nothing", head + "scales: {s: {type: likert}}\n", "the key items is missing"},
		{"six primary", head + "analysis: {primary: [NET, ARO, SYNC, BRAND, SAY, RET]}\n", "names 6 indicators; at most 5"},
		{"unknown indicator", head + "analysis: {primary: [JOY]}\n", `"JOY" is not possible; known are ATT`},
		{"anchor", "id: &x a\ntitle: *x\n", "an anchor or alias"},
		{"two documents", "id: a\n---\nid: b\n", "holds 2 YAML documents"},
		{"empty", "", "s.yaml: is empty"},
		{"only remarks", "# later\n", "s.yaml: is empty"},
		{"brackets in brackets", "id: " + strings.Repeat("[", 200_000), "s.yaml:1: not YAML: lists and brackets lie too deep"},
		{"keys in keys", strings.Repeat("{a: ", 200_000), "too deep"},
		{"lists in lists", "id: a\n" + strings.Repeat("- ", 200_000), "s.yaml:2: not YAML: lists and brackets lie too deep"},
		{"keys of keys", strings.Repeat("? ", 200_000), "too deep"},
		{"words in brackets", head + "words: {it: deep.words}\n", "deep.words:1: not YAML: lists and brackets lie too deep"},
		{"not YAML", "id: [a\n", "s.yaml:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range strings.Count(c.text, "B,") + 1 { // blocks of many repeats, each with its name
				c.text = strings.Replace(c.text, "B,", fmt.Sprintf("block: {name: b%d, repeat: 100},", i), 1)
			}
			c.text = strings.Replace(c.text, " B]", " block: {repeat: 100}]", 1)
			s, err := built(t, c.text, map[string]string{
				"bad.json": "{", "bad.words": "nothing.here: a\n", "empty.md": " \n\n", "bad.form": "fields: [{id: a}]\n", "deep.words": strings.Repeat("[", 200_000),
			})
			if err == nil {
				t.Fatalf("accepted as %+v, want an error with %q", s, c.want)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is\n  %v\nwant it to hold\n  %s", err, c.want)
			}
		})
	}
}

// A study that asks for more than the default warning allows is warned by its own limit.
func TestStricterThanTheDefaultWarning(t *testing.T) {
	s := mustBuild(t, short+"devices: {gaze: {accept_deg: .5}}\n", nil)
	if want := (Gaze{9, 4, .5, .5}); s.Gaze != want {
		t.Errorf("%+v, want %+v", s.Gaze, want)
	}
}

// What no study can leave out is there, where the flow does not say it.
func TestWhatNoStudyCanLeaveOut(t *testing.T) {
	const ask = "screening: [{id: a, ask: A}]\n"
	for _, c := range []struct{ flow, want string }{
		{"[block: {trial: [play]}]", "notice consent screening begin play debrief receipt"},
		{"[consent, camera, block: {trial: [play]}]", "notice consent screening camera begin play debrief receipt"},
		{"[notice, camera, screening, block: {trial: [play]}]", "notice consent camera screening begin play debrief receipt"},
		{"[begin, camera, block: {trial: [play]}, receipt]", "notice consent screening begin camera play debrief receipt"},
		{"[branch: {if: \"traces == 'no'\", then: [camera]}, branch: {if: \"a == 'pass'\", then: [camera], else: [breath]}, block: {trial: [play]}]",
			"notice consent screening camera begin camera breath play debrief receipt"},
	} {
		s := mustBuild(t, "id: a\nstimuli: {folder: c, list: [{id: x}]}\n"+ask+"flow: "+c.flow+"\n", nil)
		var got []string
		for _, step := range s.Plan(0).Steps {
			if !step.Aside {
				got = append(got, map[bool]string{true: string(step.Action), false: step.Sheet}[step.Sheet == ""])
			}
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s\n  lays out %s\n      want %s", c.flow, g, c.want)
		}
	}
}

func TestHashFollowsEveryFile(t *testing.T) {
	text := short + "consent: {text: {en: a.md}}\nwords: {fr: fr.yaml}\nflow: [block, form: {file: exit.yaml}]\n"
	files := map[string]string{"a.md": "# A\n\nB", "fr.yaml": "answer.yes: Ouais\n", "exit.yaml": "fields: [{id: f, ask: F}]\n"}
	first := mustBuild(t, text, files).Hash
	for name := range files {
		changed := map[string]string{}
		for n, content := range files {
			changed[n] = content
		}
		changed[name] += " "
		if mustBuild(t, text, changed).Hash == first {
			t.Errorf("the hash did not change with %s", name)
		}
	}
	if mustBuild(t, text+"# a remark\n", files).Hash != first {
		t.Error("the hash changed with a remark")
	}
	if !bytes.Equal(mustBuild(t, text, files).Canonical, mustBuild(t, strings.Replace(text, "[block,", "[{block: {order: {method: random, over: [x, y]}}},", 1), files).Canonical) {
		t.Error("the canonical form changed with the spelling")
	}
}

func TestTitleInALanguage(t *testing.T) {
	s := Study{Title: "Tout", Titles: Text{"fr": "Tout", "en": "Everything"}}
	for language, want := range map[string]string{"en": "Everything", "fr": "Tout", "it": "Tout", "": "Tout"} {
		if got := s.TitleIn(language); got != want {
			t.Errorf("in %q: %q, want %q", language, got, want)
		}
	}
}
