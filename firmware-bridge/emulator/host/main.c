/* SPDX-License-Identifier: GPL-3.0-or-later
 * emolab-simavr runs Emolab's firmware in real time behind a pseudo-terminal.
 *
 * Part of emolab-simavr, a program of its own under the GNU General Public
 * License, version 3 or (at your option) any later version: see COPYING.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

#include "board.h"
#include "port.h"

/* How far the processor runs between two looks at the outer world. Bytes and
 * edges are placed to the cycle whatever it is; it only delays what the firmware
 * says. */
#define SLICE (BOARD_HZ / 4000)

/* How often the counters are reported. */
#define REPORT_EVERY_NS 1000000000LL

#define LINE_MAX_BYTES 128

/* How much of standard input is read at once, and the least bytes of a point. */
#define READ_BYTES 4096
#define POINT_BYTES 4

struct machine {
	struct board board;
	struct port port;
	struct pixel pixel; /* of use where the board has been given it */
	bool powered;
	bool reset_on_open;
	bool failed; /* and has said why */
	int64_t max_lag_ns, report_at;
	char line[LINE_MAX_BYTES];
	size_t line_filled;
	FILE *out; /* what was standard output; simavr prints on that */
};

static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
	(void)number;
	asked_to_end = 1;
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void say(struct machine *m, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vfprintf(m->out, format, list);
	va_end(list);
	fputc('\n', m->out);
	fflush(m->out);
}

static void on_simavr_message(avr_t *avr, const int level, const char *format, va_list list)
{
	(void)avr;
	if (level <= LOG_WARNING)
		vfprintf(stderr, format, list);
}

static void report(struct machine *m)
{
	struct board *b = &m->board;
	uint64_t late = b->trigger.late, starved = 0;
	for (int i = 0; i < BOARD_CHANNELS; i++) {
		late += b->analog[i].late;
		starved += b->analog[i].starved;
	}
	say(m, "stats cycles=%" PRIu64 " sent=%" PRIu64 " lost=%" PRIu64 " unheard=%" PRIu64 " received=%" PRIu64
	       " deaf=%" PRIu64 " late=%" PRIu64 " starved=%" PRIu64 " resets=%" PRIu64 " max_lag_ns=%" PRId64
	       " light_late=%" PRIu64,
	    (uint64_t)b->avr->cycle, m->port.sent, m->port.lost, m->port.unheard, b->received, b->deaf, late, starved,
	    b->resets, m->max_lag_ns, (uint64_t)m->pixel.late);
}

/* --- commands -------------------------------------------------------------- */

static bool plug(struct machine *m)
{
	if (m->powered)
		return true;
	board_reset(&m->board, RESET_POWER);
	if (!port_plug(&m->port, board_instant(&m->board, m->board.avr->cycle))) {
		fprintf(stderr, "emolab-simavr: %s: %s\n", m->port.link, strerror(errno));
		return false;
	}
	m->powered = true;
	return true;
}

/* Obeys one line. False, with a message, when it makes no sense. */
static bool obey(struct machine *m, const char *line)
{
	struct board *b = &m->board;
	int64_t now = board_instant(b, b->avr->cycle);
	unsigned channel;
	int64_t at;
	double value;
	char kind;
	if (sscanf(line, " %c", &kind) != 1)
		return true;
	switch (kind) {
	case 'L':
	case 'S':
		if (sscanf(line, " %*c %u %" SCNd64 " %lf", &channel, &at, &value) == 3 && channel < BOARD_CHANNELS &&
		    course_add(&b->analog[channel], (struct point){at, value, kind == 'S'}, now))
			return true;
		break;
	case 'T':
		if (sscanf(line, " %*c %" SCNd64 " %lf", &at, &value) == 2 &&
		    course_add(&b->trigger, (struct point){at, value, true}, now))
			return true;
		break;
	case 'U':
		port_unplug(&m->port);
		m->powered = false;
		say(m, "unplugged");
		return true;
	case 'P':
		if (!plug(m))
			return false;
		say(m, "plugged");
		return true;
	case 'R':
		if (m->powered)
			board_reset(b, RESET_PIN);
		say(m, "reset");
		return true;
	}
	fprintf(stderr, "emolab-simavr: cannot obey the line \"%s\": it makes no sense, or its time lies before that of another\n", line);
	return false;
}

