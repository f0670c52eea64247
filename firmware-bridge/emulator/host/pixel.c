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
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FOLLOW_EVERY_NS 1000000000LL

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sleep_until(int64_t at)
{
	struct timespec t = {.tv_sec = at / 1000000000LL, .tv_nsec = at % 1000000000LL};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void complain(const struct pixel *p, const char *why)
{
	fprintf(stderr, "emolab-simavr: light from byte %" PRId64 " of %s: %s\n", p->offset, p->path, why);
}

/* Opens what is under the path and keeps it if the byte is in it. Returns NULL or
 * why not. */
static const char *open_file(struct pixel *p)
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

static void follow(struct pixel *p)
{
	struct stat s;
	if (stat(p->path, &s) == 0 && (s.st_dev != p->device || s.st_ino != p->inode))
		open_file(p); /* where it is of no use, not yet or for good, the old one stays */
}

/* Reads the byte. What others write through a mapping is seen by read at once, and a
 * file that has been cut short is an error here and no signal. */
static bool read_byte(struct pixel *p, uint8_t *byte)
{
	ssize_t n = pread(p->fd, byte, 1, p->offset);
	if (n != 1)
		complain(p, n < 0 ? strerror(errno) : "the file has become too short");
	return n == 1;
}

static const struct change *last_change(const struct pixel *p)
{
	return &p->changes[(p->head + p->count - 1) % PIXEL_CHANGES];
}

static void enter(struct pixel *p, int64_t at, uint8_t byte)
{
	if (p->count == PIXEL_CHANGES) {
		p->head = (p->head + 1) % PIXEL_CHANGES;
		p->count--;
	}
	p->changes[(p->head + p->count++) % PIXEL_CHANGES] = (struct change){at, byte};
}

/* Looks once. */
static bool look(struct pixel *p)
{
	int64_t from = now_ns();
	uint8_t byte;
	if (!read_byte(p, &byte))
		return false;
	int64_t until = now_ns();
	pthread_mutex_lock(&p->lock);
	if (byte != last_change(p)->byte) {
		if (until - p->looked >= PIXEL_LATE_NS)
			p->late++;
		enter(p, p->looked + (until - p->looked) / 2, byte);
	}
	p->looked = from;
	pthread_mutex_unlock(&p->lock);
	return true;
}

static void *watch(void *param)
{
	struct pixel *p = param;
	prctl(PR_SET_TIMERSLACK, 1UL); /* of this thread */
	/* Before all others, where that is allowed: it needs a microsecond at a time. */
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
	int64_t next = now_ns();
	while (!p->ending) {
		int64_t now = now_ns();
		next += PIXEL_EVERY_NS;
		if (next < now)
			next = now; /* what was missed is not made up for */
		sleep_until(next);
		if (now >= p->follow_at) {
			p->follow_at = now + FOLLOW_EVERY_NS;
			follow(p);
		}
		if (!look(p)) {
			p->failed = true;
			break;
		}
	}
	return NULL;
}

bool pixel_open(struct pixel *p)
{
	p->fd = -1;
	const char *why = open_file(p);
	if (why != NULL) {
		complain(p, why);
		return false;
	}
	uint8_t byte;
	if (!read_byte(p, &byte))
		return false;
	enter(p, 0, byte);
	p->looked = now_ns();
	p->follow_at = p->looked + FOLLOW_EVERY_NS;
	pthread_mutex_init(&p->lock, NULL);
	int failed = pthread_create(&p->thread, NULL, watch, p);
	if (failed != 0)
		complain(p, strerror(failed));
	return failed == 0;
}

void pixel_close(struct pixel *p)
{
	p->ending = true;
	pthread_join(p->thread, NULL);
	close(p->fd);
}

double pixel_at(struct pixel *p, int64_t at)
{
	pthread_mutex_lock(&p->lock);
	while (p->looked < at && !p->failed) {
		pthread_mutex_unlock(&p->lock);
		int64_t now = now_ns();
		sleep_until((at > now ? at : now) + PIXEL_EVERY_NS / 2);
		pthread_mutex_lock(&p->lock);
	}
	size_t i = p->count - 1;
	while (i > 0 && p->changes[(p->head + i) % PIXEL_CHANGES].at > at)
		i--;
	uint8_t byte = p->changes[(p->head + i) % PIXEL_CHANGES].byte;
	pthread_mutex_unlock(&p->lock);
	return p->dark_mv + (p->bright_mv - p->dark_mv) * byte / 255;
}
