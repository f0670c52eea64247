//go:build nocv

package vp8

import "errors"

// ErrNoCodec is the answer of a build without libvpx.
var ErrNoCodec = errors.New("vp8: this emolab was built without the video codec libvpx (tag nocv): install libvpx-dev and build without the tag")

// Encoder cannot be made in this build.
type Encoder struct{}

// NewEncoder returns ErrNoCodec.
func NewEncoder(width, height int) (*Encoder, error) { return nil, ErrNoCodec }

// Encode returns ErrNoCodec.
func (*Encoder) Encode(bgr []byte, at int64, key bool) ([]byte, error) { return nil, ErrNoCodec }

// Close does nothing.
func (*Encoder) Close() {}

// Decoder cannot be made in this build.
type Decoder struct{}

// NewDecoder returns ErrNoCodec.
func NewDecoder() (*Decoder, error) { return nil, ErrNoCodec }

// Decode returns ErrNoCodec.
func (*Decoder) Decode(encoded []byte) (Picture, bool, error) { return Picture{}, false, ErrNoCodec }

// Close does nothing.
func (*Decoder) Close() {}
