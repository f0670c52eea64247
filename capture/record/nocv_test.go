//go:build nocv

package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWithoutOpenCV(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "video")
	if err := NewTap(30).Begin(dir, 0, 0); err == nil || !strings.Contains(err.Error(), "built without OpenCV") {
		t.Errorf("Begin returns %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("it left a folder")
	}
}
