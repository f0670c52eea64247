package serialport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"go.bug.st/serial"
)

// What can be wrong with a port. Test with errors.Is; the errors that wrap these
// name the port and say what to do.
var (
	ErrClosed     = errors.New("serialport: closed by this program")
	ErrUnplugged  = errors.New("serialport: the device is gone")
	ErrSilent     = errors.New("serialport: the device is silent")
	ErrMissing    = errors.New("serialport: no such port")
	ErrPermission = errors.New("serialport: no permission")
	ErrBusy       = errors.New("serialport: in use by another program")
	ErrNotSerial  = errors.New("serialport: not a serial port")
)

// explainOpen turns a failed open into what a person can act upon.
func explainOpen(path string, err error) error {
	var pe *serial.PortError
	if errors.As(err, &pe) {
		switch pe.Code() {
		case serial.PortBusy:
			return busy(path, Holders(path))
		case serial.PermissionDenied:
			group := owningGroup(path)
			return fmt.Errorf("%w to open %s, which belongs to the group %s: run \"sudo usermod -aG %s $USER\", then log out and in",
				ErrPermission, path, group, group)
		case serial.PortNotFound:
			return missing(path)
		case serial.InvalidSerialPort:
			return fmt.Errorf("%w: %s (%v)", ErrNotSerial, path, err)
		}
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.ENODEV) {
		return missing(path)
	}
	return fmt.Errorf("serialport: open %s: %w", path, err)
}

// missing is the error for a port that is not there. It does not name those that
// are: what a driver reports is recorded, and other devices are nobody's business.
func missing(what string) error {
	return fmt.Errorf("%w: %s: plug the device in; emolab devices lists what is there", ErrMissing, what)
}

// owningGroup returns the name of the group that may open path. On Debian and
// its relatives that is "dialout", on Arch "uucp".
func owningGroup(path string) string {
	const usual = "dialout"
	info, err := os.Stat(path)
	if err != nil {
		return usual
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return usual
	}
	g, err := user.LookupGroupId(strconv.Itoa(int(st.Gid)))
	if err != nil {
		return usual
	}
	return g.Name
}
