// One version of the loops in which nearly all time is spent. Included once
// for each kind of processor with VERSION (names a function), TARGET (what the
// compiler may use), LANES (floats a register) and ROWS (pixels in a tile: as
// many as there are registers for their sums) defined.

#define VEC VERSION(vec)
#define MASK VERSION(mask)
#define TILE VERSION(tile)
#define DEPTH VERSION(depth)
#define TILES VERSION(tiles)
#define MULTIPLY VERSION(multiply)
#define CONVOLVE VERSION(convolve)
#define LARGEST VERSION(largest)
#define MAX VERSION(max)
#define PARTS (channel_block / LANES)

// It looks at arrays of float, at any of them.
typedef float VEC __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t MASK __attribute__((vector_size(4 * LANES), aligned(4)));

// MAX returns the larger of each pair.
__attribute__((always_inline)) TARGET static inline VEC MAX(VEC a, VEC b)
{
	MASK larger = a > b;
	return (VEC)(((MASK)a & larger) | ((MASK)b & ~larger));
}

// DEPTH convolves rows of the result, each channel by itself, into out: width
// pixels of so many channels, row after row.
TARGET static void DEPTH(const float *in, int pitch, int channels, int stride,
	const float *weights, int rows, int width, float *out)
{
	for (int c = 0; c < channels; c += LANES) {
		VEC w[9];
		for (int t = 0; t < 9; t++) w[t] = *(const VEC *)(weights + t * channels + c);
		for (int y = 0; y < rows; y++) {
			const float *a = in + (ptrdiff_t)y * stride * pitch + c;
			float *o = out + (ptrdiff_t)y * width * channels + c;
			for (int x = 0; x < width; x++, a += stride * channels, o += channels) {
				const float *b = a + pitch, *d = b + pitch;
				VEC p = w[0] * *(const VEC *)a;
				VEC q = w[3] * *(const VEC *)b;
				VEC r = w[6] * *(const VEC *)d;
				p += w[1] * *(const VEC *)(a + channels);
				q += w[4] * *(const VEC *)(b + channels);
				r += w[7] * *(const VEC *)(d + channels);
				p += w[2] * *(const VEC *)(a + 2 * channels);
				q += w[5] * *(const VEC *)(b + 2 * channels);
				r += w[8] * *(const VEC *)(d + 2 * channels);
				*(VEC *)o = p + q + r;
			}
		}
	}
}

// TILE multiplies n pixels (at most ROWS, known to the compiler) with one block
// of weights and finishes them. A pixel's values are taps runs of depth values,
// pitch apart; the next pixel's begin step further. at[i] is where pixel i lies
// in the result's maps, block the first channel.
__attribute__((always_inline)) TARGET static inline void TILE(const int n, const float *pixels, int taps, int pitch, int depth, int step,
	const float *weights, const ptrdiff_t *at, int block, const struct epilogue *e)
{
	VEC acc[ROWS][PARTS];
#pragma GCC unroll 16
	for (int i = 0; i < n; i++)
#pragma GCC unroll 4
		for (int p = 0; p < PARTS; p++) acc[i][p] = *(const VEC *)(e->bias + block + p * LANES);
	for (int t = 0; t < taps; t++, pixels += pitch)
		for (int k = 0; k < depth; k++, weights += channel_block) {
			VEC w[PARTS];
#pragma GCC unroll 4
			for (int p = 0; p < PARTS; p++) w[p] = *(const VEC *)(weights + p * LANES);
#pragma GCC unroll 16
			for (int i = 0; i < n; i++)
#pragma GCC unroll 4
				for (int p = 0; p < PARTS; p++) acc[i][p] += pixels[(ptrdiff_t)i * step + k] * w[p];
		}
#pragma GCC unroll 16
	for (int i = 0; i < n; i++)
#pragma GCC unroll 4
		for (int p = 0; p < PARTS; p++) {
			ptrdiff_t o = at[i] + block + p * LANES;
			VEC v = acc[i][p];
			if (e->residual) v += *(const VEC *)(e->residual + o);
			if (e->sum) *(VEC *)(e->sum + o) = v;
			if (e->act) {
				VEC low = v * e->slope;
				MASK positive = v > 0;
				*(VEC *)(e->act + o) = (VEC)(((MASK)v & positive) | ((MASK)low & ~positive));
			}
		}
}

