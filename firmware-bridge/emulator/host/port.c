/* SPDX-License-Identifier: GPL-3.0-or-later
 * The pseudo-terminal that stands for the USB serial adapter.
 *
 * Part of emolab-simavr, a program of its own under the GNU General Public
 * License, version 3 or (at your option) any later version: see COPYING.
 */
#define _GNU_SOURCE
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Points link at target at once: there is no moment without it when it was
 * there before. Anything else than a link that stands there is left alone. */
static bool point_link(const char *target, const char *link)
{
	struct stat there;
	if (lstat(link, &there) == 0 && !S_ISLNK(there.st_mode)) {
		errno = EEXIST;
		return false;
	}
	char fresh[PATH_MAX];
	if (snprintf(fresh, sizeof fresh, "%s.new", link) >= (int)sizeof fresh) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (unlink(fresh) != 0 && errno != ENOENT)
		return false;
	return symlink(target, fresh) == 0 && rename(fresh, link) == 0;
}

/* Turns off echo, line editing and every translation. The settings outlive the
 * closing of the host's end, which must be closed here so that the kernel tells
 * whether somebody else has it open. */
static bool set_raw(const char *name)
{
	int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return false;
	struct termios t;
	bool ok = tcgetattr(slave, &t) == 0;
	cfmakeraw(&t);
	ok = ok && tcsetattr(slave, TCSANOW, &t) == 0;
	close(slave);
	return ok;
}

bool port_plug(struct port *p, int64_t now)
{
	char name[PATH_MAX];
	p->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (p->master < 0)
		return false;
	if (grantpt(p->master) != 0 || unlockpt(p->master) != 0 ||
	    ptsname_r(p->master, name, sizeof name) != 0 || !set_raw(name) || !point_link(name, p->link)) {
		int why = errno;
		close(p->master);
		p->master = -1;
		errno = why;
		return false;
	}
	p->open = false;
	p->filled = 0;
	p->flush_at = now + p->batch_ns;
	return true;
}

void port_unplug(struct port *p)
{
	if (p->master < 0)
		return;
	/* The link goes first, and only if it is still ours: nobody may find a
	 * port that is no more. */
	char name[PATH_MAX], target[PATH_MAX];
	ssize_t n = readlink(p->link, target, sizeof target - 1);
	if (n > 0 && ptsname_r(p->master, name, sizeof name) == 0) {
		target[n] = '\0';
		if (strcmp(target, name) == 0)
			unlink(p->link);
	}
	close(p->master);
	p->master = -1;
	p->open = false;
	p->filled = 0;
}

bool port_opened(struct port *p)
{
	if (p->master < 0)
		return false;
	struct pollfd f = {.fd = p->master};
	bool open = poll(&f, 1, 0) >= 0 && !(f.revents & POLLHUP);
	bool fresh = open && !p->open;
	p->open = open;
	return fresh;
}

static void flush(struct port *p)
{
	size_t n = p->filled;
	p->filled = 0;
	if (n == 0 || p->master < 0)
		return;
	if (!p->open) {
		p->unheard += n;
		return;
	}
	ssize_t taken = write(p->master, p->packet, n);
	if (taken < 0)
		taken = 0; /* full, or closed a moment ago */
	p->sent += (uint64_t)taken;
	p->lost += n - (size_t)taken;
}

void port_advance(struct port *p, int64_t now)
{
	if (p->batch_ns == 0) {
		flush(p);
		return;
	}
	if (p->flush_at > now)
		return;
	flush(p);
	p->flush_at += (now - p->flush_at) / p->batch_ns * p->batch_ns + p->batch_ns;
}

void port_send(struct port *p, uint8_t byte, int64_t at)
{
	if (p->batch_ns > 0)
		port_advance(p, at);
	if (p->master < 0) {
		p->unheard++;
		return;
	}
	p->packet[p->filled++] = byte;
	if (p->filled == PORT_PACKET)
		flush(p);
}

size_t port_receive(struct port *p, uint8_t *bytes, size_t room)
{
	if (p->master < 0 || room == 0)
		return 0;
	ssize_t n = read(p->master, bytes, room);
	return n > 0 ? (size_t)n : 0;
}
