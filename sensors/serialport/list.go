package serialport

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Found is a serial port that is present.
type Found struct {
	Path    string `json:"path"`
	Serial  string `json:"serial,omitempty"`  // USB serial number, where the device has one
	Product string `json:"product,omitempty"` // as the USB device names itself
	VID     string `json:"vid,omitempty"`     // USB vendor, four hex digits
	PID     string `json:"pid,omitempty"`     // USB product, four hex digits
}

// sysTTY is where Linux describes its terminals.
const sysTTY = "/sys/class/tty"

// List returns the serial ports that are present, in order of their paths. It
// reads the kernel's description and opens none of them: opening can reset a
// device that is in use. Pseudo-terminals are not listed.
func List() ([]Found, error) { return list(sysTTY) }

func list(root string) ([]Found, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("serialport: list the ports: %w", err)
	}
	var ports []Found
	for _, e := range entries {
		device, err := filepath.EvalSymlinks(filepath.Join(root, e.Name(), "device"))
		if err != nil {
			continue // a console or a virtual terminal: no device behind it
		}
		// Built-in ports that the machine does not have are of type 0, "unknown".
		if attribute(filepath.Join(root, e.Name()), "type") == "0" {
			continue
		}
		f := Found{Path: "/dev/" + e.Name()}
		if usb, ok := usbDevice(device); ok {
			f.Serial = attribute(usb, "serial")
			f.Product = attribute(usb, "product")
			f.VID = attribute(usb, "idVendor")
			f.PID = attribute(usb, "idProduct")
		}
		ports = append(ports, f)
	}
	sort.Slice(ports, func(i, j int) bool { return ports[i].Path < ports[j].Path })
	return ports, nil
}

// usbDevice returns the directory of the USB device that a terminal belongs to:
// the nearest one above it that has a vendor.
func usbDevice(dir string) (string, bool) {
	for ; len(dir) > 1; dir = filepath.Dir(dir) {
		if attribute(dir, "idVendor") != "" {
			return dir, true
		}
	}
	return "", false
}

// attribute reads one of the kernel's one-line files; "" where there is none.
func attribute(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// find returns the path to open.
func (c Config) find() (string, error) {
	if c.Serial == "" {
		return c.Path, nil
	}
	ports, err := List()
	if err != nil {
		return "", err
	}
	return bySerial(ports, c.Serial)
}

func bySerial(ports []Found, serial string) (string, error) {
	var at []string
	for _, p := range ports {
		if p.Serial == serial {
			at = append(at, p.Path)
		}
	}
	switch len(at) {
	case 0:
		return "", missing("USB serial number " + serial)
	case 1:
		return at[0], nil
	}
	return "", fmt.Errorf("serialport: %s have the same USB serial number %s, as cheap copies do: name the device by its port",
		strings.Join(at, " and "), serial)
}
