#include "adc.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "clock.h"
#include "scale.h"

enum {
	SLOT_COUNTS = 1000 * CLOCK_COUNTS_PER_TICK,
	SLOTS_PER_SECOND = 1000,
	IDLE = 0xFF,

	/* While a PONG waits for the line, at most 22 ms, samples and blocks wait here. */
	SAMPLES = 16,
	BLOCKS = 4,

	SUPPLY = _BV(REFS0), /* the supply is the reference */
	SKIN = SUPPLY | 0,
	LIGHT = SUPPLY | 1,
};

/* Of the converter's interrupt: */
static uint8_t step = IDLE; /* conversions done in this slot */
static uint16_t slot_sum;
static uint16_t window[WINDOW_SLOTS];
static uint8_t missing = WINDOW_SLOTS; /* slots until the window is full, after power-up */
static uint8_t oldest;
static uint32_t window_sum;
static uint16_t phase; /* of the rate, in 1/1000 sample */
static uint8_t fill;   /* readings in blocks[block_head] */
static bool hole;      /* readings are missing since the last block */

/* Shared with the main loop: */
static volatile uint16_t slots;
static volatile bool sampling;
static volatile bool light;
static volatile uint16_t rate = RATE_DEFAULT;
static volatile uint16_t number;
static volatile uint32_t taken;
static volatile uint16_t unsent, blocks_unsent;

static struct sample samples[SAMPLES];
static volatile uint8_t sample_head, sample_tail;
static struct block blocks[BLOCKS];
static volatile uint8_t block_head, block_tail;

void adc_init(void)
{
	DIDR0 = _BV(ADC0D) | _BV(ADC1D);
	ADMUX = LIGHT;
	/* 16 MHz / 128 = 125 kHz, within the 50 to 200 kHz of full resolution. */
	ADCSRA = _BV(ADEN) | _BV(ADIE) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0);
	OCR1A = TCNT1 + SLOT_COUNTS;
	TIFR1 = _BV(OCF1A);
	TIMSK1 |= _BV(OCIE1A);
}

ISR(TIMER1_COMPA_vect)
{
	OCR1A += SLOT_COUNTS;
	slots++;
	if (step != IDLE) { /* interrupts were off for 0.2 ms, which nothing here does */
		fill = 0;
		hole = true;
		return;
	}
	ADMUX = LIGHT;
	step = 0;
	slot_sum = 0;
	ADCSRA |= _BV(ADSC);
}

/* reading enters one of the photodiode. */
static void reading(uint16_t code, uint32_t tick)
{
	if (!sampling || !light)
		return;
	struct block *b = &blocks[block_head];
	if (fill == 0)
		b->tick = tick;
	b->raw[fill++] = scale_one(code);
	if (fill < LIGHT_READINGS)
		return;
	fill = 0;
	uint8_t next = (block_head + 1) % BLOCKS;
	if (next == block_tail) {
		blocks_unsent++;
		hole = true;
		return;
	}
	b->joins = !hole;
	hole = false;
	block_head = next;
}

/* slot ends one: its sum goes into the window, and it may be a sample. */
static void slot(uint32_t tick)
{
	window_sum += slot_sum;
	window_sum -= window[oldest];
	window[oldest] = slot_sum;
	oldest = (oldest + 1) % WINDOW_SLOTS;
	if (missing > 0)
		missing--;
	if (!sampling || missing > 0)
		return;
	phase += rate;
	if (phase < SLOTS_PER_SECOND)
		return;
	phase -= SLOTS_PER_SECOND;
	taken++;
	uint8_t next = (sample_head + 1) % SAMPLES;
	if (next == sample_tail) {
		number++;
		unsent++;
		return;
	}
	samples[sample_head] = (struct sample){ .number = number++, .tick = tick, .sum = window_sum };
	sample_head = next;
}

ISR(ADC_vect)
{
	uint16_t code = ADC;
	uint32_t tick = clock_at(TCNT1);
	if (step == 0)
		ADMUX = SKIN;
	if (step < SLOT_CONVERSIONS)
		ADCSRA |= _BV(ADSC);
	if (step == 0)
		reading(code, tick);
	else
		slot_sum += code;
	if (step++ == SLOT_CONVERSIONS) {
		step = IDLE;
		slot(tick);
	}
}

void adc_start(void)
{
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		number = 0;
		phase = 0;
		fill = 0;
		hole = true;
		sampling = true;
	}
}

void adc_stop(void)
{
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		sampling = false;
		sample_head = sample_tail = 0;
		block_head = block_tail = 0;
	}
}

void adc_rate(uint16_t hz)
{
	if (hz < 1 || hz > RATE_MOST)
		return;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		rate = hz;
	}
}

void adc_light(bool on)
{
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		light = on;
		fill = 0;
		hole = true;
		block_head = block_tail = 0;
	}
}

bool adc_sample(struct sample *s)
{
	bool some = false;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		if (sample_head != sample_tail) {
			some = true;
			*s = samples[sample_tail];
			sample_tail = (sample_tail + 1) % SAMPLES;
		}
	}
	return some;
}

bool adc_block(struct block *b)
{
	if (block_head == block_tail)
		return false;
	*b = blocks[block_tail]; /* the interrupt never writes the one at the tail */
	block_tail = (block_tail + 1) % BLOCKS;
	return true;
}

uint16_t adc_reading(uint32_t sum)
{
	return scale_mean(sum);
}

uint16_t adc_slots(void)
{
	uint16_t n;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		n = slots;
	}
	return n;
}

uint32_t adc_taken(void)
{
	uint32_t n;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		n = taken;
	}
	return n;
}

uint16_t adc_unsent(void)
{
	uint16_t n;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		n = unsent;
	}
	return n;
}

uint16_t adc_blocks_unsent(void)
{
	uint16_t n;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		n = blocks_unsent;
	}
	return n;
}
