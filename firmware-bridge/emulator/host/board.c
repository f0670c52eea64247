/* SPDX-License-Identifier: GPL-3.0-or-later
 * The ATmega328P that runs the firmware, and what is wired to it.
 *
 * Part of emolab-simavr, a program of its own under the GNU General Public
 * License, version 3 or (at your option) any later version: see COPYING.
 */
#include "board.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <avr_adc.h>
#include <avr_ioport.h>
#include <avr_uart.h>
#include <sim_cycle_timers.h>
#include <sim_elf.h>
#include <sim_interrupts.h>
#include <sim_io.h>
#include <sim_regbit.h>

enum {
	MCUSR = 0x54,  /* data addresses of the ATmega328P */
	TIFR1 = 0x36,
	TCCR1B = 0x81,
	CLOCK_SELECT = 7, /* bits of TCCR1B; 0 = the timer stands */

	/* A byte on the line: start, 8 bits, stop at 115200 baud by the host's
	 * adapter, and at 16 MHz / 8 / 17 by the firmware's. */
	HOST_BYTE = BOARD_HZ / 11520,
	FIRMWARE_BYTE = 8 * 17 * 10,

	/* The converter samples 1.5 of its clocks of 128 cycles after the start. */
	SAMPLE_AND_HOLD = 192,

	/* The longest time that a sleeping processor is let sleep at once. */
	NAP = BOARD_HZ / 4000,
};

int64_t board_instant(const struct board *b, avr_cycle_count_t cycle)
{
	return b->epoch_ns + (int64_t)((double)cycle * b->ns_per_cycle);
}

static avr_cycle_count_t cycle_of(const struct board *b, int64_t at)
{
	if (at <= b->epoch_ns)
		return 0;
	return (avr_cycle_count_t)((double)(at - b->epoch_ns) / b->ns_per_cycle);
}

static bool queue_push(struct queue *q, struct transfer t)
{
	if (q->count == BOARD_QUEUE)
		return false;
	q->items[(q->head + q->count++) % BOARD_QUEUE] = t;
	return true;
}

static void queue_drop(struct queue *q)
{
	q->head = (q->head + 1) % BOARD_QUEUE;
	q->count--;
}

/* --- wiring ------------------------------------------------------------- */

static void on_uart_byte(avr_irq_t *irq, uint32_t value, void *param)
{
	(void)irq;
	struct board *b = param;
	avr_cycle_count_t from = b->avr->cycle > b->out_free ? b->avr->cycle : b->out_free;
	b->out_free = from + FIRMWARE_BYTE;
	queue_push(&b->out, (struct transfer){(uint8_t)value, b->out_free});
}

static void on_xon(avr_irq_t *irq, uint32_t value, void *param)
{
	(void)irq, (void)value;
	((struct board *)param)->xoff = false;
}

static void on_xoff(avr_irq_t *irq, uint32_t value, void *param)
{
	(void)irq;
	if (value)
		((struct board *)param)->xoff = true;
}

/* A conversion begins: set the input that it reads. simavr takes whole
 * millivolts and computes mV * 1023 / reference, rounded down. What a real
 * converter gives is V * 1024 / reference, rounded down, of a voltage that is
 * no whole number; so the count is computed here, and simavr is given the least
 * voltage that makes it arrive there. */
static void on_conversion(avr_irq_t *irq, uint32_t value, void *param)
{
	(void)irq;
	struct board *b = param;
	union {
		avr_adc_mux_t mux;
		uint32_t v;
	} e = {.v = value};
	if (e.mux.kind != ADC_MUX_SINGLE || e.mux.src >= BOARD_CHANNELS)
		return;
	int64_t at = board_instant(b, b->avr->cycle + SAMPLE_AND_HOLD);
	bool watches = e.mux.src == BOARD_LIGHT && b->pixel != NULL;
	double mv = watches ? pixel_at(b->pixel, at) : course_at(&b->analog[e.mux.src], at);
	mv += b->noise_mv * noise_next(&b->noise);
	double count = floor(mv * 1024 / BOARD_SUPPLY_MV);
	if (!(count > 0))
		count = 0;
	if (count > 1023)
		count = 1023;
	uint32_t c = (uint32_t)count;
	avr_raise_irq(b->adc + ADC_IRQ_ADC0 + e.mux.src, (c * BOARD_SUPPLY_MV + 1022) / 1023);
}

