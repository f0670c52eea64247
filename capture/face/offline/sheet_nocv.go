//go:build nocv

package offline

import "emolab/capture/face"

// WriteSheet returns face.ErrNoOpenCV.
func WriteSheet(string, *Result) error { return face.ErrNoOpenCV }