/* Tells whether all that is read at once finds room. A board that has fallen behind
 * lets standard input wait until it has caught up. */
static bool has_room(const struct machine *m)
{
	const struct board *b = &m->board;
	size_t room = course_room(&b->trigger);
	for (int i = 0; i < BOARD_CHANNELS; i++)
		if (course_room(&b->analog[i]) < room)
			room = course_room(&b->analog[i]);
	return room >= READ_BYTES / POINT_BYTES;
}

/* Reads standard input. False when it has ended or a line makes no sense. */
static bool listen_to_commands(struct machine *m)
{
	char bytes[READ_BYTES];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] != '\n') {
			if (m->line_filled == LINE_MAX_BYTES - 1) {
				fprintf(stderr, "emolab-simavr: a line of more than %d bytes\n", LINE_MAX_BYTES - 1);
				m->failed = true;
				return false;
			}
			m->line[m->line_filled++] = bytes[i];
			continue;
		}
		m->line[m->line_filled] = '\0';
		m->line_filled = 0;
		if (!obey(m, m->line)) {
			m->failed = true;
			return false;
		}
	}
	return n > 0;
}

/* --- the loop ---------------------------------------------------------------- */

static void take_from_host(struct machine *m)
{
	uint8_t bytes[512];
	size_t room = board_room(&m->board);
	size_t n = port_receive(&m->port, bytes, room < sizeof bytes ? room : sizeof bytes);
	board_receive(&m->board, bytes, n, now_ns());
}

/* Waits until an instant, and serves the host and standard input meanwhile.
 * False when it is time to end. */
static bool wait_until(struct machine *m, int64_t deadline)
{
	for (bool first = true;; first = false) {
		int64_t left = deadline - now_ns();
		if (left <= 0 && !first)
			return true;
		if (left < 0)
			left = 0;
		/* A port that nobody has open reports POLLHUP all the time, and what is
		 * full is not to be filled further: neither is waited on. */
		bool listening = m->port.open && board_room(&m->board) > 0;
		struct pollfd fds[2] = {
			{.fd = has_room(m) ? STDIN_FILENO : -1, .events = POLLIN},
			{.fd = listening ? m->port.master : -1, .events = POLLIN},
		};
		struct timespec t = {.tv_sec = left / 1000000000LL, .tv_nsec = left % 1000000000LL};
		int n = ppoll(fds, 2, &t, NULL);
		if (asked_to_end)
			return false;
		if (n < 0 && errno != EINTR) {
			perror("emolab-simavr: ppoll");
			m->failed = true;
			return false;
		}
		if (n <= 0)
			continue;
		if (fds[1].revents & POLLIN)
			take_from_host(m);
		else if (fds[1].revents)
			m->port.open = false;
		if (fds[0].revents && !listen_to_commands(m))
			return false;
	}
}

static void deliver(struct machine *m)
{
	struct board *b = &m->board;
	struct transfer t;
	while (board_sent(b, b->avr->cycle, &t))
		port_send(&m->port, t.byte, board_instant(b, t.at));
	port_advance(&m->port, board_instant(b, b->avr->cycle));
}

/* One slice of the board's life. Without power the cycles only pass. */
static bool live(struct machine *m)
{
	struct board *b = &m->board;
	avr_cycle_count_t until = b->avr->cycle + SLICE;
	if (!m->powered) {
		board_rest(b, until);
	} else if (!board_run(b, until) || m->pixel.failed) {
		m->failed = true;
		return false;
	}
	if (b->started) {
		b->started = false;
		say(m, "clock %" PRIu64, (uint64_t)b->started_at);
	}
	int64_t due = board_instant(b, b->avr->cycle);
	if (!wait_until(m, due))
		return false;
	int64_t lag = now_ns() - due;
	if (lag > m->max_lag_ns)
		m->max_lag_ns = lag;
	if (m->powered && port_opened(&m->port) && m->reset_on_open)
		board_reset(b, RESET_PIN);
	deliver(m);
	if (due >= m->report_at) {
		m->report_at = due + REPORT_EVERY_NS;
		report(m);
	}
	return true;
}

/* --- start ------------------------------------------------------------------- */

