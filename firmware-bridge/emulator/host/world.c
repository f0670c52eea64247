/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the pins are connected to.
 *
 * Part of emolab-simavr, a program of its own under the GNU General Public
 * License, version 3 or (at your option) any later version: see COPYING.
 */
#define _GNU_SOURCE /* M_PI */
#include "world.h"

#include <math.h>

static struct point *point_of(struct course *c, size_t i)
{
	return &c->points[(c->head + i) % WORLD_POINTS];
}

size_t course_room(const struct course *c) { return WORLD_POINTS - c->count; }

bool course_add(struct course *c, struct point p, int64_t now)
{
	if (c->count == WORLD_POINTS)
		return false;
	if (c->count > 0 && p.at < point_of(c, c->count - 1)->at)
		return false;
	if (p.at < now)
		c->late++;
	c->count++;
	*point_of(c, c->count - 1) = p;
	return true;
}

void course_advance(struct course *c, int64_t to)
{
	while (c->count > 1 && point_of(c, 1)->at <= to)
		course_drop(c);
}

double course_at(struct course *c, int64_t at)
{
	if (c->count == 0)
		return 0;
	course_advance(c, at);
	struct point *here = point_of(c, 0);
	if (c->count == 1) {
		if (!here->jump && at > here->at)
			c->starved++;
		return here->value;
	}
	struct point *next = point_of(c, 1);
	if (next->jump || at <= here->at)
		return here->value;
	return here->value + (next->value - here->value) * (double)(at - here->at) / (double)(next->at - here->at);
}

bool course_peek(const struct course *c, struct point *p)
{
	if (c->count == 0)
		return false;
	*p = c->points[c->head];
	return true;
}

void course_drop(struct course *c)
{
	c->head = (c->head + 1) % WORLD_POINTS;
	c->count--;
}

/* A number in (0, 1): splitmix64. */
static double uniform(struct noise *n)
{
	uint64_t z = n->state += 0x9E3779B97F4A7C15u;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	z ^= z >> 31;
	return ((double)(z >> 11) + 0.5) * 0x1p-53;
}

double noise_next(struct noise *n)
{
	/* Box and Muller 1958; the second number is not kept. */
	double u = uniform(n), v = uniform(n);
	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}
