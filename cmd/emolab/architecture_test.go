package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers says which of our packages may import which: each folder may import
// the folders listed for it, and itself. Time and samples flow one way, and so
// do imports. Sensors and studies meet in cmd only, through stream.Source.
var layers = map[string][]string{
	"fusion/instant":      {},
	"fusion/stream":       {"fusion/instant"},
	"fusion/align":        {"fusion/instant", "fusion/stream"},
	"fusion/bus":          {"fusion/stream"},
	"fusion/script":       {"fusion/instant", "fusion/expression"},
	"fusion/filter":       {},
	"fusion/eda":          {"fusion/instant", "fusion/stream", "fusion/filter"},
	"fusion/eyemovement":  {"fusion/instant", "fusion/filter"},
	"fusion/aoi":          {"fusion/instant", "fusion/eyemovement"},
	"fusion/heatmap":      {"fusion/instant", "fusion/eyemovement"},
	"fusion/pupil":        {"fusion/instant", "fusion/filter"},
	"fusion/landmark":     {},
	"fusion/expression":   {},
	"fusion/headpose":     {"fusion/landmark"},
	"fusion/action":       {"fusion/expression", "fusion/landmark"},
	"fusion/visibility":   {"fusion/instant"},
	"fusion/facial":       {"fusion/instant", "fusion/stream", "fusion/landmark", "fusion/expression", "fusion/headpose", "fusion/action", "fusion/visibility"},
	"fusion/stimulus":     {"fusion/instant", "fusion/stream"},
	"fusion/usable":       {"fusion/instant", "fusion/stream", "fusion/stimulus", "fusion/eda"},
	"fusion/trace":        {"fusion"},
	"firmware-bridge":     {"fusion/instant", "fusion/script"},
	"calibration":         {"fusion"},
	"sensors":             {"fusion", "firmware-bridge", "calibration"},
	"capture":             {"fusion", "calibration"},
	"studies/wording":     {},
	"studies/power":       {},
	"studies/outlook":     {"studies/study", "studies/power"},
	"studies/shred":       {},
	"studies/identity":    {"studies/session", "studies/shred"},
	"studies/study":       {"fusion/stream", "studies/wording"},
	"studies/stimulus":    {"studies/study"},
	"studies/alarm":       {"fusion/instant"},
	"studies/session":     {"fusion", "calibration", "studies/study", "studies/alarm"},
	"studies/store":       {"fusion", "calibration", "studies/study", "studies/session"},
	"studies/stage":       {"fusion", "studies/wording", "studies/study", "studies/session"},
	"studies/replay":      {"fusion", "studies/study", "studies/session", "studies/store"},
	"studies/access":      {},
	"studies/console":     {"fusion", "studies/access", "studies/study", "studies/session", "studies/replay"},
	"studies/browsertest": {},
	"studies/table":       {},
	"studies/figure":      {"fusion"},
	"studies/withdrawal":  {"studies/study", "studies/session", "studies/store", "studies/shred", "studies/bundle"},
	"studies/bundle":      {"fusion", "studies/study", "studies/session", "studies/store", "studies/shred"},
	"cmd":                 {"fusion", "firmware-bridge", "calibration", "sensors", "capture", "studies"},
}

