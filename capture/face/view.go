//go:build !nocv

package face

import "gocv.io/x/gocv"

// view measures how well the camera sees the face. It is not safe for
// concurrent use.
type view struct{}

// measure fills in r.View from the picture and what was found in it.
func (v *view) measure(picture gocv.Mat, r *Result) {}
