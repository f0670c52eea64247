//go:build !nocv

package portrait_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"emolab/capture/frame"
	"emolab/capture/portrait"
	"emolab/fusion/landmark"
)

// aspect is the eye aspect ratio of Soukupova and Cech 2016, the mean of both
// eyes: mean height over width.
func aspect(f *landmark.Face) float64 {
	one := func(first int) float64 {
		high := landmark.Distance(f[first+1], f[first+5]) + landmark.Distance(f[first+2], f[first+4])
		return high / (2 * landmark.Distance(f[first], f[first+3]))
	}
	return (one(landmark.EyeRightFirst) + one(landmark.EyeLeftFirst)) / 2
}

// The lids that the drawing closes are seen to close: the landmark net moves far
// less than the drawing, but far more than its own noise.
func TestNetsSeeTheLids(t *testing.T) {
	a := analyzer(t)
	paint := portrait.NewPainter(640, 480, 1)
	r := rand.New(rand.NewPCG(1, 2))
	within := func(limit float64) float64 { return limit * (2*r.Float64() - 1) }
	for _, expression := range []string{"neutral", "happy", "angry"} {
		// measure returns mean and standard deviation of the eye aspect ratio.
		measure := func(closure float64) (mean, sd float64) {
			const pictures = 12
			var sum, squares, n float64
			for range pictures {
				pix := paint.Paint(portrait.Look{
					Expression: expression, Intensity: 1, Closure: closure, GazeX: within(.4), GazeY: within(.6),
					Yaw: within(2), Pitch: within(1.2), Roll: within(1.5), ShiftX: within(4), ShiftY: within(2.5), Scale: 1 + within(.01),
				})
				got, err := a.Analyze(frame.Frame{Width: 640, Height: 480, Pix: pix})
				if err != nil {
					t.Fatal(err)
				}
				if got.Found {
					v := aspect(&got.Landmarks)
					sum, squares, n = sum+v, squares+v*v, n+1
				}
			}
			if n < pictures/2 {
				t.Fatalf("%s: a face was found in %v of %d pictures", expression, n, pictures)
			}
			return sum / n, math.Sqrt(max(0, squares/n-sum/n*sum/n))
		}
		open, noise := measure(0)
		shut, _ := measure(1)
		t.Logf("%-9s open %.3f (noise %.4f), shut %.3f: %.1f %% less, %.1f times the noise", expression, open, noise, shut, 100*(1-shut/open), (open-shut)/noise)
		if shut > .95*open || open-shut < 3*noise {
			t.Errorf("%s: the aspect ratio of the eyes is %.3f open (noise %.4f) and %.3f shut", expression, open, noise, shut)
		}
	}
}
