package stimulus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// probed is what ffprobe says of a file, as far as a conversion depends on it.
type probed struct {
	picture  picture
	sound    string // codec of the first sound; "" = none
	channels int    // of it
	duration time.Duration
	comment  string // of the container
}

// picture is the first moving picture of a file.
type picture struct {
	index      int // among its pictures, those of covers included
	codec      string
	pixels     string // pixel format: "yuv420p"
	width      int
	height     int
	square     bool // whether its pixels are
	interlaced bool
	matrix     string // of its colours: "bt709"; "" = it does not say
	transfer   string // of its brightness: "arib-std-b67"
	rate       rational
	steady     bool // whether its frames come at rate all the time, as far as the head of the file tells
}

// rational is a number as ffprobe writes it: 30000/1001.
type rational struct{ num, den int64 }

func (r rational) float() float64 {
	if r.den == 0 {
		return 0
	}
	return float64(r.num) / float64(r.den)
}

func (r rational) String() string { return fmt.Sprintf("%d/%d", r.num, r.den) }

// parseRational reads "30000/1001", and 0/0 from anything else.
func parseRational(s string) rational {
	a, b, _ := strings.Cut(s, "/")
	num, err := strconv.ParseInt(a, 10, 32)
	if err != nil || num <= 0 {
		return rational{}
	}
	den, err := strconv.ParseInt(b, 10, 32)
	if err != nil || den <= 0 {
		return rational{}
	}
	return rational{num, den}
}

// probe asks ffprobe what is in a file.
func (t *FFmpeg) probe(ctx context.Context, file string) (probed, error) {
	args := append([]string{"-v", "error", "-show_streams", "-show_format", "-of", "json"}, input(file)...)
	answer, _, err := run(ctx, nil, t.ffprobe, args...)
	if err != nil {
		return probed{}, fmt.Errorf("%s is no video that ffmpeg can read (%w)", file, err)
	}
	p, err := parseProbe(answer)
	if err != nil {
		return probed{}, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// parseProbe reads ffprobe's JSON.
func parseProbe(answer []byte) (probed, error) {
	var doc struct {
		Streams []struct {
			Type        string `json:"codec_type"`
			Codec       string `json:"codec_name"`
			Pixels      string `json:"pix_fmt"`
			Width       int    `json:"width"`
			Height      int    `json:"height"`
			Aspect      string `json:"sample_aspect_ratio"`
			Fields      string `json:"field_order"`
			Matrix      string `json:"color_space"`
			Transfer    string `json:"color_transfer"`
			Rate        string `json:"r_frame_rate"`
			Average     string `json:"avg_frame_rate"`
			Channels    int    `json:"channels"`
			Disposition struct {
				Cover int `json:"attached_pic"`
			} `json:"disposition"`
		} `json:"streams"`
		Format struct {
			Duration string `json:"duration"`
			Tags     struct {
				Comment string `json:"comment"`
			} `json:"tags"`
		} `json:"format"`
	}
	if err := json.Unmarshal(answer, &doc); err != nil {
		return probed{}, fmt.Errorf("ffprobe's answer is not what it should be: %w", err)
	}
	var p probed
	pictures, found := 0, false
	for _, s := range doc.Streams {
		switch s.Type {
		case "video":
			if !found && s.Disposition.Cover == 0 {
				found = true
				p.picture = picture{
					index: pictures, codec: s.Codec, pixels: s.Pixels, width: s.Width, height: s.Height,
					square:     slices.Contains([]string{"", "0:1", "1:1"}, s.Aspect),
					interlaced: !slices.Contains([]string{"", "unknown", "progressive"}, s.Fields),
					matrix:     s.Matrix, transfer: s.Transfer,
				}
				p.picture.rate, p.picture.steady = rate(parseRational(s.Rate), parseRational(s.Average))
			}
			pictures++
		case "audio":
			if p.sound == "" {
				p.sound, p.channels = s.Codec, s.Channels
			}
		}
	}
	if !found || p.picture.width <= 0 || p.picture.height <= 0 {
		return probed{}, errors.New("there is no moving picture in it")
	}
	p.comment = doc.Format.Tags.Comment
	if v, err := strconv.ParseFloat(doc.Format.Duration, 64); err == nil && v > 0 && v < math.MaxInt32 {
		p.duration = time.Duration(v * float64(time.Second))
	}
	return p, nil
}

// rates are those that videos are made at, in Hz.
var rates = []rational{{10, 1}, {12, 1}, {15, 1}, {20, 1}, {24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {48, 1}, {50, 1}, {60000, 1001}, {60, 1}}

const (
	// alike is by how much a rate may differ from another that means the same.
	alike = .01
	// mostRate is the rate in Hz beyond which a participant's screen does not follow.
	mostRate = 60
)

// rate chooses the constant rate of a conversion: nominal is the least that has room for
// all times of frames, average what there is of them in a second. Phones and screen
// recorders let the interval vary: then it is the usual rate nearest to the average.
func rate(nominal, average rational) (r rational, steady bool) {
	n, a := nominal.float(), average.float()
	switch {
	case n > 0 && n <= mostRate*(1+alike) && (a == 0 || math.Abs(n-a) < alike*a):
		return nominal, true
	case a <= 0:
		return rational{25, 1}, false
	}
	best := rates[0]
	for _, r := range rates {
		if math.Abs(math.Log(r.float()/a)) < math.Abs(math.Log(best.float()/a)) {
			best = r
		}
	}
	return best, false
}
