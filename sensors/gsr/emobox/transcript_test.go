package emobox_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"emolab/fusion/stream"
	"emolab/sensors/gsr/emobox"
	"emolab/sensors/serialtest"
)

// TestTranscript is a whole conversation, byte by byte, as firmware 2.0.0 leads it.
func TestTranscript(t *testing.T) {
	t.Parallel()
	bytes := func(s string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(everything(far.Path())))
	for _, step := range []struct{ what, host, box string }{
		{"stop, identify: hello", "00 04 83 1B 40 00 04 81 59 60 00",
			"03 01 02 07 65 6D 6F 62 6F 78 01 02 02 01 02 05 01 01 04 40 42 0F 02 64 02 03 03 C5 A1 00"},
		{"ping 0: pong", "02 85 01 01 01 01 01 01 01 01 01 03 AB D4 00", "02 03 01 04 A0 86 01 04 CC 87 01 03 0D 14 00"},
		{"ping 1: pong", "03 85 01 01 01 01 01 01 01 01 01 03 EE BB 00", "03 03 01 04 A8 D8 01 04 D4 D9 01 03 26 66 00"},
		{"rate 100, light at 20000, trigger, start, identify: hello with all on",
			"03 84 64 03 E8 EC 00 07 86 01 20 4E BD E6 00 05 87 01 21 8F 00 04 82 3A 50 00 04 81 59 60 00",
			"03 01 02 07 65 6D 6F 62 6F 78 01 02 02 01 02 05 01 01 04 40 42 0F 02 64 05 03 03 A6 91 00"},
		{"light from 301000", "", "02 05 01 04 C8 97 04 1B A0 0F A0 0F A0 0F A0 0F A0 0F A0 0F A0 0F A0 0F A0 0F A0 0F A0 0F 40 9C 3C 66 00"},
		{"sample 0 at 310000", "", "02 02 01 04 F0 BA 04 05 66 26 E0 08 00"},
		{"trigger to 1 at 312345", "", "02 06 01 04 19 C4 04 04 01 67 A8 00"},
		{"status", "", "04 04 F5 01 01 01 01 02 01 01 01 01 01 01 01 03 FC 76 00"},
		{"sample 1 at 320000", "", "03 02 01 01 03 E2 04 05 66 26 90 C9 00"},
	} {
		if step.host != "" {
			far.Take(bytes(step.host))
		}
		far.Send(bytes(step.box))
	}
	got.AwaitSamples(2 + 12 + 1)
	got.Stop()
	far.Take(bytes("04 83 1B 40 00")) // stop

	if e := got.Events(stream.Connected); len(e) != 3 || e[0].Detail != "emobox, firmware 2.0.0, serial number 5" {
		t.Errorf("connected: %+v", e)
	}
	eda, light, trigger := of(got, "eda"), of(got, "eda_light"), of(got, "eda_trigger")
	if eda[0].Tick != 310_000 || eda[1].Tick != 320_000 || eda[1].Values[0] != 9830 {
		t.Errorf("samples %+v", eda)
	}
	if light[0].Tick != 301_000 || light[11].Tick != 312_000 || light[0].Values[0] != 4000 || light[11].Values[0] != 40_000 {
		t.Errorf("light %+v", light)
	}
	if trigger[0].Tick != 312_345 || trigger[0].Values[0] != 1 {
		t.Errorf("trigger %+v", trigger)
	}
	probes := 0
	for _, c := range got.Chunks() {
		if c.Stream == "eda_light" {
			probes += len(c.Probes)
		}
	}
	if probes != 2 {
		t.Errorf("%d clock probes reached the light's stream, want 2", probes)
	}
}
