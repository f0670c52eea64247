#include "frame.h"

#include "cobs.h"
#include "crc.h"

uint8_t frame_encode(uint8_t *dst, uint8_t type, const uint8_t *payload, uint8_t n)
{
	uint8_t body[MAX_BODY];
	body[0] = type;
	for (uint8_t i = 0; i < n; i++)
		body[1 + i] = payload[i];
	put16(body + 1 + n, crc16(body, 1 + n));
	uint8_t size = cobs_encode(dst, body, 1 + n + 2);
	dst[size] = 0;
	return size + 1;
}

/* least is the shortest payload of a command, or -1 where it is none. */
static int8_t least(uint8_t type)
{
	switch (type) {
	case TYPE_IDENTIFY:
	case TYPE_START:
	case TYPE_STOP:
		return 0;
	case TYPE_TRIGGER_SET:
		return 1;
	case TYPE_RATE:
	case TYPE_PING:
		return 2;
	case TYPE_LIGHT_SET:
		return 3;
	}
	return -1;
}

static bool good(struct receiver *r)
{
	uint8_t n;
	if (r->over || !cobs_decode(r->buffer, r->n, &n) || n < 3)
		return false;
	n -= 2;
	if (get16(r->buffer + n) != crc16(r->buffer, n))
		return false;
	r->body = r->buffer;
	r->size = n - 1;
	int8_t need = least(r->body[0]);
	return need >= 0 && r->size >= need;
}

bool frame_receive(struct receiver *r, uint8_t b)
{
	if (b != 0) {
		if (r->n < sizeof r->buffer)
			r->buffer[r->n++] = b;
		else
			r->over = true;
		return false;
	}
	/* An empty run is no fault: hosts begin with a delimiter. */
	bool ok = r->n > 0 && good(r);
	if (r->n > 0 && !ok)
		r->bad++;
	r->n = 0;
	r->over = false;
	return ok;
}

uint8_t *put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = v >> 8;
	return p + 2;
}

uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, (uint16_t)v), v >> 16);
}

uint16_t get16(const uint8_t *p)
{
	return p[0] | (uint16_t)p[1] << 8;
}
