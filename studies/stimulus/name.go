package stimulus

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// endings are those of files that are taken for videos when a folder is looked through.
var endings = []string{
	".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".asf",
	".flv", ".ogv", ".3gp", ".3g2", ".mxf", ".gif", ".dv",
}

// IsVideo tells whether a file's name ends like that of a video.
func IsVideo(file string) bool {
	return slices.Contains(endings, strings.ToLower(filepath.Ext(file)))
}

// Videos lists the videos of a folder by name, those of its own folders not among them.
// Hidden files are passed over.
func Videos(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !e.IsDir() && IsVideo(e.Name()) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out, nil
}
