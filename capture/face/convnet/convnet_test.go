//go:build !nocv

package convnet_test

import (
	"testing"

	"emolab/capture/face"
	"emolab/capture/face/convnet"
	"emolab/capture/face/modelpack"
)

func BenchmarkRun(b *testing.B) {
	_, nets, err := modelpack.Load(face.EmbeddedModels())
	if err != nil {
		b.Skip(err)
	}
	for _, tc := range []struct {
		name string
		size int
	}{{modelpack.Landmarks, 112}, {modelpack.Expression, 112}, {modelpack.Detector, 96}, {modelpack.Detector, 224}, {modelpack.Detector, 320}} {
		b.Run(tc.name, func(b *testing.B) {
			n, err := convnet.New(nets[tc.name], tc.size, convnet.Scaling{Mean: [3]float32{120, 117, 104}, Scale: 1. / 255})
			if err != nil {
				b.Fatal(err)
			}
			pixels := make([]byte, 3*tc.size*tc.size)
			for i := range pixels {
				pixels[i] = byte(i * 7919)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := n.Run(pixels); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
