#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "light.h"

/* The converter: every millisecond a slot of one conversion of the photodiode (A1)
   and six of the skin's amplifier (A0). */

struct sample {
	uint16_t number;
	uint32_t tick;
	uint32_t sum; /* of the window's conversions */
};

struct block {
	uint32_t tick; /* of the first reading */
	bool joins;    /* it follows the block before without a hole */
	uint16_t raw[LIGHT_READINGS];
};

enum {
	RATE_DEFAULT = 100, /* samples a second */
	RATE_MOST = 500,
};

/* adc_init begins the slots. The clock must run. */
void adc_init(void);

/* adc_start begins sampling, with number 0. adc_stop ends it; what waits is
   forgotten. */
void adc_start(void);
void adc_stop(void);

void adc_rate(uint16_t hz);

/* adc_light begins the blocks of readings anew, or ends them. */
void adc_light(bool on);

/* adc_sample and adc_block take the oldest, if there is one. */
bool adc_sample(struct sample *s);
bool adc_block(struct block *b);

/* adc_reading turns a sample's sum into a reading: 65535 = supply voltage. */
uint16_t adc_reading(uint32_t sum);

/* adc_slots counts the slots; it wraps. It stands still when interrupts do. */
uint16_t adc_slots(void);

/* Counters since power-up: samples taken; samples and blocks for which there was
   no room. */
uint32_t adc_taken(void);
uint16_t adc_unsent(void);
uint16_t adc_blocks_unsent(void);
