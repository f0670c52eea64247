/* Emolab's box: an ATmega328P at 16 MHz that measures skin conductance, watches a
   photodiode and stamps triggers, and tells the host in the protocol of
   firmware-bridge/wire/PROTOCOL.md. */

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <stdbool.h>
#include <stdint.h>

#include "adc.h"
#include "clock.h"
#include "frame.h"
#include "light.h"
#include "trigger.h"
#include "uart.h"

enum {
	CAUSE_ASKED = 0,
	CAUSE_STARTED = 1,
	CAUSE_HUNG = 2,

	HAS_LIGHT = 1,
	HAS_TRIGGER = 2,
};

#define TICKS_PER_SECOND 1000000UL
#define STATUS_EVERY (5 * TICKS_PER_SECOND)

/* Time from a PONG's stamp to its first byte: the frame is made meanwhile, which
   takes 0.1 ms, and goes out when the stamp comes true. */
#define PONG_LEAD 250

/* Bytes of the transmit buffer that are kept for what is neither light nor
   trigger: five samples and a status. */
#define SPARE 84

static struct receiver receiver;
static struct light light;
static struct block last; /* of the photodiode, in case an edge follows */
static bool sampling;
static uint8_t on; /* of what the box has, what is turned on */
static uint16_t light_number;
static uint16_t unsent, light_unsent, trigger_unsent; /* for want of room in the line's buffer */
static uint32_t status_due;

static bool ping_waits;
static uint16_t ping_id;
static uint32_t ping_tick;

/* Why the chip was reset, found before anything else runs. */
static uint8_t reset_flags __attribute__((section(".noinit")));

/* A watchdog that has bitten goes on biting every 16 ms until it is turned off, so
   this comes before the variables are set up. Boot loaders clear the flags; newer
   ones hand them on in r2. The four flags make a value below 16. */
void find_cause(void) __attribute__((naked, used, section(".init3")));
void find_cause(void)
{
	uint8_t handed;
	__asm__ volatile("mov %0, r2" : "=r"(handed));
	reset_flags = MCUSR;
	if (reset_flags == 0 && handed < 16)
		reset_flags = handed;
	MCUSR = 0;
	wdt_disable();
}

static uint8_t cause(void)
{
	/* Optiboot ends its wait after an external reset by its own watchdog. */
	uint8_t who = reset_flags & (_BV(WDRF) | _BV(EXTRF) | _BV(PORF));
	return who == _BV(WDRF) ? CAUSE_HUNG : CAUSE_STARTED;
}

static bool send(uint8_t type, const uint8_t *payload, const uint8_t *end)
{
	/* A storm of edges must not crowd out the samples. */
	uint8_t spare = type == TYPE_LIGHT || type == TYPE_TRIGGER ? SPARE : 0;
	uint8_t frame[MAX_FRAME];
	return uart_put(frame, frame_encode(frame, type, payload, end - payload), spare);
}

static uint16_t rate = RATE_DEFAULT;

static void hello(uint8_t why)
{
	static const char model[8] = "emobox";
	uint8_t p[25];
	uint8_t *q = p;
	*q++ = PROTOCOL;
	*q++ = why;
	for (uint8_t i = 0; i < sizeof model; i++)
		*q++ = model[i];
	*q++ = VERSION_MAJOR;
	*q++ = VERSION_MINOR;
	*q++ = VERSION_PATCH;
	q = put32(q, SERIAL_NUMBER);
	q = put32(q, TICKS_PER_SECOND);
	q = put16(q, rate);
	*q++ = HAS_LIGHT | HAS_TRIGGER;
	*q++ = on;
	send(TYPE_HELLO, p, q);
}

static void start(void)
{
	if (sampling)
		return;
	sampling = true;
	light_number = 0;
	light_begin(&light, light.threshold);
	trigger_restart();
	status_due = clock_now() + STATUS_EVERY;
	adc_start();
}

static void stop(void)
{
	sampling = false;
	adc_stop();
	PORTB &= ~_BV(PORTB5);
}

static void turn(uint8_t what, bool want)
{
	on = want ? on | what : on & ~what;
}

