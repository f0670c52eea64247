package peer

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"emolab/fusion/instant"
)

// sent are the packets of some frames of three packets each; the frames in keys can be
// decoded by themselves.
func sent(frames int, keys ...int) []packet {
	packets := rtp.NewPacketizer(112, payloadType, 1, &codecs.VP8Payloader{EnablePictureID: true}, rtp.NewFixedSequencer(1<<16-5), 90000)
	var all []packet
	for n := range frames {
		data := make([]byte, 250)
		data[0], data[1] = 1, byte(n)
		if slices.Contains(keys, n) {
			data[0] = 0
		}
		for _, p := range packets.Packetize(data, 3000) {
			all = append(all, packet{*p, instant.Instant(len(all)) * instant.Instant(10*time.Millisecond)})
		}
	}
	return all
}

// got is what an assembler makes of packets: the frames' second bytes, and their numbers.
func got(t *testing.T, packets []packet) (frames []int, numbers []int64) {
	t.Helper()
	a := newAssembler()
	for _, p := range packets {
		for _, f := range a.push(p) {
			if len(f.data) != 250 {
				t.Errorf("frame %d has %d bytes, want 250", f.data[1], len(f.data))
			}
			frames, numbers = append(frames, int(f.data[1])), append(numbers, f.number)
		}
	}
	return frames, numbers
}

func TestFramesAreWholeAndInOrder(t *testing.T) {
	packets := sent(8, 0)
	want := []int{0, 1, 2, 3, 4, 5, 6, 7}
	if frames, _ := got(t, packets); !slices.Equal(frames, want) {
		t.Errorf("in order: %v", frames)
	}
	mixed := slices.Clone(packets)
	mixed[3], mixed[8] = mixed[8], mixed[3]
	mixed = slices.Insert(mixed, 6, packets[2], packets[5]) // twice, or late
	if frames, _ := got(t, mixed); !slices.Equal(frames, want) {
		t.Errorf("out of order: %v", frames)
	}
}

// Of a frame that is not whole nothing is used, nor of what builds on it.
func TestWhatIsLostIsCounted(t *testing.T) {
	packets := slices.Delete(sent(30, 0, 20), 16, 17) // of frame 5
	frames, numbers := got(t, packets)
	want := []int{0, 1, 2, 3, 4, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29}
	if !slices.Equal(frames, want) {
		t.Errorf("frames %v, want %v", frames, want)
	}
	if last := numbers[len(numbers)-1]; last-numbers[4] != 25 {
		t.Errorf("frame 29 has the number %d after %d of frame 4: 25 later is right", last, numbers[4])
	}
	// A browser without numbers, of which a frame is lost as a whole, is believed.
	if frames, _ := got(t, sent(4)); len(frames) != 0 {
		t.Errorf("frames without any key frame: %v", frames)
	}
}

func TestPictureNumbers(t *testing.T) {
	var n pictureNumbers
	wide := []byte{0x90, 0x80, 0x80, 0}
	for _, c := range []struct {
		id   uint16
		want int64
	}{{1<<15 - 2, 0}, {1<<15 - 1, 1}, {0, 2}, {3, 5}} {
		n.count(codecs.VP8Packet{I: 1, PictureID: c.id}, wide)
		if n.last != c.want {
			t.Errorf("picture %d has the number %d, want %d", c.id, n.last, c.want)
		}
	}
	n = pictureNumbers{}
	for _, id := range []uint16{126, 127, 0, 2} {
		n.count(codecs.VP8Packet{I: 1, PictureID: id}, []byte{0x90, 0x80, byte(id)})
	}
	if n.last != 4 {
		t.Errorf("numbers of 7 bits: the last is %d, want 4", n.last)
	}
}

func FuzzAssembler(f *testing.F) {
	f.Add([]byte{0x90, 0x80, 1, 0, 9, 9}, uint16(1), true)
	f.Fuzz(func(t *testing.T, payload []byte, number uint16, marker bool) {
		a := newAssembler()
		for i := range uint16(4) {
			a.push(packet{Packet: rtp.Packet{Header: rtp.Header{SequenceNumber: number * i, Marker: marker}, Payload: payload}})
		}
	})
}

// A frame without an end takes no more room than the largest that there can be, and the
// next key frame is shown.
func TestAFrameWithoutAnEnd(t *testing.T) {
	a := newAssembler()
	endless := packet{Packet: rtp.Packet{Payload: append([]byte{0x10}, make([]byte, 60_000)...)}}
	for n := range 2 * maxFrame / 60_000 {
		endless.SequenceNumber = uint16(n)
		if frames := a.push(endless); len(frames) > 0 || len(a.frame) > maxFrame {
			t.Fatalf("after %d packets: %d frames, %d bytes", n, len(frames), len(a.frame))
		}
		endless.Payload[0] = 0 // it goes on
	}
	endless.SequenceNumber++
	endless.Payload, endless.Marker = []byte{0x10, 0, 1, 2}, true
	if frames := a.push(endless); len(frames) != 1 || len(frames[0].data) != 3 {
		t.Errorf("the key frame after it: %v", frames)
	}
}