// TILES makes n pixels, at most ROWS, in all channels.
__attribute__((always_inline)) TARGET static inline void TILES(int n, const float *pixels, int taps, int pitch, int depth, int step,
	const float *weights, const ptrdiff_t *at, const struct epilogue *e)
{
	for (int block = 0; block < e->channels; block += channel_block, weights += (ptrdiff_t)taps * depth * channel_block) {
		if (n == ROWS) {
			TILE(ROWS, pixels, taps, pitch, depth, step, weights, at, block, e);
			continue;
		}
		int i = 0; // what is left over: by halves, then one by one
		for (; i + ROWS / 2 <= n; i += ROWS / 2)
			TILE(ROWS / 2, pixels + (ptrdiff_t)i * step, taps, pitch, depth, step, weights, at + i, block, e);
		for (; i < n; i++)
			TILE(1, pixels + (ptrdiff_t)i * step, taps, pitch, depth, step, weights, at + i, block, e);
	}
}

// MULTIPLY makes rows of the result from row y on, of pixels that lie one after
// the other, depth values each.
TARGET static void MULTIPLY(const float *pixels, int depth, const float *weights,
	int y, int rows, const struct epilogue *e)
{
	int count = rows * e->width;
	for (int first = 0; first < count; first += ROWS) {
		int n = count - first < ROWS ? count - first : ROWS;
		ptrdiff_t at[ROWS];
		for (int i = 0; i < n; i++) {
			int row = (first + i) / e->width, x = (first + i) % e->width;
			at[i] = ((ptrdiff_t)(y + row) * (e->width + 2) + x) * e->channels;
		}
		TILES(n, pixels + (ptrdiff_t)first * depth, 1, 0, depth, depth, weights, at, e);
	}
}

// CONVOLVE makes row y of the result, of taps rows of depth values from in on.
TARGET static void CONVOLVE(const float *in, int pitch, int taps, int depth, int step, const float *weights,
	int y, const struct epilogue *e)
{
	for (int first = 0; first < e->width; first += ROWS) {
		// The last tile is a whole one where it can be: pixels made twice cost
		// less than a tile in parts.
		if (first + ROWS > e->width && e->width >= ROWS) first = e->width - ROWS;
		int n = e->width - first < ROWS ? e->width - first : ROWS;
		ptrdiff_t at[ROWS];
		for (int i = 0; i < n; i++) at[i] = ((ptrdiff_t)y * (e->width + 2) + first + i) * e->channels;
		TILES(n, in + (ptrdiff_t)first * step, taps, pitch, depth, step, weights, at, e);
	}
}

// LARGEST takes the largest of 2x2 pixels.
TARGET static void LARGEST(const float *in, int height, int width, int channels, int stride,
	float *out, int out_height, int out_width)
{
	int pitch = (width + 2) * channels, out_pitch = (out_width + 2) * channels;
	for (int y = 0; y < out_height; y++)
		for (int x = 0; x < out_width; x++) {
			// A tap beyond the edge is replaced by the one inside.
			int right = x * stride + 1 < width ? channels : 0;
			int below = y * stride + 1 < height ? pitch : 0;
			const float *a = in + (ptrdiff_t)y * stride * pitch + (ptrdiff_t)x * stride * channels;
			float *o = out + (ptrdiff_t)y * out_pitch + (ptrdiff_t)x * channels;
			for (int c = 0; c < channels; c += LANES) {
				VEC p = MAX(*(const VEC *)(a + c), *(const VEC *)(a + c + right));
				VEC q = MAX(*(const VEC *)(a + c + below), *(const VEC *)(a + c + below + right));
				*(VEC *)(o + c) = MAX(p, q);
			}
		}
}

#undef VEC
#undef MASK
#undef TILE
#undef DEPTH
#undef TILES
#undef MULTIPLY
#undef CONVOLVE
#undef LARGEST
#undef MAX
#undef PARTS
