/* SPDX-License-Identifier: GPL-3.0-or-later
 * Light that comes from a byte of a file: a pixel of an X server's framebuffer.
 *
 * Part of emolab-simavr, a program of its own under the GNU General Public
 * License, version 3 or (at your option) any later version: see COPYING.
 */
#ifndef PIXEL_H
#define PIXEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A reading that comes this much after its instant is counted as late. */
#define PIXEL_LATE_NS 1000000LL

struct pixel {
	const char *path;
	int64_t offset;           /* of the byte in the file */
	double dark_mv, bright_mv; /* the voltage when it is 0 and 255; straight between */

	int fd;
	dev_t device;
	ino_t inode;
	double mv;     /* as read last */
	bool failed;   /* the file cannot be read any more, and that was said */
	uint64_t late; /* readings that came more than PIXEL_LATE_NS after their instant */
};

/* Opens the file. False, with a message on standard error, where it is missing or
 * ends before the byte. */
bool pixel_open(struct pixel *p);

/* Opens the file that has come under the same name since, if one has and is long
 * enough; an X server makes a new one when it starts anew. */
void pixel_follow(struct pixel *p);

/* Waits until an instant of CLOCK_MONOTONIC unless it has passed, and returns the
 * voltage then. When the file has become too short it says so once, sets failed
 * and returns the last voltage. */
double pixel_at(struct pixel *p, int64_t at);

#endif
