#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Frames of firmware-bridge/wire/PROTOCOL.md: COBS(type, payload, CRC), zero. */

enum {
	PROTOCOL = 2,

	TYPE_HELLO = 0x01,
	TYPE_EDA = 0x02,
	TYPE_PONG = 0x03,
	TYPE_STATUS = 0x04,
	TYPE_LIGHT = 0x05,
	TYPE_TRIGGER = 0x06,
	TYPE_IDENTIFY = 0x81,
	TYPE_START = 0x82,
	TYPE_STOP = 0x83,
	TYPE_RATE = 0x84,
	TYPE_PING = 0x85,
	TYPE_LIGHT_SET = 0x86,
	TYPE_TRIGGER_SET = 0x87,

	MAX_PAYLOAD = 32,
	MAX_BODY = 1 + MAX_PAYLOAD + 2,
	MAX_CODED = MAX_BODY + 1, /* without the delimiter */
	MAX_FRAME = MAX_CODED + 1,
};

/* frame_encode writes a frame with its delimiter to dst, which has room for
   MAX_FRAME bytes, and returns its length. */
uint8_t frame_encode(uint8_t *dst, uint8_t type, const uint8_t *payload, uint8_t n);

/* A receiver of frames. Zeroed, it is ready. */
struct receiver {
	uint8_t buffer[MAX_CODED];
	uint8_t n;
	bool over;     /* the present run is too long for a frame */
	uint16_t bad;  /* runs that were no good frame; wraps */
	uint8_t *body; /* of the last good frame: type, payload */
	uint8_t size;  /* of its payload */
};

/* frame_receive takes one byte and tells whether it ends a good frame, which is
   valid until the next byte. */
bool frame_receive(struct receiver *r, uint8_t b);

/* put16 and put32 write little-endian and return the place behind. */
uint8_t *put16(uint8_t *p, uint16_t v);
uint8_t *put32(uint8_t *p, uint32_t v);

/* get16 reads little-endian. */
uint16_t get16(const uint8_t *p);
