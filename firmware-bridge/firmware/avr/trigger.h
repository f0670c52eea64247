#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The trigger input: pin 8 (PB0), the input capture of timer 1. */

struct edge {
	uint16_t number;
	uint32_t tick;
	uint8_t level; /* after the edge */
};

void trigger_init(void);

/* trigger_set arms or disarms the input, where it is not so already. Edges that
   wait are forgotten. */
void trigger_set(bool on);

/* trigger_restart numbers the edges from 0 again; those that wait are forgotten. */
void trigger_restart(void);

/* trigger_take takes the oldest edge, if there is one. */
bool trigger_take(struct edge *e);

/* trigger_lost counts edges for which there was no room; it wraps. */
uint16_t trigger_lost(void);
