/* SPDX-License-Identifier: GPL-3.0-or-later
 * Light that comes from a byte of a file.
 *
 * Part of emolab-simavr, a program of its own under the GNU General Public
 * License, version 3 or (at your option) any later version: see COPYING.
 */
#define _GNU_SOURCE
#include "pixel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Opens what is under the path and keeps it if the byte is in it. Returns NULL or
 * why not. */
static const char *look(struct pixel *p)
{
	int fd = open(p->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return strerror(errno);
	struct stat s;
	const char *why = NULL;
	if (fstat(fd, &s) != 0)
		why = strerror(errno);
	else if (!S_ISREG(s.st_mode))
		why = "not a file";
	else if (p->offset < 0 || p->offset >= s.st_size)
		why = "the file ends before that byte";
	if (why != NULL) {
		close(fd);
		return why;
	}
	if (p->fd >= 0)
		close(p->fd);
	p->fd = fd;
	p->device = s.st_dev;
	p->inode = s.st_ino;
	return NULL;
}

static void complain(const struct pixel *p, const char *why)
{
	fprintf(stderr, "emolab-simavr: light from byte %" PRId64 " of %s: %s\n", p->offset, p->path, why);
}

bool pixel_open(struct pixel *p)
{
	p->fd = -1;
	p->mv = p->dark_mv;
	const char *why = look(p);
	if (why != NULL)
		complain(p, why);
	return why == NULL;
}

void pixel_follow(struct pixel *p)
{
	struct stat s;
	if (stat(p->path, &s) == 0 && (s.st_dev != p->device || s.st_ino != p->inode))
		look(p); /* where it is of no use, not yet or for good, the old one stays */
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

double pixel_at(struct pixel *p, int64_t at)
{
	if (at > now_ns()) {
		/* A signal ends the wait, and the program soon after. */
		struct timespec t = {.tv_sec = at / 1000000000LL, .tv_nsec = at % 1000000000LL};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	}
	/* What others write through a mapping is seen by read at once, and a file that
	 * has been cut short is an error here and no signal. */
	uint8_t byte;
	ssize_t n = pread(p->fd, &byte, 1, p->offset);
	if (n != 1) {
		if (!p->failed)
			complain(p, n < 0 ? strerror(errno) : "the file has become too short");
		p->failed = true;
		return p->mv;
	}
	if (now_ns() - at > PIXEL_LATE_NS)
		p->late++;
	p->mv = p->dark_mv + (p->bright_mv - p->dark_mv) * byte / 255;
	return p->mv;
}
