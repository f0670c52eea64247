package serialport

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sysfs lays out what Linux shows of two USB ports, a built-in one, one that the
// machine does not have, and a console.
func sysfs(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"devices/usb1/1-1/idVendor":                   "0403\n",
		"devices/usb1/1-1/idProduct":                  "6001\n",
		"devices/usb1/1-1/serial":                     "A906XYZ\n",
		"devices/usb1/1-1/product":                    "FT232R USB UART\n",
		"devices/usb1/1-1/1-1:1.0/ttyUSB0/.keep":      "",
		"devices/usb1/1-2/idVendor":                   "2341\n",
		"devices/usb1/1-2/idProduct":                  "0043\n",
		"devices/usb1/1-2/1-2:1.0/bInterfaceClass":    "02\n",
		"devices/platform/serial8250/tty/ttyS0/.keep": "",
		"class/ttyS0/type":                            "4\n",
		"class/ttyS1/type":                            "0\n",
		"class/tty0/active":                           "tty1\n",
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"ttyUSB0": "devices/usb1/1-1/1-1:1.0/ttyUSB0",
		"ttyACM0": "devices/usb1/1-2/1-2:1.0",
		"ttyS0":   "devices/platform/serial8250",
		"ttyS1":   "devices/platform/serial8250",
	} {
		if err := os.MkdirAll(filepath.Join(root, "class", name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(root, target), filepath.Join(root, "class", name, "device")); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(root, "class")
}

func TestList(t *testing.T) {
	got, err := list(sysfs(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []Found{
		{Path: "/dev/ttyACM0", VID: "2341", PID: "0043"},
		{Path: "/dev/ttyS0"},
		{Path: "/dev/ttyUSB0", Serial: "A906XYZ", Product: "FT232R USB UART", VID: "0403", PID: "6001"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if path, err := bySerial(got, "A906XYZ"); err != nil || path != "/dev/ttyUSB0" {
		t.Errorf("found %q, %v", path, err)
	}
	if _, err := bySerial(got, "other"); !errors.Is(err, ErrMissing) {
		t.Errorf("%v, want ErrMissing", err)
	}
	twice := append(got, Found{Path: "/dev/ttyUSB9", Serial: "A906XYZ"})
	if path, err := bySerial(twice, "A906XYZ"); err == nil || !strings.Contains(err.Error(), "/dev/ttyUSB9") {
		t.Errorf("%q, %v: two ports have that number", path, err)
	}
}
