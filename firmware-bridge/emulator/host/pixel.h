/* SPDX-License-Identifier: GPL-3.0-or-later
 * Light that comes from a byte of a file: a pixel of an X server's framebuffer.
 *
 * Part of emolab-simavr, a program of its own under the GNU General Public
 * License, version 3 or (at your option) any later version: see COPYING.
 */
#ifndef PIXEL_H
#define PIXEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How often the byte is looked at. */
#define PIXEL_EVERY_NS 200000LL

/* A change is late when this much or more passed between the looks before and after. */
#define PIXEL_LATE_NS 1000000LL

/* How many changes are kept for a simulation that is behind: some seconds of a
 * screen that flashes with every frame. */
#define PIXEL_CHANGES 512

struct change {
	int64_t at; /* CLOCK_MONOTONIC, halfway between two looks */
	uint8_t byte;
};

/* A thread of its own looks, because a simulation that is behind real time could
 * only see what is there too late. */
struct pixel {
	const char *path;
	int64_t offset;            /* of the byte in the file */
	double dark_mv, bright_mv; /* the voltage when it is 0 and 255; straight between */

	/* The thread's: */
	pthread_t thread;
	int fd;
	dev_t device;
	ino_t inode;
	int64_t follow_at; /* when to look next whether there is another file */

	pthread_mutex_t lock;
	struct change changes[PIXEL_CHANGES]; /* under the lock, as is what follows */
	size_t head, count;
	int64_t looked; /* until then all changes are known */

	atomic_bool ending;
	atomic_bool failed;   /* the file cannot be read any more, and that was said */
	atomic_uint_fast64_t late; /* changes that are known to PIXEL_LATE_NS at best */
};

/* Opens the file and starts to look. False, with a message on standard error, where
 * it is missing or ends before the byte. From then on, when another file comes under
 * the same name it is taken, as an X server makes one when it starts anew. */
bool pixel_open(struct pixel *p);

/* Ends the thread and waits for it. */
void pixel_close(struct pixel *p);

/* Returns the voltage at an instant, once it is known. When the file has become too
 * short that was said, failed is set, and the voltage is the last one. */
double pixel_at(struct pixel *p, int64_t at);

#endif