static void usage(FILE *f)
{
	fputs("usage: emolab-simavr -elf FIRMWARE -link PATH [-ppm P] [-batch MS] [-epoch NS]\n"
	      "                     [-noise MV] [-seed N] [-reset-on-open] [-boot MS]\n"
	      "                     [-light-file FILE -light-offset N -light-dark MV -light-bright MV]\n"
	      "Runs the firmware of an ATmega328P at 16 MHz behind a pseudo-terminal at PATH.\n"
	      "See README.md for what it reads and writes.\n", f);
}

struct options {
	const char *elf, *link, *light_file;
	double ppm, batch_ms, noise_mv, boot_ms, light_dark_mv, light_bright_mv;
	int64_t epoch_ns, light_offset;
	uint64_t seed;
	bool reset_on_open;
};

static bool parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i];
		if (strcmp(name, "-reset-on-open") == 0) {
			o->reset_on_open = true;
			continue;
		}
		if (i + 1 == argc)
			return false;
		const char *text = argv[++i];
		char *end = "";
		if (strcmp(name, "-elf") == 0)
			o->elf = text;
		else if (strcmp(name, "-link") == 0)
			o->link = text;
		else if (strcmp(name, "-ppm") == 0)
			o->ppm = strtod(text, &end);
		else if (strcmp(name, "-batch") == 0)
			o->batch_ms = strtod(text, &end);
		else if (strcmp(name, "-epoch") == 0)
			o->epoch_ns = strtoll(text, &end, 10);
		else if (strcmp(name, "-noise") == 0)
			o->noise_mv = strtod(text, &end);
		else if (strcmp(name, "-seed") == 0)
			o->seed = strtoull(text, &end, 10);
		else if (strcmp(name, "-boot") == 0)
			o->boot_ms = strtod(text, &end);
		else if (strcmp(name, "-light-file") == 0)
			o->light_file = text;
		else if (strcmp(name, "-light-offset") == 0)
			o->light_offset = strtoll(text, &end, 10);
		else if (strcmp(name, "-light-dark") == 0)
			o->light_dark_mv = strtod(text, &end);
		else if (strcmp(name, "-light-bright") == 0)
			o->light_bright_mv = strtod(text, &end);
		else
			return false;
		if (*text == '\0' || *end != '\0')
			return false;
	}
	return o->elf != NULL && o->link != NULL && o->ppm > -1e5 && o->ppm < 1e5 && o->batch_ms >= 0 && o->batch_ms <= 255 &&
	       o->noise_mv >= 0 && o->boot_ms >= 0 && o->boot_ms <= 1e4;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	if (!parse(&o, argc, argv)) {
		usage(stderr);
		return 2;
	}
	static struct machine m; /* too large for the stack */
	int kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	m.out = kept < 0 ? NULL : fdopen(kept, "w");
	if (m.out == NULL || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		perror("emolab-simavr: standard output");
		return 1;
	}
	struct sigaction end = {.sa_handler = on_signal};
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1UL); /* wake up when asked to, not up to 50 us later */
	avr_global_logger_set(on_simavr_message);

	if (!board_load(&m.board, o.elf))
		return 1;
	m.board.ns_per_cycle = 1e9 / BOARD_HZ / (1 + o.ppm * 1e-6);
	m.board.noise_mv = o.noise_mv;
	m.board.noise.state = o.seed;
	m.board.boot_cycles = (avr_cycle_count_t)(o.boot_ms * BOARD_HZ / 1e3);
	m.reset_on_open = o.reset_on_open;
	m.port = (struct port){.link = o.link, .master = -1, .batch_ns = (int64_t)(o.batch_ms * 1e6)};
	m.pixel.path = o.light_file;
	m.pixel.offset = o.light_offset;
	m.pixel.dark_mv = o.light_dark_mv;
	m.pixel.bright_mv = o.light_bright_mv;
	if (o.light_file != NULL) {
		if (!pixel_open(&m.pixel))
			return 1;
		m.board.pixel = &m.pixel;
	}
	m.board.epoch_ns = o.epoch_ns != 0 ? o.epoch_ns : now_ns();
	if (!plug(&m))
		return 1;
	say(&m, "ready %" PRId64 " %.17g", m.board.epoch_ns, m.board.ns_per_cycle);
	if (wait_until(&m, m.board.epoch_ns))
		while (live(&m))
			;
	port_unplug(&m.port);
	if (m.board.pixel != NULL)
		pixel_close(m.board.pixel);
	report(&m);
	return m.failed ? 1 : 0;
}
