#include "kernel.h"

#include <stddef.h>
#include <string.h>

// add puts weight times the bytes of a row on top of sums.
static void add(const uint8_t *restrict row, float weight, float *restrict sums, int count)
{
	for (int i = 0; i < count; i++) sums[i] += weight * (float)row[i];
}

void resample(const uint8_t *pixels, int pitch, int from, int to,
	const int32_t *first_x, const int32_t *count_x, const float *weights_x, int taps_x,
	const int32_t *first_y, const int32_t *count_y, const float *weights_y, int taps_y,
	float *sums, uint8_t *out, int side)
{
	int count = 3 * (to - from);
	for (int y = 0; y < side; y++, weights_y += taps_y) {
		memset(sums, 0, count * sizeof *sums);
		const uint8_t *row = pixels + (ptrdiff_t)first_y[y] * pitch + 3 * from;
		for (int t = 0; t < count_y[y]; t++, row += pitch) add(row, weights_y[t], sums, count);
		const float *weights = weights_x;
		for (int x = 0; x < side; x++, weights += taps_x, out += 3) {
			const float *s = sums + 3 * (first_x[x] - from);
			float blue = .5f, green = .5f, red = .5f; // so that the cut to bytes rounds
			for (int t = 0; t < count_x[x]; t++, s += 3) {
				blue += weights[t] * s[0];
				green += weights[t] * s[1];
				red += weights[t] * s[2];
			}
			out[0] = (uint8_t)blue, out[1] = (uint8_t)green, out[2] = (uint8_t)red;
		}
	}
}
