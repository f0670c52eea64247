#pragma once
#include <stdint.h>

/* The box's clock: microseconds since power-up in 32 bits, from timer 1. */

enum { CLOCK_COUNTS_PER_TICK = 2 }; /* the timer counts half microseconds */

void clock_init(void);

/* clock_now returns the present tick. */
uint32_t clock_now(void);

/* clock_at returns the tick of a timer count of the last 32 ms. Interrupts must be
   off: from an interrupt, or atomically. */
uint32_t clock_at(uint16_t count);
