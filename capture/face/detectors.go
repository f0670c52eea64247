//go:build !nocv

package face

import (
	"fmt"
	"strings"

	"emolab/capture/face/modelpack"
)

// newDetector returns the detector that o asks for and its name. nets are those
// of the pack; an optional model is read from o.Optional and checked before
// OpenCV sees it.
func newDetector(o Options, nets map[string][]byte) (detector, string, error) {
	switch o.Detector {
	case "", DetectorTiny:
		size, threshold, err := o.orDefault(DefaultDetectorSize, DefaultThreshold)
		if err != nil {
			return nil, "", err
		}
		d, err := newTiny(nets[modelpack.Detector], size, threshold)
		if err != nil {
			return nil, "", err
		}
		return d, modelpack.Detector, nil
	case DetectorYuNet:
		model, err := modelpack.Find(modelpack.YuNet)
		if err != nil {
			return nil, "", err
		}
		onnx, err := model.Read(o.Optional)
		if err != nil {
			return nil, "", err
		}
		size, threshold, err := o.orDefault(DefaultYuNetSize, DefaultYuNetThreshold)
		if err != nil {
			return nil, "", err
		}
		d, err := newYuNet(onnx, size, threshold)
		if err != nil {
			return nil, "", err
		}
		return d, strings.TrimSuffix(model.File, ".onnx"), nil
	}
	return nil, "", fmt.Errorf("there is no detector %q: use %s", o.Detector, strings.Join(Detectors(), " or "))
}

// The sides of a detector's input that are accepted, px. Both nets halve the
// picture five times.
const minDetectorSize, maxDetectorSize, detectorStep = 96, 1024, 32

// orDefault returns the detector's size and threshold of o, or the given ones
// where o leaves them open.
func (o Options) orDefault(size int, threshold float64) (int, float64, error) {
	if o.DetectorSize != 0 {
		size = o.DetectorSize
	}
	if o.Threshold != 0 {
		threshold = o.Threshold
	}
	if size < minDetectorSize || size > maxDetectorSize || size%detectorStep != 0 {
		return 0, 0, fmt.Errorf("detector size %d: must be a multiple of %d from %d to %d", size, detectorStep, minDetectorSize, maxDetectorSize)
	}
	if !(threshold > 0 && threshold < 1) {
		return 0, 0, fmt.Errorf("detector threshold %g: must lie between 0 and 1", threshold)
	}
	return size, threshold, nil
}
