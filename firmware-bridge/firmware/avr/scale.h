#pragma once
#include <stdint.h>

/* From conversions of 10 bits to readings of 16. A converter rounds down, so that
   code k stands for k + 1/2 of 1024 steps. */

enum {
	SLOT_CONVERSIONS = 6, /* of the skin's amplifier in a slot of 1 ms */
	WINDOW_SLOTS = 20,    /* one mains period of 50 Hz */
	WINDOW_CONVERSIONS = SLOT_CONVERSIONS * WINDOW_SLOTS,
};

/* scale_mean returns the reading of a sum of WINDOW_CONVERSIONS codes: their mean
   and a half, times 64, rounded. */
static inline uint16_t scale_mean(uint32_t sum)
{
	return (128 * (sum + WINDOW_CONVERSIONS / 2) + WINDOW_CONVERSIONS) / (2 * WINDOW_CONVERSIONS);
}

/* scale_one returns the reading of one code. */
static inline uint16_t scale_one(uint16_t code)
{
	return code * 64 + 32;
}
