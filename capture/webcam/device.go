package webcam

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Found is a video device that is present. Some are not cameras: many cameras
// have a second device for metadata.
type Found struct {
	Path string `json:"path"` // "/dev/video0"
	Name string `json:"name"` // as its driver says it
}

// String returns the path and the name.
func (f Found) String() string { return f.Path + " (" + f.Name + ")" }

// List returns the video devices of this machine in the order of their numbers.
// Nothing is opened.
func List() ([]Found, error) {
	ports, err := filepath.Glob("/dev/video[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("webcam: list the cameras: %w", err)
	}
	found := []Found{}
	for _, port := range ports {
		if n, err := strconv.Atoi(strings.TrimPrefix(port, devicePrefix)); err == nil {
			found = append(found, Found{port, deviceName(n)})
		}
	}
	slices.SortFunc(found, func(a, b Found) int {
		return cmp.Or(cmp.Compare(len(a.Path), len(b.Path)), cmp.Compare(a.Path, b.Path))
	})
	return found, nil
}

// others names the devices that do exist, for an error.
func others() string {
	found, err := List()
	if err != nil || len(found) == 0 {
		return "there is no other (/dev/video*): is it plugged in?"
	}
	var lines []string
	for _, f := range found {
		lines = append(lines, f.String())
	}
	return "found: " + strings.Join(lines, ", ")
}

// checkDevice says, before OpenCV does in riddles, why a device cannot be opened.
func checkDevice(port string) error {
	f, err := os.OpenFile(port, os.O_RDWR, 0)
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, fs.ErrNotExist):
		return deviceMissing(port)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("webcam: %s may not be opened by this user: %s", port, joinGroup(port))
	}
	return fmt.Errorf("webcam: %w", err)
}

// deviceMissing says that a device is not there, and which are.
func deviceMissing(port string) error {
	return fmt.Errorf("webcam: there is no camera %s; %s", port, others())
}

// joinGroup says which group opens the device.
func joinGroup(port string) string {
	group := "video" // what distributions use
	if info, err := os.Stat(port); err == nil {
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			if g, err := user.LookupGroupId(strconv.Itoa(int(s.Gid))); err == nil {
				group = g.Name
			}
		}
	}
	return fmt.Sprintf("run `sudo usermod -aG %s $USER`, then log out and in again", group)
}

// deviceName returns the name that the driver gives a device.
func deviceName(index int) string {
	b, err := os.ReadFile(fmt.Sprintf("/sys/class/video4linux/video%d/name", index))
	if name := strings.TrimSpace(string(b)); err == nil && name != "" {
		return name
	}
	return fmt.Sprintf("camera %d", index)
}

// public returns an address without its password, fit for records and errors.
func public(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address[:strings.Index(address, "://")+3] + "..."
	}
	return u.Redacted()
}
