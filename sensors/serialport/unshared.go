package serialport

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"go.bug.st/serial"
)

// openUnshared opens a port that no program inherits which this one starts. The serial
// library leaves descriptors open across exec: a browser that was started in between
// would hold the port long after this program had closed it, and nobody could open it
// again.
func openUnshared(path string, mode *serial.Mode) (serial.Port, error) {
	syscall.ForkLock.RLock() // no program is started between the two
	defer syscall.ForkLock.RUnlock()
	port, err := serial.Open(path, mode)
	if err != nil {
		return nil, err
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, errors.Join(err, port.Close()) // unplugged meanwhile
	}
	const own = procDir + "/self/fd"
	files, err := os.ReadDir(own)
	if err != nil {
		return port, nil // no Linux: nothing tells which descriptor it is
	}
	for _, f := range files {
		if fd, err := strconv.Atoi(f.Name()); err == nil {
			if to, err := os.Readlink(filepath.Join(own, f.Name())); err == nil && to == target {
				syscall.CloseOnExec(fd)
			}
		}
	}
	return port, nil
}
