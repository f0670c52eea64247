#include "cobs.h"

uint8_t cobs_encode(uint8_t *dst, const uint8_t *src, uint8_t n)
{
	uint8_t code = 0; /* where the length of the open block stands */
	uint8_t w = 1;
	dst[code] = 1;
	for (uint8_t i = 0; i < n; i++) {
		if (src[i] == 0) {
			code = w++;
			dst[code] = 1;
			continue;
		}
		dst[w++] = src[i];
		dst[code]++;
	}
	return w;
}

bool cobs_decode(uint8_t *p, uint8_t n, uint8_t *out)
{
	uint8_t w = 0;
	uint8_t r = 0;
	while (r < n) {
		uint8_t code = p[r];
		if (code == 0 || code > n - r)
			return false;
		for (uint8_t i = 1; i < code; i++) {
			if (p[r + i] == 0)
				return false;
			p[w++] = p[r + i];
		}
		r += code;
		if (r < n)
			p[w++] = 0;
	}
	*out = w;
	return true;
}
