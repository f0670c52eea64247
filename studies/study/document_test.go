package study

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestShortestStudy(t *testing.T) {
	d, err := parseDocument("study.yaml", []byte("id: a\nstimuli: {folder: clips/}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := document{
		id: "a", title: "a", seed: 1, folder: "clips", video: NeverKept, gaze: Gaze{9, 4, 1, .7},
		block: Block{Name: "main", Order: Random, Trial: []TrialStep{
			{Fixation, 5 * time.Second}, {Play, 0}, {Rest, 4 * time.Second},
		}},
	}
	if diff := cmp.Diff(want, d, cmp.AllowUnexported(document{}, listing{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFullStudy(t *testing.T) {
	d, err := parseDocument("study.yaml", []byte(`# a comment
format: emolab-study/1
id: pfw-2026
title: "Reactions: Paris"
seed: 18446744073709551615
face_video: ask
devices:
  gaze: {calibrate: 13-point, validate: 9-point, accept_deg: 2, warn_deg: 1.25}
stimuli:
  folder: ./stimuli/
  list:
    - {id: a1, file: brandA_1.mp4, brand: Brand A, tags: [runway, "1"]}
    - id: b1   # file is b1.mp4
flow:
  - calibrate
  - breath
  - block:
      name: second
      order: fixed
      trial: [fixation: 500ms, play, rest: 1m30s, fixation: 1s]
  - validate
`))
	if err != nil {
		t.Fatal(err)
	}
	want := document{
		id: "pfw-2026", title: "Reactions: Paris", seed: 1<<64 - 1, folder: "stimuli", listed: true, video: AskFirst,
		stimuli: []listing{
			{id: "a1", file: "brandA_1.mp4", brand: "Brand A", tags: []string{"runway", "1"}, line: 12},
			{id: "b1", file: "b1.mp4", line: 13},
		},
		gaze:   Gaze{13, 9, 2, 1.25},
		before: []Action{Calibrate, Breath}, after: []Action{Validate},
		block: Block{Name: "second", Order: Fixed, Trial: []TrialStep{
			{Fixation, 500 * time.Millisecond}, {Play, 0}, {Rest, 90 * time.Second}, {Fixation, time.Second},
		}},
	}
	if diff := cmp.Diff(want, d, cmp.AllowUnexported(document{}, listing{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestErrorsNameTheLineAndWhatToDo(t *testing.T) {
	const head = "id: a\nstimuli: {folder: clips}\n" // two lines
	for _, c := range []struct{ name, text, want string }{
		{"misspelt key", "id: a\ntitel: x\n", `s.yaml:2: titel: unknown key; did you mean "title"?`},
		{"unknown key", head + "consent: {}\n", `s.yaml:3: consent: unknown key; known here: format, id, title, seed, face_video, devices, stimuli, flow`},
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
		{"two blocks", head + "flow: [block: {name: a}, block: {name: b}]\n", "has 2 blocks"},
		{"no block", head + "flow: [calibrate, validate]\n", "has 0 blocks"},
		{"unknown part", head + "flow: [calibrat, block: {name: a}]\n", `s.yaml:3: flow[1]: "calibrat": known are calibrate, validate, breath and a block`},
		{"many parts", head + "flow: [" + strings.Repeat("validate, ", 21) + "block: {name: a}]\n", "flow[21]: is step number 21"},
		{"points as a number", head + "devices: {gaze: {calibrate: 9}}\n", "s.yaml:3: devices.gaze.calibrate: is one of 5-point, 9-point, 13-point, but here is a whole number"},
		{"other points", head + "devices: {gaze: {validate: 13-point}}\n", `"13-point" is not possible; known are 4-point, 5-point, 9-point`},
		{"no limit", head + "devices:\n  gaze:\n    accept_deg: 0\n", "s.yaml:5: devices.gaze.accept_deg: 0 is outside 0.05 to 10 degrees"},
		{"limit with a unit", head + "devices: {gaze: {accept_deg: 1deg}}\n", "is a number of degrees, but here is text"},
		{"warning above", head + "devices: {gaze: {accept_deg: 1, warn_deg: 1.5}}\n", "s.yaml:3: devices.gaze: warn_deg 1.5 is above accept_deg 1"},
		{"other device", head + "devices: {camera: {min_fps: 25}}\n", "s.yaml:3: devices.camera: unknown key"},
		{"other part", head + "flow: [debrief: {}]\n", `s.yaml:3: flow[1].debrief: unknown key`},
		{"order", head + "flow:\n  - block:\n      order: williams\n", `s.yaml:5: flow[1].block.order: "williams" is no order`},
		{"video unasked", head + "face_video: always\n", `s.yaml:3: face_video: "always" is not possible; known are never and ask`},
		{"no unit", head + "flow:\n  - block:\n      trial: [fixation: 5, play]\n", "s.yaml:5: flow[1].block.trial[1].fixation: is a duration with its unit"},
		{"too short", head + "flow:\n  - block:\n      trial: [fixation: 5ms, play]\n", "5ms is outside 100ms to 1h0m0s"},
		{"no play", head + "flow:\n  - block:\n      trial: [fixation: 5s]\n", "has 0 play steps"},
		{"play with settings", head + "flow:\n  - block:\n      trial: [play: {skippable: false}]\n", "takes no value"},
		{"unknown step", head + "flow:\n  - block:\n      trial: [play, rate]\n", `"rate": known are play`},
		{"anchor", "id: &x a\ntitle: *x\n", "an anchor or alias"},
		{"two documents", "id: a\n---\nid: b\n", "holds 2 YAML documents"},
		{"empty", "", "holds"},
		{"not YAML", "id: [a\n", "s.yaml:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := parseDocument("s.yaml", []byte(c.text))
			if err == nil {
				t.Fatalf("accepted as %+v, want an error with %q", d, c.want)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is\n  %v\nwant it to hold\n  %s", err, c.want)
			}
		})
	}
}

// drawDocument draws any document that a study file can say.
func drawDocument(t *rapid.T) document {
	id := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9_.-]{0,10}`)
	text := rapid.StringMatching(`[^\p{C}\x{fffd}]{0,12}`)
	d := document{
		id: id.Draw(t, "id"), title: rapid.StringMatching(`[^\p{C}\x{fffd}]{1,12}`).Draw(t, "title"),
		seed: rapid.Uint64().Draw(t, "seed"), folder: id.Draw(t, "folder"), listed: true,
		video: rapid.SampledFrom([]FaceVideo{NeverKept, AskFirst}).Draw(t, "face video"),
		gaze: Gaze{
			rapid.SampledFrom([]int{5, 9, 13}).Draw(t, "calibrate"), rapid.SampledFrom([]int{4, 5, 9}).Draw(t, "validate"),
			0, rapid.Float64Range(smallestLimit, largestLimit).Draw(t, "warn"),
		},
		block: Block{
			Name:  id.Draw(t, "block"),
			Order: rapid.SampledFrom([]Order{Fixed, Random}).Draw(t, "order"),
		},
	}
	d.gaze.AcceptDeg = rapid.Float64Range(d.gaze.WarnDeg, largestLimit).Draw(t, "accept")
	around := rapid.SampledFrom([]Action{Calibrate, Validate, Breath})
	d.before = append(d.before, rapid.SliceOfN(around, 0, 3).Draw(t, "before the block")...)
	d.after = append(d.after, rapid.SliceOfN(around, 0, 3).Draw(t, "after the block")...)
	for _, name := range rapid.SliceOfNDistinct(id, 1, 5, rapid.ID).Draw(t, "stimuli") {
		d.stimuli = append(d.stimuli, listing{
			id: name, file: id.Draw(t, "file") + ".mp4", brand: text.Draw(t, "brand"),
			tags: rapid.SliceOfN(text, 1, 3).Draw(t, "tags"),
		})
	}
	step := rapid.Custom(func(t *rapid.T) TrialStep {
		return TrialStep{
			rapid.SampledFrom([]Action{Fixation, Rest}).Draw(t, "action"),
			time.Duration(rapid.Int64Range(int64(shortestStep), int64(longestStep)).Draw(t, "duration")),
		}
	})
	d.block.Trial = append(d.block.Trial, rapid.SliceOfN(step, 0, 2).Draw(t, "before")...)
	d.block.Trial = append(d.block.Trial, TrialStep{Action: Play})
	d.block.Trial = append(d.block.Trial, rapid.SliceOfN(step, 0, 2).Draw(t, "after")...)
	return d
}

func TestCanonicalFormReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDocument(t)
		text := d.canonical()
		got, err := parseDocument("canonical", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for i := range got.stimuli {
			got.stimuli[i].line = 0
		}
		if diff := cmp.Diff(d, got, cmp.AllowUnexported(document{}, listing{})); diff != "" {
			t.Fatalf("-want +got:\n%s\n%s", diff, text)
		}
		if again := got.canonical(); !bytes.Equal(text, again) {
			t.Fatalf("canonical form of the canonical form differs:\n%s\n%s", text, again)
		}
	})
}

// The hash of a study made before the key face_video existed must not change:
// its sessions are found by it.
func TestCanonicalFormOfAnOlderStudyIsFrozen(t *testing.T) {
	d, err := parseDocument("s.yaml", []byte("id: a\nstimuli: {folder: c, list: [{id: x}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `format: emolab-study/1
id: "a"
title: "a"
seed: 1
stimuli:
  folder: "c"
  list:
    - {id: "x", file: "x.mp4", brand: "", tags: []}
flow:
  - block:
      name: "main"
      order: {method: random}
      trial: [fixation: 5s, play, rest: 4s]
`
	if diff := cmp.Diff(want, string(d.canonical())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A study that asks for more than the default warning allows is warned by its own limit.
func TestStricterThanTheDefaultWarning(t *testing.T) {
	d, err := parseDocument("s.yaml", []byte("id: a\ndevices: {gaze: {accept_deg: .5}}\nstimuli: {folder: c, list: [{id: x}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Gaze{9, 4, .5, .5}); d.gaze != want {
		t.Errorf("%+v, want %+v", d.gaze, want)
	}
}

func FuzzDocument(f *testing.F) {
	shipped, err := example.ReadFile("example/study.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(shipped)
	f.Add([]byte("id: a\nstimuli: {folder: c}\nflow: [block: {order: fixed, trial: [fixation: 5s, play]}]"))
	f.Add([]byte("id: a\ndevices: {gaze: {calibrate: 5-point, accept_deg: 1.5}}\nstimuli: {folder: c}\nflow: [calibrate, block: {order: fixed}, validate]"))
	f.Add([]byte("id: &a {b: *a}\n<<: *a"))
	f.Add([]byte("- ? [a]\n: |\n  b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := parseDocument("f", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f") {
				t.Errorf("error does not name the file: %v", err)
			}
			return
		}
		if !d.listed {
			return // its stimuli are in the folder, not in the file
		}
		if _, err := parseDocument("f", d.canonical()); err != nil {
			t.Errorf("canonical form is not readable: %v\n%s", err, d.canonical())
		}
	})
}
