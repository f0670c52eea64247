package modelpack

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
)

func TestCatalogueIsPinned(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range Catalogue() {
		if seen[o.Name] || seen[o.File] {
			t.Errorf("%s stands in the catalogue twice", o.Name)
		}
		seen[o.Name], seen[o.File] = true, true
		if len(o.SHA256) != 64 || o.Bytes <= 0 || o.Licence == "" || o.Job == "" || o.Title == "" {
			t.Errorf("%s is not described: %+v", o.Name, o)
		}
		if len(o.Addresses) == 0 {
			t.Errorf("%s can be had nowhere", o.Name)
		}
		for _, a := range o.Addresses {
			if u, err := url.Parse(a); err != nil || u.Scheme != "https" || !strings.HasSuffix(u.Path, "/"+o.File) {
				t.Errorf("%s: %q is no https address of %s", o.Name, a, o.File)
			}
		}
		if found, err := Find(o.Name); err != nil || found.SHA256 != o.SHA256 {
			t.Errorf("Find(%q): %v, %v", o.Name, found, err)
		}
	}
	if _, err := Find("nothing"); err == nil || !strings.Contains(err.Error(), YuNet) {
		t.Errorf("an unknown name: %v, want the names there are", err)
	}
}

func TestReadChecks(t *testing.T) {
	good := []byte("a model of some kind")
	o := Optional{Name: "some", Title: "Some 1", File: "some.onnx", SHA256: sum(good), Bytes: len(good)}
	data, err := o.Read(fstest.MapFS{o.File: {Data: good}})
	if err != nil || !bytes.Equal(data, good) {
		t.Fatalf("%q, %v", data, err)
	}
	bad := bytes.Clone(good)
	bad[3] ^= 4
	if _, err := o.Read(fstest.MapFS{o.File: {Data: bad}}); err == nil || !strings.Contains(err.Error(), "some.onnx") || !strings.Contains(err.Error(), "models install some") {
		t.Errorf("a flipped bit: %v, want the file and what to do", err)
	}
	if _, err := o.Read(fstest.MapFS{}); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := o.Read(nil); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("no folder: %v", err)
	}
}

func TestYuNetRowsLeavesTheModelAlone(t *testing.T) {
	model := make([]byte, 100, 1000)
	joined := YuNetRows(model)
	if !bytes.Equal(joined[:100], model) || len(joined) <= 100 {
		t.Error("the model's own bytes are not the beginning")
	}
	if tail := model[:1000][100:]; !bytes.Equal(tail, make([]byte, 900)) {
		t.Error("the caller's array was written to")
	}
	for _, name := range []string{"cls_8", "obj_16", "bbox_32", "rows"} {
		if !bytes.Contains(joined[100:], []byte(name)) {
			t.Errorf("%s is not joined", name)
		}
	}
}