/* Drives the trigger input. Whenever the firmware writes to the port, simavr sets
 * the inputs anew from its pull-ups, unless it knows of a stronger one outside. */
static void set_trigger(struct board *b, bool high)
{
	b->trigger_level = high;
	avr_ioport_external_t outside = {.name = 'B', .mask = 1, .value = high};
	avr_ioctl(b->avr, AVR_IOCTL_IOPORT_SET_EXTERNAL('B'), &outside);
	avr_raise_irq(b->trigger_pin, high);
}

/* A write to TIFR1 clears the flags that are written as 1. simavr 1.6 clears all of
 * them, and with them interrupts that wait: a firmware that clears its capture
 * flag would now and then lose a compare match or an overflow. */
static void on_tifr1(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param)
{
	(void)param;
	for (int i = 0; i < avr->interrupts.vector_count; i++) {
		avr_int_vector_t *v = avr->interrupts.vector[i];
		if (v->raised.reg == address && (value >> v->raised.bit & 1) && avr_regbit_get(avr, v->raised))
			avr_clear_interrupt(avr, v);
	}
}

static void on_timer1(avr_irq_t *irq, uint32_t value, void *param)
{
	(void)irq;
	struct board *b = param;
	bool runs = value & CLOCK_SELECT;
	if (runs && !b->timer_runs) {
		b->started = true;
		b->started_at = b->avr->cycle;
	}
	b->timer_runs = runs;
}

/* --- events at cycles ----------------------------------------------------- */

static avr_cycle_count_t nap(avr_t *avr, avr_cycle_count_t when, void *param)
{
	(void)avr, (void)param;
	return when + NAP;
}

static avr_cycle_count_t next_byte(avr_t *avr, avr_cycle_count_t when, void *param)
{
	(void)when;
	struct board *b = param;
	while (b->in.count > 0) {
		struct transfer *t = &b->in.items[b->in.head];
		if (t->at > avr->cycle)
			return t->at;
		if (b->xoff)
			return avr->cycle + HOST_BYTE;
		avr_raise_irq(b->uart_in, t->byte);
		queue_drop(&b->in);
	}
	return 0;
}

static avr_cycle_count_t next_level(avr_t *avr, avr_cycle_count_t when, void *param)
{
	(void)when;
	struct board *b = param;
	struct point p;
	while (course_peek(&b->trigger, &p)) {
		avr_cycle_count_t due = cycle_of(b, p.at);
		if (due > avr->cycle)
			return due;
		set_trigger(b, p.value > 0);
		course_drop(&b->trigger);
	}
	return 0;
}

static void ensure(struct board *b, avr_cycle_timer_t timer, bool wanted)
{
	if (wanted && avr_cycle_timer_status(b->avr, timer, b) == 0)
		avr_cycle_timer_register(b->avr, 1, timer, b);
}

/* Sets the timers that are needed and not running: at the start, for what is
 * new, and after a reset. */
static void arm(struct board *b)
{
	ensure(b, nap, true);
	ensure(b, next_byte, b->in.count > 0);
	ensure(b, next_level, b->trigger.count > 0);
}

/* --- life ------------------------------------------------------------------ */

/* Waiting is the main loop's job; simavr would call usleep here. */
static void on_sleep(avr_t *avr, avr_cycle_count_t how_long)
{
	(void)avr, (void)how_long;
}