/* obey does what the frame in the receiver says. */
static void obey(uint32_t tick)
{
	const uint8_t *payload = receiver.body + 1;
	switch (receiver.body[0]) {
	case TYPE_IDENTIFY:
		hello(CAUSE_ASKED);
		break;
	case TYPE_START:
		start();
		break;
	case TYPE_STOP:
		stop();
		break;
	case TYPE_RATE: {
		uint16_t hz = get16(payload);
		if (hz >= 1 && hz <= RATE_MOST) {
			rate = hz;
			adc_rate(hz);
		}
		break;
	}
	case TYPE_PING:
		ping_waits = true;
		ping_id = get16(payload);
		ping_tick = tick;
		break;
	case TYPE_LIGHT_SET:
		light_begin(&light, get16(payload + 1));
		adc_light(payload[0]);
		turn(HAS_LIGHT, payload[0]);
		break;
	case TYPE_TRIGGER_SET:
		trigger_set(payload[0]);
		turn(HAS_TRIGGER, payload[0]);
		break;
	}
}

/* receive takes what the host sent, up to a PING, and tells whether there was
   something. */
static bool receive(void)
{
	bool some = false;
	uint8_t b;
	uint32_t tick = 0;
	while (!ping_waits && uart_take(&b, &tick)) {
		some = true;
		if (frame_receive(&receiver, b))
			obey(tick);
	}
	return some;
}

/* pong answers the PING that waits, once the line is silent. */
static void pong(void)
{
	if (!uart_idle())
		return;
	uint32_t tx = clock_now() + PONG_LEAD;
	uint8_t p[10];
	put32(put32(put16(p, ping_id), ping_tick), tx);
	uint8_t frame[MAX_FRAME];
	uint8_t n = frame_encode(frame, TYPE_PONG, p, sizeof p);
	while ((int32_t)(clock_now() - tx) < 0) {
	}
	uart_put(frame, n, 0);
	ping_waits = false;
}

static void status(void)
{
	uint8_t p[14];
	uint8_t *q = put32(p, adc_taken());
	q = put16(q, unsent + adc_unsent());
	q = put16(q, receiver.bad);
	q = put16(q, uart_overruns());
	q = put16(q, light_unsent + adc_blocks_unsent());
	q = put16(q, trigger_unsent + trigger_lost());
	send(TYPE_STATUS, p, q);
}

static bool eda(void)
{
	struct sample s;
	if (!adc_sample(&s))
		return false;
	uint8_t p[8];
	uint8_t *q = put16(put32(put16(p, s.number), s.tick), adc_reading(s.sum));
	if (!send(TYPE_EDA, p, q))
		unsent++;
	if ((int32_t)(s.tick - status_due) >= 0) {
		status_due += STATUS_EVERY;
		status();
	}
	return true;
}

static void send_block(const struct block *b)
{
	uint8_t p[6 + 2 * LIGHT_READINGS];
	uint8_t *q = put32(put16(p, light_number++), b->tick);
	for (uint8_t i = 0; i < LIGHT_READINGS; i++)
		q = put16(q, b->raw[i]);
	if (!send(TYPE_LIGHT, p, q))
		light_unsent++;
}

static bool lights(void)
{
	struct block b;
	if (!adc_block(&b))
		return false;
	uint8_t which = light_judge(&light, b.raw, b.joins);
	if (which & LIGHT_SEND_LAST)
		send_block(&last);
	if (which & LIGHT_SEND)
		send_block(&b);
	last = b;
	return true;
}

static bool triggers(void)
{
	struct edge e;
	if (!trigger_take(&e) || !sampling)
		return false;
	uint8_t p[7];
	uint8_t *q = put32(put16(p, e.number), e.tick);
	*q++ = e.level;
	if (!send(TYPE_TRIGGER, p, q))
		trigger_unsent++;
	return true;
}

int main(void)
{
	DDRB |= _BV(DDB5); /* the board's lamp blinks while sampling */
	clock_init();
	uart_init();
	trigger_init();
	adc_init();
	set_sleep_mode(SLEEP_MODE_IDLE);
	wdt_enable(WDTO_500MS);
	sei();
	hello(cause());

	uint16_t seen = 0;
	for (;;) {
		/* The watchdog is content while both this loop and the slots go on. */
		uint16_t now = adc_slots();
		if (now != seen) {
			seen = now;
			wdt_reset();
			if (sampling && (now & 511) == 0)
				PINB = _BV(PINB5); /* writing 1 to PINB turns the lamp over */
		}
		/* While a PING waits nothing else is queued, or the line would not fall silent.
		   After its PONG the samples have their turn, however many PINGs follow. */
		if (ping_waits)
			pong();
		bool busy = false;
		if (!ping_waits) {
			busy |= eda();
			busy |= lights();
			busy |= triggers();
			busy |= receive();
		}
		if (!busy)
			sleep_mode(); /* any interrupt ends it, the next slot at the latest */
	}
}
