package webcam

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"emolab/fusion/instant"
)

const (
	// stampSlack is how far a driver's stamp may lie in the future: it is given
	// in milliseconds with fractions, and the clock is read after it.
	stampSlack = time.Millisecond
	// stampAge is how old a driver's stamp may be. OpenCV holds four buffers,
	// so at 5 frames a second a good one can be 800 ms old.
	stampAge = time.Second
	// stampTrust is how many stamps in a row must be usable before the driver is
	// believed, and stampTries among how many pictures they are looked for: some
	// drivers fill the first buffers before their clock runs.
	stampTrust = 4
	stampTries = 12
	// drainPatience is how long a source that delivers all the time faster than
	// its nominal rate is taken to deliver what it had held back.
	drainPatience = 2 * time.Second
)

// stamp is the driver's stamp of a picture.
func (p picture) stamp() instant.Instant {
	return instant.Instant(math.Round(p.posMs * float64(time.Millisecond)))
}

// plausible tells why a driver's stamp cannot be that of a picture that arrived
// then; nil when it can.
func plausible(at, arrival instant.Instant) error {
	switch age := arrival.Sub(at); {
	case at == 0:
		return fmt.Errorf("%w: it gives none", ErrStamps)
	case age < -stampSlack:
		return fmt.Errorf("%w: a picture arrived %v before its stamp", ErrStamps, -age)
	case age > stampAge:
		return fmt.Errorf("%w: a picture arrived %v after its stamp", ErrStamps, age)
	}
	return nil
}

// settle reads the first pictures of a device and decides once and for all
// whether its driver's stamps are used or the arrivals. The pictures are not
// delivered: a camera needs some to find its exposure anyway.
func (c *Camera) settle() error {
	var last instant.Instant
	good, missed := 0, c.clock.Now()
	for range stampTries {
		p, arrival, err := c.first(missed)
		if err != nil {
			return err
		}
		missed = arrival
		at := p.stamp()
		if plausible(at, arrival) != nil || at <= last {
			good = 0
		} else {
			good++
		}
		last = at
		if good == stampTrust {
			return nil
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.description.Stamps = ArrivalStamps
	return nil
}

// first waits for a picture while nobody runs the camera yet.
func (c *Camera) first(since instant.Instant) (picture, instant.Instant, error) {
	for {
		p, ok, err := c.source.grab()
		now := c.clock.Now()
		switch {
		case err != nil:
			return picture{}, now, fmt.Errorf("webcam: %s: %w", c.description.Port, err)
		case ok:
			return p, now, nil
		case now.Sub(since) > patience:
			return picture{}, now, errors.New("webcam: " + c.description.Port + " opens but gives no pictures: it is in use by another program, or is not the camera but its metadata; " + others())
		}
		time.Sleep(retryPause)
	}
}

// drain throws away what a source without stamps held back before anybody took
// its pictures: stamped on arrival, they would pass for new. It ends with the
// first picture that had to be waited for.
func (c *Camera) drain(ctx context.Context) error {
	d := c.Describe()
	if d.Stamps != ArrivalStamps {
		return nil
	}
	last := c.clock.Now()
	for ctx.Err() == nil && last.Sub(c.began) < drainPatience {
		_, ok, err := c.source.grab()
		if err != nil {
			return fmt.Errorf("webcam: %s: %w", d.Port, err)
		}
		now := c.clock.Now()
		if !ok || now.Sub(last) >= period(d.FPS)/2 {
			return nil
		}
		last = now
	}
	return nil
}
