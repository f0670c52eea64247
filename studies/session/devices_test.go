package session

import (
	"context"
	"slices"
	"strings"
	"testing"

	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// fixed is a source of the given streams that says one thing and is silent then.
type fixed struct {
	infos []stream.Info
	first []stream.Chunk
}

func (f *fixed) Info() []stream.Info { return f.infos }

func (f *fixed) Run(ctx context.Context, out chan<- stream.Chunk) error {
	for _, c := range f.first {
		stream.Send(ctx, out, c)
	}
	<-ctx.Done()
	return nil
}

func TestTwoDevicesWithOneID(t *testing.T) {
	box := stream.Info{ID: "eda", Kind: stream.EDA, Device: "Emolab box", Serial: "A17", Clock: stream.HostClock, TickHz: 1e9}
	band := stream.Info{ID: "eda", Kind: stream.EDA, Device: "wrist band", Port: "/dev/ttyUSB3", Clock: stream.HostClock, TickHz: 1e9}
	clock := new(instant.Hand)
	_, err := NewLab(clock, &fixed{infos: []stream.Info{box}}, &fixed{infos: []stream.Info{band}})
	if err == nil {
		t.Fatal("two devices with one id were taken")
	}
	for _, word := range []string{`"eda"`, "Emolab box", "A17", "wrist band", "/dev/ttyUSB3", "lab.yaml"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not name %s: %v", word, err)
		}
	}
	band.ID = "trace"
	if _, err := NewLab(clock, &fixed{infos: []stream.Info{band}}); err == nil || !strings.Contains(err.Error(), "wrist band") {
		t.Errorf("a device called trace gave %v", err)
	}
	band.ID = "left"
	lab, err := NewLab(clock, &fixed{infos: []stream.Info{box}}, &fixed{infos: []stream.Info{band}})
	if err != nil {
		t.Fatal(err)
	}
	if got := lab.Streams(); len(got) != 3 || got[0].ID != "eda" || got[1].ID != "left" {
		t.Errorf("the lab's streams are %+v, want them in the order of the devices", got)
	}
}

// What is not there when a session begins is in its record from the first row on.
func TestASessionKnowsWhatIsNotThere(t *testing.T) {
	codes := stream.Info{ID: "codes", Kind: stream.Trigger, Device: "cable", Clock: stream.HostClock, TickHz: 1e9, Channels: []stream.Channel{{Name: "code"}, {Name: "lag_ms"}}}
	light := codes
	light.ID, light.Kind, light.Channels = "light", stream.Light, []stream.Channel{{Name: "light_raw"}}
	now := instant.Monotonic{}.Now()
	f := &fixed{infos: []stream.Info{codes, light}, first: []stream.Chunk{
		{Stream: "codes", Events: []stream.Event{{Kind: stream.Disconnected, At: now, Detail: "no such port"}}},
		{Stream: "light", Events: []stream.Event{{Kind: stream.Connected, At: now}}},
	}}
	var heard *bus.Subscription
	b := newBench(t, func(o *Options) {
		lab, err := NewLab(o.Clock, f)
		if err != nil {
			t.Fatal(err)
		}
		o.Lab, heard = lab, lab.Bus().Lossless("test", 16)
		ctx, stop := context.WithCancel(context.Background())
		ran := make(chan error, 1)
		go func() { ran <- lab.Run(ctx) }()
		t.Cleanup(func() {
			stop()
			if err := <-ran; err != nil {
				t.Errorf("lab: %v", err)
			}
		})
	})
	for range f.first {
		<-heard.C()
	}
	heard.Close()
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Stop(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	absent := slices.DeleteFunc(slices.Clone(b.archive.find(id).events), func(e string) bool { return !strings.Contains(e, "disconnected") })
	if len(absent) != 1 || absent[0] != "codes disconnected not there when the segment began: no such port" {
		t.Errorf("recorded %q, want that the codes' device was not there", absent)
	}
	for _, h := range b.Status().Streams {
		if h.Rate != 0 {
			t.Errorf("%s has a rate of %v", h.Info.ID, h.Rate)
		}
	}
	for _, a := range b.Status().Alarms {
		if strings.HasPrefix(a.ID, "light") {
			t.Errorf("alarm %+v of a stream that is quiet by nature", a)
		}
	}
}

// What a device says of itself as it connects, such as its battery, stays until it connects
// again; what the program says of it meanwhile is a remark.
func TestWhatADeviceSaysOfItself(t *testing.T) {
	t.Parallel()
	m := newMeter(stream.Info{ID: "eda", Kind: stream.EDA, Device: "band"})
	for _, c := range []struct {
		kind   stream.EventKind
		detail string
		want   string
	}{
		{stream.Connected, "band, battery 3.90 V", "band, battery 3.90 V"},
		{stream.Lost, "three samples", "band, battery 3.90 V"},
		{stream.Disconnected, "the computer slept", "band, battery 3.90 V"},
		{stream.Connected, awake, "band, battery 3.90 V"},
		{stream.Connected, "band, battery 3.10 V", "band, battery 3.10 V"},
		{stream.Connected, "band", ""}, // the name is told beside it
		{stream.Connected, "", ""},
	} {
		m.add(stream.Chunk{Events: []stream.Event{{Kind: c.kind, At: 1, Detail: c.detail}}})
		if got := m.read(2).About; got != c.want {
			t.Errorf("after %s %q it is said %q", c.kind, c.detail, got)
		}
	}
}
