#include "uart.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "clock.h"

enum {
	/* 16 MHz / 8 / 17 = 117647 baud, 2.1 % fast, which receivers bear. */
	BAUD_DIVIDER = 16,
	/* A zero takes 5 places, with its tick. The longest command has 15 bytes. */
	IN_SIZE = 128,
};

static volatile uint8_t in[IN_SIZE];
static volatile uint8_t in_head, in_tail; /* written at head, read at tail */
static volatile uint16_t overruns;

static volatile uint8_t out[256]; /* indices of 8 bits come round by themselves */
static volatile uint8_t out_head, out_tail;

void uart_init(void)
{
	/* In this order: simavr reckons the speed when the divider is written. */
	UCSR0A = _BV(U2X0);
	UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
	UBRR0 = BAUD_DIVIDER;
	UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
}

static void push(uint8_t b)
{
	in[in_head] = b;
	in_head = (in_head + 1) % IN_SIZE;
}

ISR(USART_RX_vect)
{
	if (UCSR0A & _BV(DOR0))
		overruns++;
	uint8_t b = UDR0;
	uint8_t room = (uint8_t)(in_tail - in_head - 1) % IN_SIZE;
	if (room < (b ? 1 : 5)) {
		overruns++;
		return;
	}
	push(b);
	if (b == 0) {
		uint32_t tick = clock_at(TCNT1);
		for (uint8_t i = 0; i < 4; i++, tick >>= 8)
			push((uint8_t)tick);
	}
}

static uint8_t pop(void)
{
	uint8_t b = in[in_tail];
	in_tail = (in_tail + 1) % IN_SIZE;
	return b;
}

bool uart_take(uint8_t *b, uint32_t *tick)
{
	bool some = false;
	/* Atomically, because a zero and its tick are one. */
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		if (in_head != in_tail) {
			some = true;
			*b = pop();
			if (*b == 0) {
				*tick = pop();
				*tick |= (uint32_t)pop() << 8;
				*tick |= (uint32_t)pop() << 16;
				*tick |= (uint32_t)pop() << 24;
			}
		}
	}
	return some;
}

uint16_t uart_overruns(void)
{
	uint16_t n;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		n = overruns;
	}
	return n;
}

ISR(USART_UDRE_vect)
{
	if (out_head == out_tail) {
		UCSR0B &= ~_BV(UDRIE0);
		return;
	}
	UDR0 = out[out_tail++];
	/* After the write, so that TXC means: the line is silent, and nothing waits. */
	UCSR0A = _BV(U2X0) | _BV(TXC0);
}

bool uart_put(const uint8_t *p, uint8_t n, uint8_t spare)
{
	uint8_t room = out_tail - out_head - 1;
	if (room < n + spare)
		return false;
	for (uint8_t i = 0; i < n; i++)
		out[(uint8_t)(out_head + i)] = p[i];
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		out_head += n;
		UCSR0B |= _BV(UDRIE0);
	}
	return true;
}

bool uart_idle(void)
{
	bool idle;
	ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
	{
		idle = out_head == out_tail && (UCSR0A & _BV(TXC0));
	}
	return idle;
}
