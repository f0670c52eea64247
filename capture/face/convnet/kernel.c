#include "kernel.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#define VERSION(name) name##_avx512
#define TARGET __attribute__((target("avx512f,avx512vl,fma")))
#define LANES 16
#define ROWS 14
#include "kernel_simd.h"
#undef VERSION
#undef TARGET
#undef LANES
#undef ROWS

#define VERSION(name) name##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define ROWS 6
#include "kernel_simd.h"
#undef VERSION
#undef TARGET
#undef LANES
#undef ROWS
#endif

// What every processor of the architecture has: SSE2, or NEON.
#define VERSION(name) name##_base
#define TARGET
#define LANES 4
#if defined(__aarch64__)
#define ROWS 6
#else
#define ROWS 3
#endif
#include "kernel_simd.h"

int simd_level(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) return 2;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
	return 0;
}

#if defined(__x86_64__)
#define DISPATCH(name, ...) \
	do { \
		if (level >= 2) name##_avx512(__VA_ARGS__); \
		else if (level == 1) name##_avx2(__VA_ARGS__); \
		else name##_base(__VA_ARGS__); \
	} while (0)
#else
#define DISPATCH(name, ...) name##_base(__VA_ARGS__)
#endif

// strip is how many rows of the result are made at a time: their inputs stay in
// the first-level cache, and two rows of the nets' maps (112 / 2^n wide) are
// whole tiles of ROWS pixels.
enum { strip = 2 };

void separable(int level, const float *in, int pitch, int channels, int stride,
	const float *depthwise, const float *pointwise, float *scratch,
	const float *bias, const float *residual, float *sum, float *act, float slope,
	int out_height, int out_width, int out_channels)
{
	struct epilogue e = {bias, residual, sum, act, slope, out_height, out_width, out_channels};
	for (int y = 0; y < out_height; y += strip) {
		int rows = out_height - y < strip ? out_height - y : strip;
		DISPATCH(depth, in + (ptrdiff_t)y * stride * pitch, pitch, channels, stride, depthwise, rows, out_width, scratch);
		DISPATCH(multiply, scratch, channels, pointwise, y, rows, &e);
	}
}

void full(int level, const float *in, int pitch, int channels, int size, int stride,
	const float *weights,
	const float *bias, const float *residual, float *sum, float *act, float slope,
	int out_height, int out_width, int out_channels)
{
	struct epilogue e = {bias, residual, sum, act, slope, out_height, out_width, out_channels};
	for (int y = 0; y < out_height; y++)
		DISPATCH(convolve, in + (ptrdiff_t)y * stride * pitch, pitch, size, size * channels, stride * channels, weights, y, &e);
}

void pool(int level, const float *in, int height, int width, int channels, int stride,
	float *out, int out_height, int out_width)
{
	DISPATCH(largest, in, height, width, channels, stride, out, out_height, out_width);
}

void mean(const float *in, int height, int width, int channels, float *out)
{
	memset(out, 0, channels * sizeof *out);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++) {
			const float *a = in + ((ptrdiff_t)y * (width + 2) + x) * channels;
			for (int c = 0; c < channels; c++) out[c] += a[c];
		}
	for (int c = 0; c < channels; c++) out[c] /= (float)(height * width);
}

void load(const uint8_t *restrict pixels, int size, const float *restrict mean, float scale, float *restrict out)
{
	const float red = mean[0], green = mean[1], blue = mean[2];
	for (int y = 0; y < size; y++, pixels += 3 * size) {
		float *restrict o = out + (ptrdiff_t)y * (size + 2) * 3;
		for (int x = 0; x < size; x++) {
			o[3 * x] = ((float)pixels[3 * x + 2] - red) * scale;
			o[3 * x + 1] = ((float)pixels[3 * x + 1] - green) * scale;
			o[3 * x + 2] = ((float)pixels[3 * x] - blue) * scale;
		}
	}
}
