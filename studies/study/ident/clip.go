package ident

import (
	"cmp"
	"path"
	"path/filepath"
	"strings"
)

// ending is that of all videos of a study.
const ending = ".mp4"

// Clip makes of a video's file name an id as a study file has it.
func Clip(file string) string {
	name := path.Base(filepath.ToSlash(file))
	return cmp.Or(Of(strings.TrimSuffix(name, path.Ext(name))), "clip")
}

// Twin is the name of the file that stands beside a video when it was converted there,
// and by which it could be called where its own name is no id.
func Twin(file string) string {
	name := path.Base(filepath.ToSlash(file))
	if twin := Clip(file) + ending; twin != name {
		return twin
	}
	return Clip(file) + "-converted" + ending
}
