#include "light.h"

enum { UNKNOWN, DARK, BRIGHT };

void light_begin(struct light *l, uint16_t threshold)
{
	*l = (struct light){ .threshold = threshold };
}

/* extremes enters v in the windows. */
static void extremes(struct light *l, uint16_t v)
{
	if (!l->begun) {
		l->low[0] = l->low[1] = l->high[0] = l->high[1] = v;
	} else if (l->filled == LIGHT_WINDOW) {
		l->low[1] = l->low[0];
		l->high[1] = l->high[0];
		l->low[0] = l->high[0] = v;
		l->filled = 0;
	}
	l->filled++;
	if (v < l->low[0])
		l->low[0] = v;
	if (v > l->high[0])
		l->high[0] = v;
}

/* edge enters one reading and tells whether it crossed the threshold. */
static bool edge(struct light *l, uint16_t v)
{
	extremes(l, v);
	bool first = !l->begun;
	l->begun = true;

	uint16_t middle = l->threshold;
	uint16_t margin = LIGHT_MARGIN;
	if (middle == 0) {
		uint16_t low = l->low[0] < l->low[1] ? l->low[0] : l->low[1];
		uint16_t high = l->high[0] > l->high[1] ? l->high[0] : l->high[1];
		uint16_t swing = high - low;
		if (swing < LIGHT_LEAST_SWING) {
			l->level = UNKNOWN;
			return false;
		}
		middle = low + swing / 2;
		margin = swing / 8;
	}
	uint8_t level = l->level;
	if (v > middle && v - middle > margin)
		level = BRIGHT;
	else if (v < middle && middle - v > margin)
		level = DARK;
	bool crossed = level != l->level && !first;
	l->level = level;
	return crossed;
}

uint8_t light_judge(struct light *l, const uint16_t raw[LIGHT_READINGS], bool joins)
{
	bool send = !l->begun || l->after > 0 || l->quiet >= LIGHT_EVERY - 1;
	bool last = false;
	for (uint8_t i = 0; i < LIGHT_READINGS; i++) {
		if (l->after > 0)
			l->after--;
		if (!edge(l, raw[i]))
			continue;
		send = true;
		l->after = LIGHT_AFTER;
		if (i < LIGHT_BEFORE)
			last = true;
	}
	last = last && l->kept && joins;
	l->kept = !send;
	l->quiet = send ? 0 : l->quiet + 1;
	return (send ? LIGHT_SEND : 0) | (last ? LIGHT_SEND_LAST : 0);
}
