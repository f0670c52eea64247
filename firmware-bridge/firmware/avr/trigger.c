#include "trigger.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "clock.h"

enum { QUEUE = 8 }; /* one less than this many edges wait */

/* Ticks for which the input rests after more edges came than can wait. */
#define TRIGGER_REST 100000UL

static struct edge queue[QUEUE];
static volatile uint8_t head, tail;
static volatile uint16_t number;
static volatile uint16_t lost;
static volatile bool on;
static volatile bool shut; /* after the queue was full, so that noise cannot stop the box */
static volatile uint32_t until; /* tick at which it opens again */

void trigger_init(void)
{
	DDRB &= ~_BV(DDB0);
	PORTB |= _BV(PORTB0); /* pulled up: an open input reads 1 and stays */
}

static uint8_t level(void)
{
	return PINB & _BV(PINB0) ? 1 : 0;
}

/* await arms the edge that leaves the given level. */
static void await(uint8_t from)
{
	if (from)
		TCCR1B &= ~_BV(ICES1);
	else
		TCCR1B |= _BV(ICES1);
	TIFR1 = _BV(ICF1); /* changing the edge can set it */
}

/* arm begins to listen. Interrupts are off. */
static void arm(void)
{
	shut = false;
	await(level());
	TIMSK1 |= _BV(ICIE1);
}

static void enter(uint32_t tick, uint8_t after)
{
	uint8_t next = (head + 1) % QUEUE;
	if (next == tail) {
		lost++;
		number++;
		shut = true;
		until = tick + TRIGGER_REST;
		TIMSK1 &= ~_BV(ICIE1);
		return;
	}
	queue[head] = (struct edge){ .number = number++, .tick = tick, .level = after };
	head = next;
}

ISR(TIMER1_CAPT_vect)
{
	uint32_t tick = clock_at(ICR1);
	uint8_t after = TCCR1B & _BV(ICES1) ? 1 : 0;
	await(after);
	enter(tick, after);
	/* A pulse that has ended before its other edge was armed. It is stamped before
	   the next edge is armed, which must not come out earlier. */
	if (!shut && level() != after && !(TIFR1 & _BV(ICF1))) {
		tick = clock_at(TCNT1);
		await(!after);
		enter(tick, !after);
	}
}

void trigger_set(bool want)
{
	if (want == on)
		return;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		on = want;
		head = tail = 0;
		if (want)
			arm();
		else
			TIMSK1 &= ~_BV(ICIE1);
	}
}

void trigger_restart(void)
{
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		number = 0;
		head = tail = 0;
		if (on)
			arm();
	}
}

bool trigger_take(struct edge *e)
{
	bool some = false;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		if (head != tail) {
			some = true;
			*e = queue[tail];
			tail = (tail + 1) % QUEUE;
		} else if (on && shut && (int32_t)(clock_now() - until) >= 0) {
			arm();
		}
	}
	return some;
}

uint16_t trigger_lost(void)
{
	uint16_t n;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		n = lost;
	}
	return n;
}
