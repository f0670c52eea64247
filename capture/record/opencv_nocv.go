//go:build nocv

package record

import "errors"

var (
	errNoOpenCV   = errors.New("record: this program was built without OpenCV, and can neither write nor read video")
	errUnreadable = errors.New("no video can be read from it")
)

func canEncode() error { return errNoOpenCV }

func newEncoder(string, float64, int, int) (encoder, error) { return nil, errNoOpenCV }

func newDecoder(string) (decoder, error) { return nil, errNoOpenCV }
