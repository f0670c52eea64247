#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Which blocks of photodiode readings are worth sending: those around edges, and
   one a second. No hardware is touched here. */

enum {
	LIGHT_READINGS = 12,      /* of one block */
	LIGHT_BEFORE = 8,         /* readings sent before an edge, at least */
	LIGHT_AFTER = 16,         /* and after it */
	LIGHT_EVERY = 84,         /* blocks between two that show the level: 1.008 s */
	LIGHT_WINDOW = 2048,      /* readings of one of the two windows of the extremes */
	LIGHT_LEAST_SWING = 2048, /* between them, below which nothing is an edge: 156 mV */
	LIGHT_MARGIN = 512,       /* hysteresis of a given threshold: 39 mV */
};

/* What light_judge says, to be combined. */
enum {
	LIGHT_SEND = 1,      /* send this block */
	LIGHT_SEND_LAST = 2, /* but the block before it first */
};

struct light {
	uint16_t threshold; /* 0 = automatic */
	uint16_t low[2], high[2]; /* of the present window and the one before */
	uint16_t filled;          /* readings in the present window */
	uint8_t level;
	bool begun;
	bool kept;     /* the block before was not sent and joins on */
	uint8_t after; /* readings still due after the last edge */
	uint8_t quiet; /* blocks since the last that was sent */
};

void light_begin(struct light *l, uint16_t threshold);

/* light_judge takes the next block. joins tells whether it follows the one before
   without a hole. */
uint8_t light_judge(struct light *l, const uint16_t raw[LIGHT_READINGS], bool joins);
