package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"emolab/capture/face"
	"emolab/capture/face/modelpack"
)

// ownModels gives the test an empty folder of models and returns its name.
func ownModels(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	t.Setenv("XDG_DATA_HOME", data)
	return filepath.Join(data, "emolab", "models")
}

// needsPack skips where the binary embeds no nets.
func needsPack(t *testing.T) {
	t.Helper()
	if _, err := modelpack.Verify(face.EmbeddedModels()); err != nil {
		t.Skipf("run `make models`: %v", err)
	}
}

func TestModelsInstallListVerify(t *testing.T) {
	needsPack(t)
	file, dir := sharedFile(t, "../models/face_detection_yunet_2023mar.onnx"), ownModels(t)
	state := func() modelState {
		t.Helper()
		code, out, errOut := emolab(t, "models", "list", "--json")
		var all []modelState
		if err := json.Unmarshal([]byte(out), &all); code != exitFine || err != nil {
			t.Fatalf("models list: exit %d, %v: %s", code, err, errOut)
		}
		if len(all) != len(modelpack.Catalogue())+3 {
			t.Errorf("%d models are listed", len(all))
		}
		for _, m := range all {
			if m.Name == modelpack.YuNet {
				return m
			}
		}
		t.Fatalf("yunet is not listed: %s", out)
		return modelState{}
	}
	if m := state(); m.State != stateAbsent || m.Licence != "MIT" || !strings.HasPrefix(m.From, "https://") || len(m.SHA256) != 64 {
		t.Errorf("before: %+v", m)
	}
	if code, out, _ := emolab(t, "models", "install", "yunet", "--from", file); code != exitFine || !strings.Contains(out, dir) {
		t.Fatalf("install: exit %d, %s", code, out)
	}
	if m := state(); m.State != stateInstalled || m.Path != filepath.Join(dir, filepath.Base(file)) {
		t.Errorf("after: %+v", m)
	}
	if code, out, errOut := emolab(t, "models", "verify"); code != exitFine || strings.Count(out, " ok ") != 4 {
		t.Errorf("verify: exit %d, %s%s", code, out, errOut)
	}
	if code, out, _ := emolab(t, "models", "list"); code != exitFine || !strings.Contains(out, "yunet") || !strings.Contains(out, "embedded") {
		t.Errorf("list: exit %d, %s", code, out)
	}

	path := filepath.Join(dir, filepath.Base(file))
	onnx, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	onnx[1000] ^= 1
	if err := os.WriteFile(path, onnx, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := emolab(t, "models", "verify")
	if code != exitFailed || !strings.Contains(out, "BAD") || !strings.Contains(errOut, path) || !strings.Contains(errOut, "emolab models install yunet") {
		t.Errorf("verify of a flipped bit: exit %d, %s%s", code, out, errOut)
	}
	if m := state(); m.State != stateDamaged {
		t.Errorf("damaged: %+v", m)
	}
	if code, _, _ := emolab(t, "models", "install", "yunet", "--from", path); code != exitFailed {
		t.Errorf("a damaged file was installed: exit %d", code)
	}
}

func TestModelsInstallUsage(t *testing.T) {
	ownModels(t)
	for _, args := range [][]string{{"models", "install"}, {"models", "install", "resnet", "--from", "x"}} {
		if code, _, errOut := emolab(t, args...); code != exitUsage || !strings.Contains(errOut, "yunet") && !strings.Contains(errOut, "models list") {
			t.Errorf("%v: exit %d, %s", args, code, errOut)
		}
	}
	if code, _, errOut := emolab(t, "models", "install", "yunet", "--from", filepath.Join(t.TempDir(), "gone.onnx")); code != exitFailed || !strings.Contains(errOut, "gone.onnx") {
		t.Errorf("a file that is not there: exit %d, %s", code, errOut)
	}
}

func TestModelsEval(t *testing.T) {
	needModels(t)
	ownModels(t)
	dir := t.TempDir()
	folder := filepath.Join(dir, "set", "happy")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	var empty bytes.Buffer // an empty room
	if err := png.Encode(&empty, image.NewGray(image.Rect(0, 0, 320, 240))); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"room.png": empty.Bytes(), "broken.png": empty.Bytes()[:30]} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	table := filepath.Join(dir, "confusion.svg")
	code, out, errOut := emolab(t, "models", "eval", filepath.Join(dir, "set"), "--json", "--picture", table)
	if code != exitFine {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	var report struct {
		Pictures int
		Broken   []struct{ File string }
		Classes  []struct {
			NoFace int `json:"no_face"`
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if report.Pictures != 2 || len(report.Broken) != 1 || !strings.HasSuffix(report.Broken[0].File, "broken.png") || report.Classes[1].NoFace != 1 {
		t.Errorf("%+v", report)
	}
	if svg, err := os.ReadFile(table); err != nil || !bytes.HasPrefix(svg, []byte("<svg")) {
		t.Errorf("the picture: %v, %.40s", err, svg)
	}

	if err := os.Remove(filepath.Join(folder, "room.png")); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := emolab(t, "models", "eval", filepath.Join(dir, "set")); code != exitFailed || !strings.Contains(errOut, "can be read") {
		t.Errorf("only broken pictures: exit %d, %s", code, errOut)
	}
	for _, tc := range []struct {
		code int
		args []string
		says string
	}{
		{exitFailed, []string{"models", "eval", filepath.Join(dir, "gone")}, "gone"},
		{exitFailed, []string{"models", "eval", folder}, "no labelled pictures"},
		{exitUsage, []string{"models", "eval", dir, "--picture", "x.png"}, "SVG"},
		{exitUsage, []string{"models", "eval", dir, "--detector", "haar"}, "haar"},
		{exitFailed, []string{"models", "eval", filepath.Join(dir, "set"), "--detector", "yunet"}, "emolab models install yunet"},
	} {
		if code, _, errOut := emolab(t, tc.args...); code != tc.code || !strings.Contains(errOut, tc.says) {
			t.Errorf("%v: exit %d, want %d; %s", tc.args, code, tc.code, errOut)
		}
	}
}
