package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/device"
	"emolab/sensors/inspect"
	"emolab/sensors/serialport"
)

// watchTime is how long a device is given to deliver: an Arduino that resets when
// its port is opened needs two seconds before it answers, a Bluetooth device as long.
const watchTime = 6 * time.Second

// sighting is one port or address, and what was found there.
type sighting struct {
	serialport.Found
	InLab   bool             `json:"in_lab"`            // lab.yaml names the device
	Driver  string           `json:"driver,omitempty"`  // by lab.yaml, or recognised
	ID      string           `json:"id,omitempty"`      // of its stream, by lab.yaml
	Finding *inspect.Finding `json:"finding,omitempty"` // where it had to be asked what it is
	Report  *inspect.Report  `json:"report,omitempty"`  // where its driver could talk to it
	Trouble string           `json:"trouble,omitempty"` // why not

	settings device.Settings // of a device that has a driver
}

// sightings lists the ports that are present or asked for, and the devices of
// lab.yaml, present or not. Nothing is opened.
func sightings(found []serialport.Found, extra []string, lab labFile) []*sighting {
	var all []*sighting
	for _, f := range found {
		all = append(all, &sighting{Found: f})
	}
	for _, path := range extra {
		if !slices.ContainsFunc(all, func(s *sighting) bool { return same(s.Path, path) }) {
			all = append(all, &sighting{Found: serialport.Found{Path: path}})
		}
	}
	for _, d := range lab.Devices {
		place := d.settings.At()
		i := slices.IndexFunc(all, func(s *sighting) bool {
			return place.Address == "" && (place.Serial != "" && s.Serial == place.Serial ||
				place.Serial == "" && same(s.Path, place.Port))
		})
		if i < 0 {
			all = append(all, &sighting{Found: serialport.Found{Path: place.Where(), Serial: place.Serial}})
			i = len(all) - 1
		}
		all[i].InLab, all[i].Driver, all[i].ID, all[i].settings = true, d.driver.Name, place.ID, d.settings
	}
	return all
}

// same tells whether two paths lead to one port.
func same(a, b string) bool {
	if a == b {
		return true
	}
	realA, errA := filepath.EvalSymlinks(a)
	realB, errB := filepath.EvalSymlinks(b)
	return errA == nil && errB == nil && realA == realB
}

// survey asks all of them at once what they are and how they do. done is called
// after each, from one goroutine at a time.
func survey(ctx context.Context, all []*sighting, done func()) {
	var group sync.WaitGroup
	var one sync.Mutex
	for _, s := range all {
		group.Go(func() {
			s.look(ctx)
			one.Lock()
			defer one.Unlock()
			done()
		})
	}
	group.Wait()
}

// look asks one device.
func (s *sighting) look(ctx context.Context) {
	if s.settings == nil {
		f := inspect.Port(ctx, s.Path, instant.Monotonic{}, drivers())
		s.Finding, s.Driver = &f, f.Driver
		if f.State != inspect.Known {
			return
		}
		d, err := driverNamed(f.Driver)
		if err != nil {
			s.Trouble = err.Error()
			return
		}
		s.settings = d.Settings()
		place := s.settings.At()
		place.ID, place.Port, place.Clock = d.Stream, s.Path, instant.Monotonic{}
		place.Baud = f.Baud
	}
	r, err := inspect.Watch(ctx, s.settings, watchTime)
	if err != nil {
		s.Trouble = err.Error()
		return
	}
	s.Report = &r
}

// name is how a person calls the port or address.
func (s *sighting) name() string {
	if s.Path == "" {
		return "serial number " + s.Serial
	}
	return s.Path
}

// words say how it stands.
func (s *sighting) words() string {
	switch {
	case s.Trouble != "":
		return s.Trouble
	case s.Report != nil && s.Report.Health == inspect.Well:
		model := s.Report.Device
		if s.Finding != nil {
			model = s.Finding.Model
		}
		return model + ": " + s.Report.Said + live(s.Report.Latest)
	case s.Report != nil:
		return s.Report.Said
	case s.Finding != nil:
		return s.Finding.Said
	}
	return "not asked"
}

// live prints the values of the last sample.
func live(values []inspect.Reading) string {
	var b strings.Builder
	before := "; now "
	for _, v := range values {
		format := "%s%s %.4g"
		if math.Abs(v.Value) >= 1000 {
			format = "%s%s %.0f"
		}
		fmt.Fprintf(&b, format, before, v.Channel, v.Value)
		if v.Unit != "1" {
			b.WriteString(" " + v.Unit)
		}
		before = ", "
	}
	return b.String()
}

// labLines are the lines of lab.yaml for the devices that were recognised and are
// not in it yet. Two of a kind get different ids.
func labLines(all []*sighting) []string {
	taken := map[string]bool{}
	for _, s := range all {
		taken[s.ID] = true
	}
	var lines []string
	for _, s := range all {
		if s.InLab || s.settings == nil {
			continue
		}
		usual := s.settings.At().ID
		id := freeID(usual, func(id string) bool { return taken[id] })
		line := "{driver: " + s.Driver
		if id != usual {
			line += ", id: " + id
		}
		taken[id] = true
		if s.Serial != "" {
			line += ", serial: " + s.Serial
		} else {
			line += ", port: " + s.Path
		}
		lines = append(lines, line+"}")
	}
	return lines
}

// byName orders sightings as a person looks for them.
func byName(a, b *sighting) int { return cmp.Compare(a.Path+a.Serial, b.Path+b.Serial) }
