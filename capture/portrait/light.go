package portrait

import "math"

// backExposure is the darkest exposure, that of what stands before a window in full light.
const backExposure = .30

// exposure is how bright the camera shows what is lit from the front, 1 as
// usual: its automatic exposure follows the window behind.
func (s state) exposure() float64 { return 1 - (1-backExposure)*float64(s.back)/backSteps }

// dimmed multiplies the colours of a texture, not its opacity, by k, and returns
// it.
func (t texture) dimmed(k float64) texture {
	if k == 1 {
		return t
	}
	var table [256]texel
	for i := range table {
		table[i] = texel(math.Round(k * float64(i)))
	}
	for i, c := range t {
		t[i] = c&(0xffff<<48) | table[c>>32&0xff]<<32 | table[c>>16&0xff]<<16 | table[c&0xff]
	}
	return t
}

// backdrop returns what is behind the participant with the given light of the
// window, in steps. It must not be written to.
func (s *scene) backdrop(back int) []byte {
	if back == 0 {
		return s.wall
	}
	if s.window == nil {
		s.window = s.outOfFocus(window)
	}
	if s.behind == nil || back != s.behindBack {
		s.behind, s.behindBack = make([]byte, len(s.wall)), back
		for i, w := range s.wall {
			s.behind[i] = byte((int(w)*(backSteps-back) + int(s.window[i])*back) / backSteps)
		}
	}
	return s.behind
}

// window is a bright window, its bars and the wall around it, which the camera's
// exposure makes dark.
func window(fx, fy float64) colour {
	wall := colour{176, 182, 186}.times(float32(.42 - .1*fy))
	if fx < .10 || fx > .90 || fy > .74 {
		return wall
	}
	bar := math.Abs(fx-.37) < .012 || math.Abs(fx-.63) < .012 || math.Abs(fy-.10) < .014
	if bar {
		return wall.times(1.3)
	}
	return colour{252, 253, 255}
}

// brighten multiplies a picture by the light, of which 0 counts as 1.
func brighten(pix []byte, light float64) {
	if light == 0 || light == 1 {
		return
	}
	var table [256]byte
	for i := range table {
		table[i] = byte(clip(math.Round(light*float64(i)), 0, 255))
	}
	for i, v := range pix {
		pix[i] = table[v]
	}
}
