//go:build !nocv

package vp8

/*
#cgo pkg-config: vpx
#include <stdlib.h>
#include <vpx/vpx_encoder.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vp8dx.h>

// The options of libvpx are members and macros of C, so they are set in C. Those that
// this package chose are parameters, explained where they are named.

static vpx_codec_err_t open_encoder(vpx_codec_ctx_t *c, int width, int height, int timebase,
		int kbps, int speed, int key_distance) {
	vpx_codec_enc_cfg_t cfg;
	vpx_codec_err_t err = vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &cfg, 0);
	if (err) return err;
	cfg.g_w = width;
	cfg.g_h = height;
	cfg.g_timebase.num = 1;
	cfg.g_timebase.den = timebase;
	cfg.g_threads = 1;
	cfg.g_lag_in_frames = 0; // no frame waits for the next
	cfg.g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
	cfg.rc_end_usage = VPX_CBR;
	cfg.rc_target_bitrate = kbps;
	// What WebRTC itself gives this encoder for conversations.
	cfg.rc_min_quantizer = 4;
	cfg.rc_max_quantizer = 56;
	cfg.rc_undershoot_pct = 100;
	cfg.rc_overshoot_pct = 15;
	cfg.rc_buf_initial_sz = 500;
	cfg.rc_buf_optimal_sz = 600;
	cfg.rc_buf_sz = 1000;
	cfg.kf_mode = VPX_KF_AUTO;
	cfg.kf_max_dist = key_distance;
	err = vpx_codec_enc_init(c, vpx_codec_vp8_cx(), &cfg, 0);
	if (err) return err;
	err = vpx_codec_control(c, VP8E_SET_CPUUSED, -speed); // below 0: however busy the machine is
	if (!err) err = vpx_codec_control(c, VP8E_SET_STATIC_THRESHOLD, 1);
	if (!err) err = vpx_codec_control(c, VP8E_SET_MAX_INTRA_BITRATE_PCT, 450);
	if (err) vpx_codec_destroy(c);
	return err;
}

static vpx_codec_err_t encode(vpx_codec_ctx_t *c, int width, int height,
		unsigned char *y, unsigned char *u, unsigned char *v, vpx_codec_pts_t at, unsigned long lasts, int key) {
	vpx_image_t img;
	if (!vpx_img_wrap(&img, VPX_IMG_FMT_I420, width, height, 1, y)) return VPX_CODEC_INVALID_PARAM;
	img.planes[0] = y; img.stride[0] = width;
	img.planes[1] = u; img.stride[1] = (width + 1) / 2;
	img.planes[2] = v; img.stride[2] = (width + 1) / 2;
	return vpx_codec_encode(c, &img, at, lasts, key ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME);
}

// packet is the bytes of a packet, NULL of one that is no frame.
static void *packet(const vpx_codec_cx_pkt_t *p, int *size) {
	if (p->kind != VPX_CODEC_CX_FRAME_PKT) return NULL;
	*size = (int)p->data.frame.sz;
	return p->data.frame.buf;
}

static vpx_codec_err_t open_decoder(vpx_codec_ctx_t *c) {
	return vpx_codec_dec_init(c, vpx_codec_vp8_dx(), NULL, 0);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

const (
	// kbps is the rate of the encoded picture: 640x480 of a sitting person at 30 frames
	// a second shows every landmark at it, and a wireless network bears some of them.
	kbps = 1500
	// speed is how much the encoder leaves out to be quick, 0 to 16. At 8 a noisy
	// picture of 640x480 takes 4 to 5 ms of one core.
	speed = 8
	// keyDistance is after how many frames a key frame is made that nobody asked for:
	// whoever lost one asks, so seldom.
	keyDistance = 3000
	// lasts is how long the rate control takes a frame to last, in 1/ClockRate s: a
	// thirtieth of a second.
	lasts = ClockRate / 30
)

// Encoder turns pictures of one size into VP8 frames. It is safe for concurrent use,
// and needs a Close.
type Encoder struct {
	mu     sync.Mutex
	ctx    *C.vpx_codec_ctx_t // nil once closed
	planes *planes
	next   int64 // the earliest time that the next frame may have
}

// NewEncoder makes an encoder of pictures of that size in pixels.
func NewEncoder(width, height int) (*Encoder, error) {
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return nil, fmt.Errorf("vp8: a picture of %dx%d cannot be encoded: its sides are 1 to %d", width, height, maxSide)
	}
	ctx := (*C.vpx_codec_ctx_t)(C.calloc(1, C.sizeof_vpx_codec_ctx_t))
	if err := failed("open the encoder", C.open_encoder(ctx, C.int(width), C.int(height), ClockRate, kbps, speed, keyDistance)); err != nil {
		C.free(unsafe.Pointer(ctx))
		return nil, err
	}
	return &Encoder{ctx: ctx, planes: newPlanes(width, height)}, nil
}

// Encode encodes one picture, taken at that time in 1/ClockRate s. Times only grow: one
// that does not is taken for the one after the last. key asks for a frame that can be
// decoded without those before it. A frame that the encoder leaves out, to keep to its
// rate, is empty.
func (e *Encoder) Encode(bgr []byte, at int64, key bool) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ctx == nil {
		return nil, ErrClosed
	}
	p := e.planes
	if len(bgr) != 3*p.width*p.height {
		return nil, fmt.Errorf("vp8: %d bytes are no picture of %dx%d", len(bgr), p.width, p.height)
	}
	p.from(bgr)
	at = max(at, e.next)
	e.next = at + 1
	asked := C.int(0)
	if key {
		asked = 1
	}
	var pin runtime.Pinner
	pin.Pin(&p.y[0])
	defer pin.Unpin()
	err := failed("encode a picture", C.encode(e.ctx, C.int(p.width), C.int(p.height),
		plane(p.y), plane(p.u), plane(p.v), C.vpx_codec_pts_t(at), lasts, asked))
	if err != nil {
		return nil, err
	}
	var out []byte
	var more C.vpx_codec_iter_t
	for pkt := C.vpx_codec_get_cx_data(e.ctx, &more); pkt != nil; pkt = C.vpx_codec_get_cx_data(e.ctx, &more) {
		var size C.int
		if b := C.packet(pkt, &size); b != nil {
			out = append(out, C.GoBytes(b, size)...)
		}
	}
	return out, nil
}

// plane is a plane of the picture as C has it. The three lie in one piece of memory,
// pinned as a whole.
func plane(p []byte) *C.uchar { return (*C.uchar)(unsafe.Pointer(&p[0])) }

// Close frees the encoder. It may be called more than once.
func (e *Encoder) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	destroy(&e.ctx)
}

// Decoder turns VP8 frames into pictures. It is safe for concurrent use, and needs a
// Close.
type Decoder struct {
	mu  sync.Mutex
	ctx *C.vpx_codec_ctx_t // nil once closed
}

// NewDecoder makes a decoder.
func NewDecoder() (*Decoder, error) {
	ctx := (*C.vpx_codec_ctx_t)(C.calloc(1, C.sizeof_vpx_codec_ctx_t))
	if err := failed("open the decoder", C.open_decoder(ctx)); err != nil {
		C.free(unsafe.Pointer(ctx))
		return nil, err
	}
	return &Decoder{ctx: ctx}, nil
}

// Decode decodes one frame. shown is false where the frame shows nothing by itself.
func (d *Decoder) Decode(encoded []byte) (p Picture, shown bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx == nil {
		return p, false, ErrClosed
	}
	if len(encoded) == 0 {
		return p, false, errors.New("vp8: an empty frame")
	}
	if w, h, ok := sizeOf(encoded); ok && IsKey(encoded) && w*h > maxPixels {
		return p, false, fmt.Errorf("vp8: a picture of %dx%d is not decoded: at most %d million pixels are", w, h, maxPixels/1_000_000)
	}
	err = failed("decode a frame", C.vpx_codec_decode(d.ctx, (*C.uint8_t)(&encoded[0]), C.uint(len(encoded)), nil, 0))
	if err != nil {
		return p, false, err
	}
	var more C.vpx_codec_iter_t
	img := C.vpx_codec_get_frame(d.ctx, &more)
	if img == nil {
		return p, false, nil
	}
	got := newPlanes(int(img.d_w), int(img.d_h))
	for i, to := range [][]byte{got.y, got.u, got.v} {
		width := got.width
		if i > 0 {
			width = half(width)
		}
		stride := int(img.stride[i])
		rows := len(to) / width
		from := unsafe.Slice((*byte)(img.planes[i]), stride*(rows-1)+width)
		for y := range rows {
			copy(to[y*width:(y+1)*width], from[y*stride:])
		}
	}
	return Picture{got.width, got.height, got.bgr()}, true, nil
}

// Close frees the decoder. It may be called more than once.
func (d *Decoder) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	destroy(&d.ctx)
}

// destroy frees a codec and forgets it.
func destroy(ctx **C.vpx_codec_ctx_t) {
	if *ctx == nil {
		return
	}
	C.vpx_codec_destroy(*ctx)
	C.free(unsafe.Pointer(*ctx))
	*ctx = nil
}

// failed is the error of a call of libvpx; nil where it did what it was asked to.
func failed(doing string, err C.vpx_codec_err_t) error {
	if err == C.VPX_CODEC_OK {
		return nil
	}
	return fmt.Errorf("vp8: %s: %s", doing, C.GoString(C.vpx_codec_err_to_string(err)))
}