// importers says who may import a third-party library, and why that many. One
// library has one importing package, so that it can be replaced in one place.
var importers = map[string]struct {
	packages []string
	reason   string
}{
	"golang.org/x/sys":                    {[]string{"fusion/instant", "studies/session", "studies/store", "sensors/virtual"}, "the clock; the free space of a disk; the lock on the study's file; raw pseudo-terminals"},
	"golang.org/x/sync":                   {[]string{"studies/session", "studies/store", "studies/bundle", "cmd/emolab"}, "errgroup: whoever starts goroutines waits for them"},
	"gocv.io/x/gocv":                      {[]string{"capture/webcam", "capture/face", "capture/record"}, "the camera, the nets and the kept video are three jobs of one library"},
	"go.bug.st/serial":                    {[]string{"sensors/serialport"}, ""},
	"github.com/creack/pty":               {[]string{"sensors/virtual"}, ""},
	"github.com/mattn/go-sqlite3":         {[]string{"studies/store"}, ""},
	"github.com/gorilla/websocket":        {[]string{"studies/stage", "studies/console"}, "two protocols, two screens"},
	"github.com/goccy/go-yaml":            {[]string{"studies/study", "studies/wording", "cmd/emolab"}, "study.yaml, files of words, and lab.yaml"},
	"github.com/alecthomas/kong":          {[]string{"cmd/emolab"}, ""},
	"github.com/schollz/progressbar/v3":   {[]string{"cmd/emolab"}, ""},
	"github.com/chromedp":                 {[]string{"studies/browsertest"}, ""},
	"gonum.org/v1/gonum":                  {[]string{"fusion/eyemovement/crf"}, "L-BFGS"},
	"gonum.org/v1/plot":                   {[]string{"studies/figure"}, ""},
	"github.com/prometheus/client_golang": {[]string{"studies/console"}, ""}, // metrics.go: the format, its escapes, and the figures of the process
	"filippo.io/age":                      {[]string{"studies/identity"}, "who is who, encrypted apart from the data"},
	"rsc.io/qr":                           {[]string{"studies/stage"}, "the withdrawal code on the receipt"},
	"github.com/pion":                     {[]string{"capture/peer"}, ""},                // WebRTC and the parts of it that it is told with
	"golang.org/x/image":                  {[]string{"capture/peer"}, ""},                // the letters of words in the picture; plot brings it anyway
	"pgregory.net/rapid":                  {[]string{"sensors/eyetracker/linetest"}, ""}, // damage for the drivers' property tests
}

type listed struct {
	ImportPath, Name, Doc string
	Imports               []string
}

// list asks the go command for all packages of the module.
func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Doc,Name,Imports", "emolab/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// within tells whether package p is folder or lies below it.
func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

// layerOf returns the longest folder of layers that holds p.
func layerOf(p string) string {
	best := ""
	for folder := range layers {
		if within(p, folder) && len(folder) > len(best) {
			best = folder
		}
	}
	return best
}

func TestImportDirections(t *testing.T) {
	used := map[string]bool{}
	for _, p := range list(t) {
		from := strings.TrimPrefix(p.ImportPath, "emolab/")
		layer := layerOf(from)
		if layer == "" {
			t.Errorf("%s is in no layer: name its layer here, with what it may import", from)
			continue
		}
		used[layer] = true
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, "emolab/")
			if !ours || within(to, layer) {
				continue
			}
			if !slices.ContainsFunc(layers[layer], func(f string) bool { return within(to, f) }) {
				t.Errorf("%s imports %s: %s may import only %v", from, to, layer, layers[layer])
			}
		}
	}
	for layer := range layers {
		if !used[layer] {
			t.Errorf("layer %s has no package any more: delete it here", layer)
		}
	}
}

func TestLibrariesHaveOneImporter(t *testing.T) {
	used := map[string]bool{}
	for _, p := range list(t) {
		from := strings.TrimPrefix(p.ImportPath, "emolab/")
		for _, imp := range p.Imports {
			first, _, _ := strings.Cut(imp, "/")
			if within(imp, "emolab") || !strings.Contains(first, ".") {
				continue // ours, or the standard library
			}
			lib := ""
			for l := range importers {
				if within(imp, l) {
					lib = l
				}
			}
			if lib == "" {
				t.Errorf("%s imports %s, which is not on the list", from, imp)
				continue
			}
			used[lib] = true
			rule := importers[lib]
			if !slices.ContainsFunc(rule.packages, func(f string) bool { return within(from, f) }) {
				t.Errorf("%s imports %s: only %v may", from, imp, rule.packages)
			}
		}
	}
	for lib, rule := range importers {
		if !used[lib] {
			t.Errorf("nobody imports %s any more: delete it here and from go.mod", lib)
		}
		if len(rule.packages) > 1 && rule.reason == "" {
			t.Errorf("%s has several importers: say why", lib)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range list(t) {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = ""
			if p.Doc == "" {
				t.Errorf("%s has no package comment", p.ImportPath)
			}
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: package comment is %q, want it to begin with %q", p.ImportPath, p.Doc, want)
		}
	}
}
