package eyemovement

import (
	"fmt"
	"time"
)

// Details are what Classify went by, with every default filled in: what a
// methods section has to say.
type Details struct {
	RateHz    float64 // that the recording was sorted at
	NoiseDegS float64 // that was measured in it: the median speed against the slow movement; NaN if there was nothing to measure
	// ModelRateHz and ModelNoiseDegS are those of the recordings that the model was
	// fitted to.
	ModelRateHz, ModelNoiseDegS float64
	Still                       bool
	Slow                        SlowOptions
	Blink                       BlinkOptions
}

// String says it in sentences for a methods section.
func (d Details) String() string {
	ms := func(t time.Duration) string { return fmt.Sprintf("%g ms", t.Seconds()*1e3) }
	text := fmt.Sprintf("At %.4g Hz, runs of missing samples of %s to %s (losses at most %s apart together, where half of the samples are missing) are blinks, with %s before and %s after or, as long as samples are faster than %g deg/s, up to %s and %s; shorter runs were bridged. Longer ones have no class, nor have stretches that lose %g %% of their samples. Places more than %g screens off the screen are missing. ",
		d.RateHz, ms(d.Blink.Min), ms(d.Blink.Max), ms(d.Blink.Join), ms(lidBefore), ms(lidAfter), d.Blink.LidDegS, ms(d.Blink.Before), ms(d.Blink.After), 100*poorShare, offScreen)
	text += fmt.Sprintf("Saccades and oscillations were found by a linear-chain conditional random field (Lafferty et al., 2001), fitted to the recordings and labels of Andersson et al. (2017), over speeds (least squares over %s and %s, against their running median over %s), acceleration, growth, the highest speed within %s before and after, and the noise of the recording (%.3g deg/s), with the weights for %.4g Hz and %.3g deg/s; oscillations of more than %s are none. ",
		ms(shortWindow), ms(broadWindow), ms(slowWindow), ms(reachWindow), d.NoiseDegS, d.ModelRateHz, d.ModelNoiseDegS, ms(longestPSO))
	if d.Still {
		return text + "The rest are fixations."
	}
	return text + fmt.Sprintf("The rest is pursuit where it moves at more than %g deg/s (least squares over %s) for %s or longer, else fixation.",
		d.Slow.ThresholdDegS, ms(d.Slow.Window), ms(d.Slow.Min))
}
