/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the pins are connected to: voltages and levels, given ahead of time.
 *
 * Part of emolab-simavr, a program of its own under the GNU General Public
 * License, version 3 or (at your option) any later version: see COPYING.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Instants are CLOCK_MONOTONIC in nanoseconds, voltages are in millivolts. */

/* How many points of one channel may lie ahead: a second at one each 5 ms,
 * twenty times over. */
#define WORLD_POINTS 4096

struct point {
	int64_t at;
	double value;
	bool jump; /* the value before stays until this point, else a straight line leads to it */
};

/* One channel's course. points[head] is the last one that has passed. */
struct course {
	struct point points[WORLD_POINTS];
	size_t head, count;
	uint64_t late;    /* points that came after their time */
	uint64_t starved; /* readings after the last point of a line */
};

/* How many points can still be added. */
size_t course_room(const struct course *c);

/* Adds a point. False when the course is full, or the point lies before the
 * latest one. now is how far the course has been read. */
bool course_add(struct course *c, struct point p, int64_t now);

/* Forgets what lies before an instant and is not needed for it. */
void course_advance(struct course *c, int64_t to);

/* Returns the value at an instant; instants must not go back. Before the first
 * point it is the first point's value, without points 0. */
double course_at(struct course *c, int64_t at);

/* Takes the next point off the course if there is one, for courses that are
 * acted on point by point. */
bool course_peek(const struct course *c, struct point *p);
void course_drop(struct course *c);

/* Noise of a normal distribution, the same for the same seed. */
struct noise {
	uint64_t state;
};
double noise_next(struct noise *n);

#endif
