/* A program for the emulator's own tests: it does what it is asked by one byte
 * and answers in a fixed form, all numbers little-endian.
 *
 *   after a reset        'R' u8 MCUSR
 *   '0', '1'             'A' u16: one conversion of that channel
 *   'n'                  'N' u32: half microseconds since the timer's start
 *   'w'                  hangs, until the watchdog bites
 *   an edge at ICP1      'E' u32 half microseconds, u8 level
 *   anything else        itself
 */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <stdint.h>

static uint8_t cause __attribute__((section(".noinit")));

void early(void) __attribute__((naked, used, section(".init3")));
void early(void)
{
	cause = MCUSR;
	MCUSR = 0;
	wdt_disable();
}

static volatile uint16_t turns;

ISR(TIMER1_OVF_vect) { turns++; }

static volatile uint8_t edge, level;
static volatile uint32_t edge_at;

static uint32_t joined(uint16_t low)
{
	uint16_t high = turns;
	if ((TIFR1 & _BV(TOV1)) && low < 0x8000)
		high++;
	return (uint32_t)high << 16 | low;
}

ISR(TIMER1_CAPT_vect)
{
	edge_at = joined(ICR1);
	level = (TCCR1B & _BV(ICES1)) != 0;
	TCCR1B ^= _BV(ICES1);
	TIFR1 = _BV(ICF1);
	edge = 1;
}

static void put(uint8_t b)
{
	while (!(UCSR0A & _BV(UDRE0)))
		;
	UDR0 = b;
}

static void put32(uint32_t v)
{
	for (uint8_t i = 0; i < 4; i++, v >>= 8)
		put((uint8_t)v);
}

static uint8_t received[64];
static volatile uint8_t head, tail;

ISR(USART_RX_vect)
{
	received[head] = UDR0;
	head = (head + 1) % sizeof received;
}

int main(void)
{
	UBRR0 = 16;
	UCSR0A = _BV(U2X0);
	UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
	ADMUX = _BV(REFS0);
	ADCSRA = _BV(ADEN) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0);
	TIMSK1 = _BV(TOIE1) | _BV(ICIE1);
	TCCR1B = _BV(ICES1) | _BV(CS11);
	wdt_enable(WDTO_250MS);
	sei();
	put('R');
	put(cause);
	for (;;) {
		wdt_reset();
		if (edge) {
			cli();
			uint32_t at = edge_at;
			uint8_t l = level;
			edge = 0;
			sei();
			put('E');
			put32(at);
			put(l);
		}
		if (head == tail) {
			set_sleep_mode(SLEEP_MODE_IDLE);
			sleep_mode();
			continue;
		}
		uint8_t b = received[tail];
		tail = (tail + 1) % sizeof received;
		switch (b) {
		case '0':
		case '1': {
			ADMUX = _BV(REFS0) | (b - '0');
			ADCSRA |= _BV(ADSC);
			while (ADCSRA & _BV(ADSC))
				;
			uint16_t v = ADC;
			put('A');
			put((uint8_t)v);
			put(v >> 8);
			break;
		}
		case 'n': {
			cli();
			uint32_t now = joined(TCNT1);
			sei();
			put('N');
			put32(now);
			break;
		}
		case 'w':
			for (;;)
				;
		default:
			put(b);
		}
	}
}
