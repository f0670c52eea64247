/* SPDX-License-Identifier: GPL-3.0-or-later
 * The pseudo-terminal that stands for the USB serial adapter.
 *
 * Part of emolab-simavr, a program of its own under the GNU General Public
 * License, version 3 or (at your option) any later version: see COPYING.
 */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an FTDI adapter collects before it delivers without waiting for its
 * latency timer: the data bytes of one USB packet. */
#define PORT_PACKET 62

struct port {
	const char *link; /* where the port is found */
	int master;       /* -1 = unplugged */
	bool open;        /* somebody has it open */
	int64_t batch_ns; /* latency timer, 0 = deliver at once */
	int64_t flush_at; /* next tick of the latency timer */
	uint8_t packet[PORT_PACKET];
	size_t filled;
	uint64_t sent;    /* bytes taken by the host */
	uint64_t lost;    /* bytes sent while the port was open and not read */
	uint64_t unheard; /* bytes sent while nobody had it open */
};

/* Makes the pseudo-terminal and the link to it. now starts the latency timer.
 * On failure errno says why. */
bool port_plug(struct port *p, int64_t now);

/* Takes both away; the host's reads fail. */
void port_unplug(struct port *p);

/* Looks whether somebody has the port open. True when somebody has opened it
 * since the last look. */
bool port_opened(struct port *p);

/* One byte that was complete on the wire at an instant. Instants must not go back. */
void port_send(struct port *p, uint8_t byte, int64_t at);

/* Delivers what the latency timer has let go by now. */
void port_advance(struct port *p, int64_t now);

/* Reads what the host wrote; 0 = nothing. */
size_t port_receive(struct port *p, uint8_t *bytes, size_t room);

#endif
