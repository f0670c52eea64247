package rawbyte_test

import (
	"testing"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/serialtest"
	"emolab/sensors/trigger"
	"emolab/sensors/trigger/rawbyte"
)

func options(port string) rawbyte.Options {
	return rawbyte.Options{Place: device.Place{ID: "trigger", Port: port, Clock: instant.Monotonic{}}, Settings: trigger.Settings{PulseMs: 5}}
}

// The bytes of a recording, from the open port to its end.
func TestTranscript(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	o := options(far.Path())
	exit := 255
	o.Exit = &exit
	e := rawbyte.New(o)
	got := serialtest.Record(t, e)
	far.Take([]byte{0})
	asked := 0
	serialtest.Eventually(t, "a code is written", func() bool {
		if len(got.Samples()) == 0 && int(got.Total(stream.Lost)) == asked {
			e.Fire(17, trigger.NoOnset)
			asked++
		}
		return len(got.Samples()) > 0
	})
	far.Take([]byte{17, 0})
	far.Send([]byte("whatever it says"))
	got.Stop()
	far.Take([]byte{255})
}

func TestRefusesBadOptions(t *testing.T) {
	bad := options("x")
	exit := 256
	bad.Exit = &exit
	for _, o := range []rawbyte.Options{{}, bad} {
		if _, err := o.Open(); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	good := options("x")
	if _, err := good.Open(); err != nil {
		t.Error(err)
	}
}
