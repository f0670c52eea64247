/* SPDX-License-Identifier: GPL-3.0-or-later
 * The ATmega328P that runs the firmware, and what is wired to it.
 *
 * Part of emolab-simavr, a program of its own under the GNU General Public
 * License, version 3 or (at your option) any later version: see COPYING.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pixel.h"
#include "world.h"

#include <sim_avr.h>

#define BOARD_HZ 16000000
#define BOARD_CHANNELS 2      /* ADC0 and ADC1 */
#define BOARD_LIGHT 1         /* the photodiode's */
#define BOARD_SUPPLY_MV 5000  /* also the converter's reference */

/* Bytes on their way. The host's wait here while the UART takes them one by
 * one, the firmware's until they are complete on the wire. */
#define BOARD_QUEUE 4096

struct transfer {
	uint8_t byte;
	avr_cycle_count_t at; /* host's: when its start bit comes; firmware's: when its stop bit has gone */
};

struct queue {
	struct transfer items[BOARD_QUEUE];
	size_t head, count;
};

struct board {
	avr_t *avr;
	int64_t epoch_ns;    /* instant of cycle 0 */
	double ns_per_cycle; /* by the lab's clock */

	struct course analog[BOARD_CHANNELS];
	struct pixel *pixel; /* what the photodiode sees instead of its course, or NULL */
	struct noise noise;
	double noise_mv;
	struct course trigger; /* level of ICP1 = PB0, to come */
	bool trigger_level;    /* now */

	struct queue in, out;
	bool xoff; /* the simulated receiver is full */
	avr_cycle_count_t in_free, out_free; /* when the wire is free again */

	avr_irq_t *uart_in, *adc, *trigger_pin;
	avr_run_t run;                 /* simavr's own; it is replaced for one call at a watchdog reset */
	avr_cycle_count_t boot_cycles; /* how long the boot loader holds the board after a reset */
	avr_cycle_count_t booting;     /* until then */
	bool timer_runs;               /* Timer1, the firmware's clock */
	bool started;                  /* it has just been started, at */
	avr_cycle_count_t started_at;
	uint64_t resets;               /* by the watchdog */
	uint64_t received;             /* bytes of the host put on the wire */
	uint64_t deaf;                 /* of them, those that came during a reset or to the boot loader */
};

/* Why the board was reset: bits of MCUSR. */
enum reset { RESET_POWER = 1, RESET_PIN = 2 };

/* Loads the firmware. False, with a message on standard error, when it cannot
 * be read. */
bool board_load(struct board *b, const char *elf);

/* Starts the firmware anew. Its clock begins again, the cycles go on. */
void board_reset(struct board *b, enum reset cause);

/* Runs until a cycle has passed. False when the processor has stopped for good. */
bool board_run(struct board *b, avr_cycle_count_t until);

/* Lets the time until a cycle pass without power. */
void board_rest(struct board *b, avr_cycle_count_t until);

/* Puts what the host sent at an instant on the wire. The bytes beyond the room
 * that board_room tells are dropped. */
void board_receive(struct board *b, const uint8_t *bytes, size_t n, int64_t at);
size_t board_room(const struct board *b);

/* Takes the next byte of the firmware that was complete by a cycle. */
bool board_sent(struct board *b, avr_cycle_count_t by, struct transfer *t);

int64_t board_instant(const struct board *b, avr_cycle_count_t cycle);

#endif
