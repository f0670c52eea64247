#pragma once
#include <stdint.h>

/* CRC-16/CCITT-FALSE: polynomial 0x1021, start value 0xFFFF, most significant
   bit first, no final exclusive or. */
uint16_t crc16(const uint8_t *p, uint8_t n);
