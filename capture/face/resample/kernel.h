#include <stdint.h>

// resample makes a square of side pixels of 3 bytes. Pixel (x, y) is the sum over
// count_x[x] columns from first_x[x] on and count_y[y] rows from first_y[y] on,
// each with its weight; an axis has room for taps weights a pixel. from and to are
// the first of those columns and the one behind the last; sums holds 3 * (to -
// from) values. pitch is how many bytes lie from one row to the next.
void resample(const uint8_t *pixels, int pitch, int from, int to,
	const int32_t *first_x, const int32_t *count_x, const float *weights_x, int taps_x,
	const int32_t *first_y, const int32_t *count_y, const float *weights_y, int taps_y,
	float *sums, uint8_t *out, int side);
