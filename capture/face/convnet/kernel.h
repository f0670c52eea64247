// Inner loops of small convolutional nets on one core. Maps lie in memory row by
// row, pixel by pixel, channel by channel, with a border of one pixel of zeros.

#include <stdint.h>

// channel_block: channels of a map are padded with zeros to a multiple of this.
enum { channel_block = 16 };

// simd_level tells which of the compiled versions this processor can run.
int simd_level(void);

// A layer's result. off is that of a map's first inner pixel; pointers may be
// NULL where there is no such map. sum gets convolution + bias + residual, act
// gets the same where it is positive and slope times it elsewhere.
struct epilogue {
	const float *bias;     // one a channel, padded
	const float *residual; // a map of the result's shape
	float *sum, *act;      // maps of the result's shape
	float slope;
	int height, width, channels; // of the result; channels padded
};

// separable: a 3x3 convolution of each channel by itself, then one of 1x1 over
// all. in points at the first tap of the first result. depthwise holds 9 weights
// by channel, tap by tap; pointwise the blocks of channel_block results, each
// channel by channel. scratch holds two rows of the result's width of in's
// channels.
void separable(int level, const float *in, int pitch, int channels, int stride,
	const float *depthwise, const float *pointwise, float *scratch,
	const float *bias, const float *residual, float *sum, float *act, float slope,
	int out_height, int out_width, int out_channels);

// full: a convolution of size x size over all channels.
void full(int level, const float *in, int pitch, int channels, int size, int stride,
	const float *weights,
	const float *bias, const float *residual, float *sum, float *act, float slope,
	int out_height, int out_width, int out_channels);

// pool: the largest of 2x2, a tap beyond the map's edge not counted.
void pool(int level, const float *in, int height, int width, int channels, int stride,
	float *out, int out_height, int out_width);

// mean of each channel over a whole map.
void mean(const float *in, int height, int width, int channels, float *out);

// load: blue, green, red bytes of size x size into a map of red, green, blue,
// less mean (red first), times scale.
void load(const uint8_t *restrict pixels, int size, const float *restrict mean, float scale, float *restrict out);
