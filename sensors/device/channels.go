package device

import "emolab/fusion/stream"

// What follows are the channels of each kind of device, in the order of their
// tables. Those marked optional may be left out by a driver whose device never
// has them; no driver adds others.

// EDAChannels are the channels of skin conductance; eda_range and eda_hold are
// optional.
func EDAChannels(rawNote string) []stream.Channel {
	return []stream.Channel{
		{Name: "raw", Unit: "1", Note: rawNote},
		{Name: "eda_us", Unit: "µS", Note: "Skin conductance; empty when the electrodes are open, the amplifier is saturated, or the device repeats an older value."},
		{Name: "eda_range", Unit: "1", Note: "Number of the amplifier's range that the reading was taken in."},
		{Name: "eda_hold", Unit: "1", Note: "1 while the device repeats its last reading instead of measuring, as at a change of range; otherwise 0."},
	}
}

// GazeChannels are the channels of an eye tracker; the last four are optional.
// unit is what the device reports positions in ("px"), pupilUnit what it reports
// pupils in where that is not millimetres.
func GazeChannels(unit, pupilUnit string) []stream.Channel {
	return []stream.Channel{
		{Name: "gaze_x", Unit: "1", Note: "Point of gaze, 0 to 1 of the screen's width from the left; may lie outside; empty when not valid."},
		{Name: "gaze_y", Unit: "1", Note: "Point of gaze, 0 to 1 of the screen's height from the top; may lie outside; empty when not valid."},
		{Name: "gaze_valid", Unit: "1", Note: "1 where the tracker states a valid point of gaze, otherwise 0."},
		{Name: "pupil_left_mm", Unit: "mm", Note: "Diameter of the left pupil; empty when not valid, or not known in millimetres."},
		{Name: "pupil_right_mm", Unit: "mm", Note: "Diameter of the right pupil; empty when not valid, or not known in millimetres."},
		{Name: "raw_x", Unit: unit, Note: "Horizontal point of gaze as the tracker said it, in its own unit."},
		{Name: "raw_y", Unit: unit, Note: "Vertical point of gaze as the tracker said it, in its own unit."},
		{Name: "pupil_left_raw", Unit: pupilUnit, Note: "Diameter of the left pupil (of the only one, for trackers of one eye) in the tracker's own unit."},
		{Name: "pupil_right_raw", Unit: pupilUnit, Note: "Diameter of the right pupil in the tracker's own unit."},
	}
}

// LightChannels are the channels of a photodiode.
func LightChannels() []stream.Channel {
	return []stream.Channel{
		{Name: "light_raw", Unit: "1", Note: "Reading of the photodiode's converter; 0 is dark, 65535 the supply voltage."},
	}
}

// TriggerChannels are the channels of trigger codes, written or seen.
func TriggerChannels() []stream.Channel {
	return []stream.Channel{
		{Name: "code", Unit: "1", Note: "The code, or the level of the line after an edge (1 or 0)."},
		{Name: "lag_ms", Unit: "ms", Note: "For a code that Emolab wrote: how long after the displayed onset that it marks; otherwise empty."},
	}
}
