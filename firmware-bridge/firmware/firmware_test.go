package firmware

import (
	"context"
	"errors"
	"testing"
)

func build(t *testing.T, o Options) Image {
	t.Helper()
	image, err := Build(context.Background(), o)
	if errors.Is(err, ErrNoCompiler) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestBuild(t *testing.T) {
	image := build(t, Options{Dir: t.TempDir(), Serial: 7})
	t.Logf("%s: %s", image.Compiler, image.Use())
}