bool board_load(struct board *b, const char *elf)
{
	elf_firmware_t f;
	memset(&f, 0, sizeof f);
	if (elf_read_firmware(elf, &f) != 0 || f.flashsize == 0) {
		fprintf(stderr, "emolab-simavr: %s cannot be read as the ELF file of an AVR program\n", elf);
		return false;
	}
	b->avr = avr_make_mcu_by_name("atmega328p");
	if (b->avr == NULL || avr_init(b->avr) != 0) {
		fprintf(stderr, "emolab-simavr: this libsimavr has no ATmega328P\n");
		return false;
	}
	snprintf(f.mmcu, sizeof f.mmcu, "atmega328p");
	f.frequency = BOARD_HZ;
	f.vcc = f.avcc = f.aref = BOARD_SUPPLY_MV;
	avr_load_firmware(b->avr, &f);

	avr_t *avr = b->avr;
	avr->sleep = on_sleep;
	b->run = avr->run;

	uint32_t flags = 0;
	avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
	flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
	avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
	b->uart_in = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
	avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_uart_byte, b);
	avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), on_xon, b);
	avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), on_xoff, b);

	b->adc = avr_io_getirq(avr, AVR_IOCTL_ADC_GETIRQ, 0);
	avr_irq_register_notify(b->adc + ADC_IRQ_OUT_TRIGGER, on_conversion, b);
	b->trigger_pin = avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ('B'), 0);
	avr_irq_register_notify(avr_iomem_getirq(avr, TCCR1B, "tccr1b", AVR_IOMEM_IRQ_ALL), on_timer1, b);
	avr->io[AVR_DATA_TO_IO(TIFR1)].w.c = on_tifr1; /* in the place of simavr's own */
	return true;
}

void board_reset(struct board *b, enum reset cause)
{
	avr_t *avr = b->avr;
	avr->run = b->run;
	avr_reset(avr);
	avr->state = cpu_Running;
	avr->data[MCUSR] = (uint8_t)cause;
	b->xoff = b->timer_runs = b->started = false;
	b->deaf += b->in.count;
	b->in.count = b->out.count = 0;
	b->in_free = b->out_free = 0;
	b->booting = avr->cycle + b->boot_cycles;
	set_trigger(b, b->trigger_level);
}

/* Forgets what no reading has asked for, so that the room is for what comes. */
static void keep_up(struct board *b)
{
	int64_t now = board_instant(b, b->avr->cycle);
	for (int i = 0; i < BOARD_CHANNELS; i++)
		course_advance(&b->analog[i], now);
}

void board_rest(struct board *b, avr_cycle_count_t until)
{
	b->avr->cycle = until;
	keep_up(b);
	struct point p;
	while (course_peek(&b->trigger, &p) && cycle_of(b, p.at) <= until) {
		b->trigger_level = p.value > 0;
		course_drop(&b->trigger);
	}
}

bool board_run(struct board *b, avr_cycle_count_t until)
{
	avr_t *avr = b->avr;
	if (avr->cycle < b->booting) { /* the boot loader listens for a programmer and says nothing */
		avr->cycle = until < b->booting ? until : b->booting;
		b->deaf += b->in.count;
		b->in.count = 0;
	}
	keep_up(b);
	arm(b);
	while (avr->cycle < until) {
		bool watchdog = avr->run != b->run;
		if (watchdog)
			b->timer_runs = b->started = b->xoff = false;
		int state = avr_run(avr);
		if (watchdog) { /* that was the reset, which has cleared all timers */
			avr->state = cpu_Running;
			b->resets++;
			arm(b);
		} else if (state == cpu_Done || state == cpu_Crashed) {
			fprintf(stderr, "emolab-simavr: the firmware stopped at address %#x\n", (unsigned)avr->pc);
			return false;
		}
	}
	return true;
}

size_t board_room(const struct board *b) { return BOARD_QUEUE - b->in.count; }

void board_receive(struct board *b, const uint8_t *bytes, size_t n, int64_t at)
{
	avr_cycle_count_t from = cycle_of(b, at);
	for (size_t i = 0; i < n; i++) {
		if (b->in_free > from)
			from = b->in_free;
		if (!queue_push(&b->in, (struct transfer){bytes[i], from}))
			return;
		b->in_free = from + HOST_BYTE;
		b->received++;
	}
}

bool board_sent(struct board *b, avr_cycle_count_t by, struct transfer *t)
{
	if (b->out.count == 0 || b->out.items[b->out.head].at > by)
		return false;
	*t = b->out.items[b->out.head];
	queue_drop(&b->out);
	return true;
}
