#include "clock.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

/* Ticks until the timer overflows. */
#define ROUND (65536UL / CLOCK_COUNTS_PER_TICK)

static volatile uint32_t base; /* tick at the timer's last overflow */

ISR(TIMER1_OVF_vect)
{
	base += ROUND;
}

void clock_init(void)
{
	TCCR1A = 0;
	TCCR1B = _BV(ICNC1) | _BV(CS11); /* system clock / 8; capture with noise filter */
	TIMSK1 = _BV(TOIE1);
}

uint32_t clock_at(uint16_t count)
{
	uint32_t tick = base + count / CLOCK_COUNTS_PER_TICK;
	/* The timer has overflowed but its interrupt has not run yet. A count of the
	   upper half is from before. */
	if ((TIFR1 & _BV(TOV1)) && count < 0x8000)
		tick += ROUND;
	return tick;
}

uint32_t clock_now(void)
{
	uint32_t tick;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		tick = clock_at(TCNT1);
	}
	return tick;
}
