package store

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestWithoutPlaces(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "my study", "study.db"))
	for text, want := range map[string]string{
		"": "",
		"serialport: the device is gone: /dev/ttyUSB0 (input/output error)":                                      "serialport: the device is gone: [path] (input/output error)",
		"serialport: no such port: /dev/ttyACM1: plug the device in":                                             "serialport: no such port: [path]: plug the device in",
		"serialport: in use by another program: /dev/ttyUSB0: close that program (\"sudo lsof /dev/ttyUSB0\")":   "serialport: in use by another program: [path]: close that program (\"sudo lsof [path]\")",
		"open /tmp/TestX1/001/ttyEDA: no such file or directory":                                                 "open [path]: no such file or directory",
		"not there when the segment began: open '/dev/serial/by-id/usb-FTDI-if00'":                               "not there when the segment began: open '[path]'",
		"network: nobody answers at tcp://127.0.0.1:4242: start the server (dial tcp 127.0.0.1:4242: refused)":   "network: nobody answers at [address]: start the server (dial tcp [address]: refused)",
		"network: the device is gone: tcp://gaze.lab:4242 (read tcp 10.0.0.2:38724->10.0.0.7:4242: i/o timeout)": "network: the device is gone: [address] (read tcp [address]: i/o timeout)",
		"udp://0.0.0.0:5555?from=4444, nothing for 3s":                                                           "[address], nothing for 3s",
		"dial tcp: lookup gaze.lab on 192.168.1.1:53: no such host":                                              "dial tcp: lookup [address] on [address]: no such host",
		"dial tcp [fe80::1%eth0]:4242: connect: no route to host":                                                "dial tcp [address]: connect: no route to host",
		"port=/dev/ttyUSB0, ~/study/a.db, ../b.db and ./c":                                                       "port=[path], [path], [path] and [path]",
		"store: " + s.Path() + ": fold the log into the file: the disk is full":                                  "store: [path]: fold the log into the file: the disk is full",
		// What is none stays.
		"screen of 1920 x 1080 px at 1, 60.0 Hz": "screen of 1920 x 1080 px at 1, 60.0 Hz",
		"95 samples/s, firmware 2.8.26.1, 10:32": "95 samples/s, firmware 2.8.26.1, 10:32",
		"read 3 of 8 bytes, 1 / 2, and/or n/a":   "read 3 of 8 bytes, 1 / 2, and/or n/a",
		"said \"hello\",\nthen left":             "said \"hello\",\nthen left",
	} {
		if got := s.WithoutPlaces(text); got != want {
			t.Errorf("%q\n\tbecame %q,\n\twant   %q", text, got, want)
		}
		if again := s.WithoutPlaces(want); again != want {
			t.Errorf("%q is changed again, to %q", want, again)
		}
	}
	if strings.Contains(s.WithoutPlaces("at "+s.Path()), "study") {
		t.Error("part of a path with a blank is left")
	}
}

// JSON stays JSON, and what is no string stays as it was written.
func TestJSONWithoutPlaces(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "my study", "study.db"))
	for text, want := range map[string]string{
		"":                                "",
		`{"b": 1.50, "a": [null, "n/a"]}`: `{"b": 1.50, "a": [null, "n/a"]}`,
		`{"device":"box on /dev/ttyUSB0","port":"/dev/ttyUSB0"}`: `{"device":"box on [path]","port":"[path]"}`,
		`{"said":"open \"/dev/ttyUSB0\": gone","n":2}`:           `{"said":"open \"[path]\": gone","n":2}`,
		`["tcp://10.0.0.2:4242\\", "é \u003c b"]`:                `["[address]", "é \u003c b"]`,
	} {
		if got := s.JSONWithoutPlaces(text); got != want {
			t.Errorf("%s\n\tbecame %s,\n\twant   %s", text, got, want)
		} else if got != "" && !json.Valid([]byte(got)) {
			t.Errorf("%s is no JSON any more", got)
		}
	}
}
