#pragma once
#include <stdbool.h>
#include <stdint.h>

/* 115200 baud, 8N1, through two ring buffers that interrupts fill and empty. */

void uart_init(void);

/* uart_take takes the oldest received byte, if there is one. With a zero, the end
   of a frame, comes the tick at which it came in. */
bool uart_take(uint8_t *b, uint32_t *tick);

/* uart_overruns counts received bytes that were lost; it wraps. */
uint16_t uart_overruns(void);

/* uart_put queues n bytes, all or, where they do not fit and leave spare bytes
   free, none. */
bool uart_put(const uint8_t *p, uint8_t n, uint8_t spare);

/* uart_idle tells whether the last bit of all that was queued is out. */
bool uart_idle(void);
